"""Tables for cost and revenue entries, vendor contracts, and returns of leads."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models import Campaign, Delivery, Lead, Loan, Source, Touch
from rooftree.org.models import User


class Entry(models.Model):
    """One amount a lead, source or loan cost or earned. Corrected only by an opposite entry."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    kind = models.CharField(max_length=10)  # a credit offsets a cost, a reversal offsets revenue
    amount_cents = models.BigIntegerField()  # positive; a credit is a kind, not a sign
    on_date = models.DateField()  # the company's day
    source = models.ForeignKey(Source, models.PROTECT, related_name="entries")
    campaign = models.ForeignKey(Campaign, models.PROTECT, null=True, related_name="entries")
    lead = models.ForeignKey(Lead, models.PROTECT, null=True, related_name="entries")
    loan = models.ForeignKey(Loan, models.PROTECT, null=True, related_name="entries")
    delivery = models.ForeignKey(Delivery, models.PROTECT, null=True, related_name="entries")
    basis = models.CharField(max_length=40)  # per_lead, match_fee, source_terms, los...
    is_provisional = models.BooleanField(default=False)
    idempotency_key = models.CharField(max_length=160, unique=True)  # idempotency key
    # The entry that this one corrects; it has the same day, source, lead and loan.
    corrects = models.ForeignKey("self", models.PROTECT, null=True, related_name="corrections")
    # Why staff booked it.
    reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    booked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    booked_at = models.DateTimeField()

    class Meta:
        db_table = "money_entry"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["cost", "credit", "revenue", "reversal"]),
                name="entry_kind_known",
            ),
            models.CheckConstraint(condition=Q(amount_cents__gte=0), name="entry_not_negative"),
        ]
        indexes = [
            models.Index(fields=["source", "on_date"], name="entry_by_source"),
            models.Index(fields=["lead"], name="entry_by_lead"),
        ]

    def __str__(self) -> str:
        return f"money_entry:{self.pk}"


class SourcePrice(models.Model):
    """One price per lead of a source from a day on, as staff recorded it. Never edited."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.PROTECT, related_name="prices")
    from_date = models.DateField()  # the company's day; the next price ends it
    cents = models.PositiveIntegerField()
    reason = models.CharField(max_length=300)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)  # when all leads since `from_date` had the price

    class Meta:
        db_table = "source_price"
        indexes = [
            models.Index(fields=["source", "from_date"], name="price_by_source"),
            models.Index(fields=["from_date"], condition=Q(applied_at=None), name="price_to_apply"),
        ]

    def __str__(self) -> str:
        return f"source_price:{self.pk}"


class VendorInvoice(models.Model):
    """One invoice of a vendor for a month, as staff recorded it. It books nothing by itself."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.PROTECT, related_name="invoices")
    number = models.CharField(max_length=60)
    month = models.DateField()  # its first day
    amount_cents = models.BigIntegerField()
    note = models.CharField(max_length=300, blank=True)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        db_table = "vendor_invoice"
        constraints = [
            models.UniqueConstraint(fields=["source", "number"], name="invoice_once_a_source"),
            models.CheckConstraint(condition=Q(amount_cents__gte=0), name="invoice_not_negative"),
        ]

    def __str__(self) -> str:
        return f"vendor_invoice:{self.number}"


CLAIM_STATES = [
    "drafted",  # found; not sent to the vendor yet
    "sent",
    "credited",  # in part; the rest can be refused, disputed or given up
    "refused",
    "disputed",  # refused once, and sent back with our answer
    "closed",  # `closed_as` has the outcome
]
CLOSED_AS = [
    "credited",  # in full, or in part without further dispute
    "refused",
    "withdrawn",  # its ground no longer holds
    "dropped",  # a user decided not to send it
    "missed",  # not sent in time
]


