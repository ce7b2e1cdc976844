"""Tables of consents, opt-outs, verdicts, disclosure deadlines, lists, findings and pay plans."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models import Delivery, Lead, Loan, Person, Source
from rooftree.org.models import LoanOfficer, User


class SourceTerms(models.Model):
    """One version of a source's consent wording and contract terms, as reviewed by staff.

    The gate uses it for deliveries without evidence of their own (canonical record, section 9).
    Outside its dates it proves nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.CASCADE, related_name="terms")
    from_date = models.DateField()
    until_date = models.DateField(null=True)  # exclusive
    names_us = models.BooleanField(default=False)  # the form, or its list, names the company
    seller_snapshot = models.TextField(blank=True)  # the list as shown
    wording = models.TextField(blank=True)  # exactly as the consumer sees it
    signature = models.CharField(max_length=40, blank=True)  # checkbox_unticked_by_default...
    channels = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    proof_owed = models.CharField(max_length=200, blank=True)
    # Origin of the data, for trigger-lead law and the FCRA; "": as its adapter says.
    source_class = models.CharField(max_length=20, blank=True, default="", db_default="")
    is_firm_offer = models.BooleanField(
        default=False, db_default=False
    )  # to every lead of the source
    is_authorized = models.BooleanField(default=False, db_default=False)  # certified to the bureau
    criteria = models.TextField(blank=True, default="", db_default="")  # of the firm offer
    # Permissible purpose for data from a consumer report: a key of `source_terms.REPORT_PURPOSES`.
    report_purpose = models.CharField(max_length=20, blank=True, default="", db_default="")
    report_words = models.TextField(
        blank=True, default="", db_default=""
    )  # as the source signs them
    reviewed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "source_terms"
        indexes = [models.Index(fields=["source", "from_date"], name="terms_by_source")]

    def __str__(self) -> str:
        return f"source_terms:{self.pk}"


class LeadBasis(models.Model):
    """The proof that one credit bureau lead can be contacted. The newest row counts."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="bases")
    is_authorized = models.BooleanField(default=False)  # by the consumer, certified to the bureau
    relationship = models.CharField(max_length=30, blank=True)  # current loan or account
    has_opted_out = models.BooleanField(default=False)  # of prescreened offers
    reference = models.CharField(max_length=200)  # where the proof is filed
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        db_table = "lead_basis"
        indexes = [models.Index(fields=["lead", "at"], name="basis_by_lead")]

    def __str__(self) -> str:
        return f"lead_basis:{self.pk}"


class Consent(models.Model):
    """One consent with its proof. Append-only: a later row never edits it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    person = models.ForeignKey(Person, models.PROTECT, related_name="consents")
    address = models.CharField(max_length=254)  # E.164 or email key
    delivery = models.ForeignKey(Delivery, models.PROTECT, null=True, related_name="consents")
    terms = models.ForeignKey(SourceTerms, models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=14)  # granted | denied | not_provided
    channels = ArrayField(models.CharField(max_length=16), default=list)
    record = models.JSONField()  # the rulebook's keys; an absent key was not proven
    wording = models.TextField(blank=True)
    wording_sha256 = models.CharField(max_length=64, blank=True)
    captured_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=200, unique=True)

    class Meta:
        db_table = "consent"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["granted", "denied", "not_provided"]),
                name="consent_status_known",
            ),
        ]
        indexes = [models.Index(fields=["address"], name="consent_by_address")]

    def __str__(self) -> str:
        return f"consent:{self.pk}"


class Revocation(models.Model):
    """One opt-out or suppression: STOP, unsubscribe, do-not-contact.

    Effective from `at`. Only a later act of the consumer ends it (47 CFR 64.1200(f)(9)), which
    sets `ended_at` and names the act.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="revocations")
    address = models.CharField(max_length=254)  # E.164 or email key
    kind = models.CharField(max_length=16)
    media = ArrayField(models.CharField(max_length=10))  # call, text, voicemail, email
    borrower_words = models.CharField(max_length=500, blank=True)  # as received
    origin = models.CharField(max_length=160)  # message, page, vendor or import
    reply_to_purpose = models.CharField(max_length=16, blank=True)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=160, blank=True)
    idempotency_key = models.CharField(max_length=200, unique=True)

    class Meta:
        db_table = "revocation"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "stop",
                        "unsubscribe",
                        "do_not_contact",
                        "wrong_person",
                        "vendor",
                        "review",
                    ]
                ),
                name="revocation_kind_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["address"], condition=Q(ended_at=None), name="revocation_by_address"
            ),
            models.Index(fields=["person"], condition=Q(ended_at=None), name="revocation_person"),
        ]

    def __str__(self) -> str:
        return f"revocation:{self.pk}"


class Verdict(models.Model):
    """The gate's verdict on one message or call, with the facts it rests on."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="verdicts")
    person = models.ForeignKey(Person, models.CASCADE, related_name="verdicts")
    idempotency_key = models.CharField(max_length=160)  # key of the message's occasion
    medium = models.CharField(max_length=10)
    purpose = models.CharField(max_length=16)
    stage = models.CharField(max_length=10)  # planned | dequeued | handoff | shown
    decision = models.CharField(max_length=8)
    reason = models.CharField(max_length=60)
    sentence = models.CharField(max_length=500)
    next_allowed_at = models.DateTimeField(null=True)
    results = models.JSONField()  # one per rule: id, cite, decision, reason
    facts = models.JSONField()
    facts_sha256 = models.CharField(max_length=64)
    rules_version = models.CharField(max_length=20)
    at = models.DateTimeField()

    class Meta:
        db_table = "verdict"
        constraints = [
            models.CheckConstraint(
                condition=Q(decision__in=["allow", "defer", "require", "block"]),
                name="verdict_decision_known",
            ),
        ]
        indexes = [
            models.Index(fields=["lead", "at"], name="verdict_by_lead"),
            models.Index(fields=["person", "at"], name="verdict_by_person"),
        ]

    def __str__(self) -> str:
        return f"verdict:{self.pk}"


class CreditClock(models.Model):
    """One credit notice that the creditor owes a borrower, from its trigger to its proof.

    The LOS sends the notice; Rooftree never does. `evidence` is the trigger as known then,
    `proof` shows that the notice was sent, or why none is owed.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.PROTECT, related_name="credit_clocks")
    loan = models.ForeignKey(Loan, models.PROTECT, null=True, related_name="credit_clocks")
    kind = models.CharField(max_length=16)  # a key of clock_due_dates.CLOCK_KINDS
    began_on = models.DateField()
    due_on = models.DateField()  # the last day by law
    due_at = models.DateTimeField()  # house deadline: evening of the last business day before
    sentence = models.CharField(max_length=500)  # why, shown to staff
    evidence = models.JSONField(default=list)
    owner = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")  # in compliance
    alarm_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, blank=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    proof = models.JSONField(default=dict)
    idempotency_key = models.CharField(max_length=160, unique=True)

    class Meta:
        db_table = "credit_clock"
        constraints = [
            models.UniqueConstraint(
                fields=["lead", "kind"],
                condition=Q(closed_at=None),
                name="one_open_clock_a_kind",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, outcome="", alarm_at__isnull=False)
                | Q(closed_at__isnull=False, alarm_at=None) & ~Q(outcome=""),
                name="clock_closed_with_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["alarm_at"], condition=Q(closed_at=None), name="clock_alarm_due"),
            models.Index(fields=["due_at"], condition=Q(closed_at=None), name="clock_by_due"),
        ]

    def __str__(self) -> str:
        return f"credit_clock:{self.pk}"


class DncFile(models.Model):
    """One loaded do-not-contact file and its changes. Never edited."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    registry = models.CharField(max_length=9)  # US, a state, LITIGATOR or INTERNAL
    is_change = models.BooleanField()  # additions and deletions since the previous file
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    dated = models.DateField()  # date of the registry's copy
    added = models.PositiveIntegerField()
    removed = models.PositiveIntegerField()
    # Changes that were already so: a file in between is missing or was loaded twice.
    strays = models.PositiveIntegerField(default=0, db_default=0)
    areas = ArrayField(models.CharField(max_length=3))  # area codes it updated
    loaded_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    loaded_at = models.DateTimeField()

    class Meta:
        db_table = "dnc_file"
        constraints = [
            models.UniqueConstraint(fields=["registry", "sha256", "dated"], name="dnc_file_once"),
        ]
        indexes = [models.Index(fields=["registry", "loaded_at"], name="dnc_file_newest")]

    def __str__(self) -> str:
        return f"dnc_file:{self.pk}"