class Contract(models.Model):
    """One agreement with a vendor about leads that arrive in a span of days.

    Holds the return reasons and window, and the lead statuses reported to the vendor.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.PROTECT, related_name="contracts")
    from_date = models.DateField()  # the company's day
    until_date = models.DateField(null=True)  # exclusive
    window_days = models.PositiveSmallIntegerField()  # return window after arrival
    warn_days = models.PositiveSmallIntegerField()  # before the window ends
    reasons = models.JSONField(default=dict)  # by ReturnReason: the vendor's own word
    duplicate_days = models.PositiveSmallIntegerField(default=0)
    states = ArrayField(models.CharField(max_length=2), default=list)  # empty: all licensed states
    watcher = models.ForeignKey(
        User, models.PROTECT, related_name="+"
    )  # warned before a window ends
    send_to = models.CharField(max_length=200, blank=True)  # where the vendor receives the file
    statuses = models.JSONField(
        default=dict
    )  # by our status: the vendor's word; missing: not reported
    next_check_at = models.DateTimeField(null=True)  # when its arrivals are checked again
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        db_table = "contract"
        constraints = [
            models.CheckConstraint(
                condition=Q(until_date=None) | Q(until_date__gte=F("from_date")),
                name="contract_ends_later",
            ),
            models.UniqueConstraint(
                fields=["source"], condition=Q(until_date=None), name="one_contract_in_force"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                condition=Q(next_check_at__isnull=False),
                name="contract_to_look_at",
            ),
        ]

    def __str__(self) -> str:
        return f"contract:{self.pk}"


class ReturnFile(models.Model):
    """One file of returns sent to a vendor; its content is built from its claims."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.PROTECT, related_name="return_files")
    number = models.PositiveIntegerField()
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        db_table = "return_file"
        constraints = [
            models.UniqueConstraint(fields=["source", "number"], name="return_file_once"),
        ]

    def __str__(self) -> str:
        return f"return_file:{self.number}"


class Claim(models.Model):
    """One paid arrival we ask its vendor to take back. An arrival has at most one claim."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.PROTECT, related_name="claims")
    contract = models.ForeignKey(Contract, models.PROTECT, related_name="claims")
    touch = models.OneToOneField(Touch, models.PROTECT, related_name="claim")
    entry = models.OneToOneField(Entry, models.PROTECT, related_name="claim")  # its cost
    reason = models.CharField(max_length=20)  # return_grounds.ReturnReason
    sentence = models.CharField(max_length=400)
    evidence = models.JSONField(default=list)  # pairs of label and value, for staff
    claimed_cents = models.BigIntegerField()
    credited_cents = models.BigIntegerField(default=0)
    state = models.CharField(max_length=10, default="drafted")
    closed_as = models.CharField(max_length=10, blank=True)
    send_by = models.DateTimeField()  # the vendor accepts no return after this
    due_at = models.DateTimeField(null=True)  # next warning, or the end of the window
    file = models.ForeignKey(ReturnFile, models.PROTECT, null=True, related_name="claims")
    disputes = models.PositiveSmallIntegerField(default=0)
    drafted_at = models.DateTimeField()
    # The user who claimed it by hand; None: found automatically, and withdrawn if the ground fails.
    requested_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "claim"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=CLAIM_STATES), name="claim_state_known"),
            models.CheckConstraint(
                condition=Q(state="closed", closed_as__in=CLOSED_AS)
                | (~Q(state="closed") & Q(closed_as="")),
                name="claim_closed_somehow",
            ),
            models.CheckConstraint(
                condition=Q(claimed_cents__gt=0, credited_cents__range=(0, F("claimed_cents"))),
                name="claim_credited_within_asked",
            ),
            models.CheckConstraint(condition=Q(disputes__lte=1), name="claim_disputed_once"),
        ]
        indexes = [
            models.Index(fields=["source", "state"], name="claim_by_source"),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="claim_due"),
        ]

    def __str__(self) -> str:
        return f"claim:{self.pk}"


class ClaimStep(models.Model):
    """One step or note of a claim. Never changed."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    claim = models.ForeignKey(Claim, models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=10)
    note = models.CharField(max_length=500, blank=True)
    cents = models.BigIntegerField(null=True)  # credited by this step
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        # trigger: claim_step_append_only
        db_table = "claim_step"
        indexes = [models.Index(fields=["claim", "at"], name="claim_step_by_claim")]

    def __str__(self) -> str:
        return f"claim_step:{self.pk}"