class DncArea(models.Model):
    """One loaded area code of a registry; an empty code is a complete list."""

    id = models.CharField(max_length=13, primary_key=True)  # registry:area
    registry = models.CharField(max_length=9)
    area = models.CharField(max_length=3, blank=True)
    dated = models.DateField()
    numbers = models.PositiveIntegerField()
    file = models.ForeignKey(DncFile, models.PROTECT, related_name="+")

    class Meta:
        db_table = "dnc_area"
        indexes = [models.Index(fields=["area"], name="dnc_area_of_number")]

    def __str__(self) -> str:
        return f"dnc_area:{self.pk}"


class DncBlock(models.Model):
    """The ten thousand numbers of one area code and exchange, one bit per number.

    A lookup reads one row by its key, no matter how many numbers are listed.
    """

    id = models.CharField(max_length=16, primary_key=True)  # registry:212555
    bits = models.BinaryField()  # 1,250 bytes; number n is bit n % 8 of byte n // 8

    class Meta:
        db_table = "dnc_block"

    def __str__(self) -> str:
        return f"dnc_block:{self.pk}"


class Finding(models.Model):
    """One finding of a rule for a compliance officer, with the officer's conclusion."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    rule = models.CharField(max_length=8)  # rulebook id
    idempotency_key = models.CharField(
        max_length=160, unique=True
    )  # unique, so that a finding is created once
    sentence = models.CharField(max_length=400)
    link = models.CharField(max_length=200)  # a path in Rooftree
    found_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    conclusion = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "finding"
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_by=None, conclusion="")
                | (Q(closed_at__isnull=False, closed_by__isnull=False) & ~Q(conclusion="")),
                name="finding_closed_with_a_conclusion",
            ),
        ]
        indexes = [
            models.Index(fields=["rule"], condition=Q(closed_at=None), name="finding_open"),
        ]

    def __str__(self) -> str:
        return f"finding:{self.pk}"


class PayPlan(models.Model):
    """One pay plan of a loan officer, from a date until the next plan (12 CFR 1026.36(d)).

    It counts once a second person has approved it. A forbidden plan has no row.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    officer = models.ForeignKey(LoanOfficer, models.PROTECT, related_name="pay_plans")
    number = models.PositiveIntegerField()  # counts the officer's plans
    basis = models.CharField(max_length=60)  # what the pay depends on
    percent = models.DecimalField(max_digits=7, decimal_places=4, null=True)  # of the loan amount
    cents = models.BigIntegerField(null=True)  # per loan, hour or month: as the basis says
    least_cents = models.BigIntegerField(null=True)  # per loan
    most_cents = models.BigIntegerField(null=True)
    bonus_pct = models.DecimalField(max_digits=5, decimal_places=2, null=True)  # from profits
    is_paid_by_consumer = models.BooleanField(default=False)
    is_paid_by_creditor = models.BooleanField(default=True)
    from_date = models.DateField()
    document = models.CharField(max_length=200, blank=True)  # counsel's review
    decision = models.CharField(max_length=8)
    reason = models.CharField(max_length=60)
    written_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)  # discarded without approval
    dropped_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "pay_plan"
        constraints = [
            models.UniqueConstraint(fields=["officer", "number"], name="pay_plan_numbered"),
            models.UniqueConstraint(
                fields=["officer", "from_date"],
                condition=Q(approved_at__isnull=False),
                name="one_pay_plan_a_day",
            ),
            models.CheckConstraint(
                condition=Q(decision__in=["allow", "require"]), name="pay_plan_never_blocked"
            ),
            models.CheckConstraint(
                condition=Q(is_paid_by_consumer=True, is_paid_by_creditor=False)
                | Q(is_paid_by_consumer=False, is_paid_by_creditor=True),
                name="pay_plan_paid_by_one_side",  # 12 CFR 1026.36(d)(2)
            ),
            models.CheckConstraint(
                condition=Q(bonus_pct=None) | Q(bonus_pct__range=(0, 10)),
                name="pay_plan_profit_bonus",  # 12 CFR 1026.36(d)(1)(iv)
            ),
            models.CheckConstraint(
                condition=Q(least_cents=None)
                | Q(most_cents=None)
                | Q(least_cents__lte=F("most_cents")),
                name="pay_plan_least_below_most",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None, approved_at=None)
                | (
                    Q(approved_by__isnull=False, approved_at__isnull=False, dropped_at=None)
                    & ~Q(approved_by=F("written_by"))
                    & (Q(decision="allow") | ~Q(document=""))
                ),
                name="pay_plan_approved_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"pay_plan:{self.pk}"
