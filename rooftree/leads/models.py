"""The shared nouns: who asked, for what loan, through whom, and what became of it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from rooftree.core.uuid7 import uuid7
from rooftree.org.models import Branch, LoanOfficer, User
from rooftree.org.sealed_text import SealedTextField

LEAD_STATES = [
    "new",  # nobody has reached the borrower
    "working",  # a person has tried or talked
    "nurture",  # not now: kept warm by sequences and rate watches
    "application",  # handed to the LOS, or known there
    "funded",
    "retired",  # closed with a reason
]


class Source(models.Model):
    """Who sends us leads, through which adapter, with which secret."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    adapter = models.CharField(max_length=30)  # a key of capture.sources.SOURCES
    name = models.CharField(max_length=120, unique=True)  # as staff see it
    slug = models.SlugField(unique=True)
    token = SealedTextField(blank=True)  # the unguessable part of the path
    token_hash = models.CharField(max_length=64, blank=True)  # sha-256 hex, for look-up
    secret = SealedTextField(blank=True)  # signing key, where the vendor signs
    allowed_origins = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    zone = models.CharField(max_length=60, default="America/New_York")  # of naive times
    cost_cents = models.PositiveIntegerField(null=True)  # a lead, when the delivery names none
    is_test = models.BooleanField(default=False)
    expected_gap = models.DurationField(null=True)  # silence longer than this is an alarm
    paused_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "source"
        indexes = [models.Index(fields=["adapter", "token_hash"], name="source_by_token")]

    def __str__(self) -> str:
        return self.name


class Campaign(models.Model):
    """What we pay for at a source."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.PROTECT, related_name="campaigns")
    name = models.CharField(max_length=200)

    class Meta:
        db_table = "campaign"
        constraints = [
            models.UniqueConstraint(fields=["source", "name"], name="campaign_once_a_source"),
        ]

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """The bytes a source sent, masked, with what we made of them."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.PROTECT, related_name="deliveries")
    received_at = models.DateTimeField()
    method = models.CharField(max_length=8, default="POST")
    path = models.CharField(max_length=300)  # the token left out
    query = models.JSONField(default=dict)
    headers = models.JSONField(default=dict)  # credentials left out
    body = models.BinaryField()  # masked: no SSN, card or account number
    body_sha256 = models.CharField(max_length=64)  # of the bytes as they came
    remote_addr = models.GenericIPAddressField(null=True)
    verification = models.CharField(max_length=40)  # what proved the sender
    state = models.CharField(max_length=12, default="received")
    outcome = models.CharField(max_length=24, blank=True)  # of the envelope
    reason = models.CharField(max_length=80, blank=True)
    warnings = ArrayField(models.CharField(max_length=200), default=list)
    adapter_version = models.CharField(max_length=20, blank=True)
    due_at = models.DateTimeField(null=True)  # when intake may (again) work on it
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.TextField(blank=True)  # for staff
    worked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "delivery"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["received", "worked", "quarantined", "closed", "duplicate"]),
                name="delivery_state_known",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="received"), name="delivery_waiting"),
            models.Index(fields=["source", "received_at"], name="delivery_by_source"),
            models.Index(
                fields=["received_at"], condition=Q(state="quarantined"), name="delivery_quarantine"
            ),
        ]

    def __str__(self) -> str:
        return f"delivery:{self.pk}"


class DeliveryKey(models.Model):
    """What makes a delivery the same one again, and how we answered it the first time."""

    key = models.CharField(primary_key=True, max_length=300)
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="keys")
    answer_status = models.PositiveSmallIntegerField()
    answer_type = models.CharField(max_length=80, blank=True)
    answer_body = models.TextField(blank=True)

    class Meta:
        db_table = "delivery_key"

    def __str__(self) -> str:
        return f"delivery_key:{self.pk}"


class Rejection(models.Model):
    """How many deliveries of one kind were turned away on one day. Their bytes are not kept."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    adapter = models.CharField(max_length=30)
    reason = models.CharField(max_length=24)
    on_date = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "rejection"
        constraints = [
            models.UniqueConstraint(
                fields=["adapter", "reason", "on_date"], name="rejections_once_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"rejection:{self.pk}"


class Person(models.Model):
    """A human we may contact. Consent belongs to a person and a number or address."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    first_name = models.CharField(max_length=120, blank=True)
    middle_name = models.CharField(max_length=120, blank=True)
    last_name = models.CharField(max_length=120, blank=True)
    suffix = models.CharField(max_length=4, blank=True)
    language = models.CharField(max_length=5, blank=True)  # stated, never guessed
    street = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=2, blank=True)  # of residence, when told
    zip = models.CharField(max_length=5, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "person"

    def __str__(self) -> str:
        return f"person:{self.pk}"

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part) or "No name yet"


class Phone(models.Model):
    """A number a person gave us. Unlinked, not deleted, when it proves to be someone else's."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    person = models.ForeignKey(Person, models.CASCADE, related_name="phones")
    e164 = models.CharField(max_length=16)
    kind = models.CharField(max_length=10, default="unknown")
    is_primary = models.BooleanField(default=False)
    given_at = models.DateTimeField()
    unlinked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "phone"
        constraints = [
            models.UniqueConstraint(fields=["person", "e164"], name="phone_once_a_person"),
        ]
        indexes = [models.Index(fields=["e164"], name="phone_by_number")]

    def __str__(self) -> str:
        return f"phone:{self.pk}"


class Email(models.Model):
    """An address a person gave us; `key` is its normal form for matching."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    person = models.ForeignKey(Person, models.CASCADE, related_name="emails")
    address = models.CharField(max_length=254)
    key = models.CharField(max_length=254)
    is_primary = models.BooleanField(default=False)
    given_at = models.DateTimeField()
    bounced_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "email"
        constraints = [
            models.UniqueConstraint(fields=["person", "key"], name="email_once_a_person"),
        ]
        indexes = [models.Index(fields=["key"], name="email_by_key")]

    def __str__(self) -> str:
        return f"email:{self.pk}"


class Lead(models.Model):
    """One person's interest in one loan."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    person = models.ForeignKey(Person, models.PROTECT, related_name="leads")
    source = models.ForeignKey(Source, models.PROTECT, related_name="leads")  # of the first touch
    campaign = models.ForeignKey(Campaign, models.PROTECT, null=True, related_name="leads")
    state = models.CharField(max_length=12, default="new")
    is_test = models.BooleanField(default=False)

    purpose = models.CharField(max_length=30, blank=True)  # canonical loan.purpose
    loan_type = models.CharField(max_length=20, blank=True)
    amount_cents = models.BigIntegerField(null=True)
    value_cents = models.BigIntegerField(null=True)  # of the property, or the price
    down_payment_cents = models.BigIntegerField(null=True)
    cash_out_cents = models.BigIntegerField(null=True)
    current_rate_pct = models.DecimalField(max_digits=6, decimal_places=3, null=True)
    credit_band = models.CharField(max_length=12, blank=True)  # self-reported
    timeline = models.CharField(max_length=20, blank=True)
    property_street = models.CharField(max_length=200, blank=True)
    property_city = models.CharField(max_length=120, blank=True)
    property_state = models.CharField(max_length=2, blank=True)
    property_zip = models.CharField(max_length=5, blank=True)
    property_type = models.CharField(max_length=20, blank=True)
    property_use = models.CharField(max_length=12, blank=True)
    details = models.JSONField(default=dict)  # the newest canonical record, for everything else
    asked = models.TextField(blank=True)  # the borrower's own words, newest

    officer = models.ForeignKey(
        LoanOfficer, models.PROTECT, null=True, related_name="leads"
    )  # mirrors the live ownership row
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, related_name="leads")
    score = models.SmallIntegerField(null=True)  # 0 to 100
    score_reasons = models.JSONField(default=list)
    scored_at = models.DateTimeField(null=True)

    created_at = models.DateTimeField()
    warmed_at = models.DateTimeField()  # the newest touch
    promise_at = models.DateTimeField(null=True)  # when a person owes the borrower an attempt
    first_message_at = models.DateTimeField(null=True)  # automatic
    first_attempt_at = models.DateTimeField(null=True)  # by a person: speed-to-lead
    first_talk_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    retired_reason = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "lead"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=LEAD_STATES), name="lead_state_known"),
            models.CheckConstraint(
                condition=Q(score=None) | Q(score__range=(0, 100)), name="lead_score_range"
            ),
        ]
        indexes = [
            models.Index(fields=["person"], name="lead_by_person"),
            models.Index(fields=["officer", "state", "promise_at"], name="lead_by_officer"),
            models.Index(fields=["branch", "created_at"], name="lead_by_branch"),
            models.Index(fields=["source", "created_at"], name="lead_by_source"),
            models.Index(
                fields=["promise_at"],
                condition=Q(promise_at__isnull=False),
                name="lead_promise",
            ),
            models.Index(
                fields=["created_at"], condition=Q(officer=None), name="lead_without_officer"
            ),
        ]

    def __str__(self) -> str:
        return f"lead:{self.pk}"


class Touch(models.Model):
    """One arrival of a lead through one source. Attribution reads the chain of them."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="touches")
    person = models.ForeignKey(Person, models.PROTECT, related_name="touches")
    source = models.ForeignKey(Source, models.PROTECT, related_name="touches")
    campaign = models.ForeignKey(Campaign, models.PROTECT, null=True, related_name="touches")
    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="touches")
    position = models.PositiveSmallIntegerField(default=0)  # within its delivery
    vendor_lead_id = models.CharField(max_length=255, blank=True)
    is_first = models.BooleanField()
    matched_by = models.CharField(max_length=200, blank=True)  # evidence, in words
    inquiry = models.JSONField()  # the canonical record of this arrival
    attribution = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        db_table = "touch"
        constraints = [
            models.UniqueConstraint(fields=["delivery", "position"], name="touch_once_a_delivery"),
            models.UniqueConstraint(
                fields=["lead"], condition=Q(is_first=True), name="one_first_touch_a_lead"
            ),
        ]
        indexes = [
            models.Index(fields=["source", "vendor_lead_id"], name="touch_by_vendor_id"),
            models.Index(fields=["lead", "at"], name="touch_by_lead"),
        ]

    def __str__(self) -> str:
        return f"touch:{self.pk}"


class ContactAttempt(models.Model):
    """One try to reach a person, or one time they reached us. Caps count these."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="attempts")
    person = models.ForeignKey(Person, models.CASCADE, related_name="attempts")
    medium = models.CharField(max_length=10)  # text | call | email | voicemail
    direction = models.CharField(max_length=3, default="out")  # out | in
    address = models.CharField(max_length=254, blank=True)  # number or address used
    purpose = models.CharField(max_length=16, default="marketing")
    is_automated = models.BooleanField(default=False)
    result = models.CharField(max_length=24, blank=True)  # spoke, voicemail, no_answer...
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    cause = models.CharField(max_length=160, unique=True)  # what makes it once

    class Meta:
        db_table = "contact_attempt"
        indexes = [
            models.Index(fields=["person", "at"], name="attempt_by_person"),
            models.Index(fields=["lead", "at"], name="attempt_by_lead"),
        ]

    def __str__(self) -> str:
        return f"contact_attempt:{self.pk}"


class Signal(models.Model):
    """Something the borrower did that tells of interest: opened, clicked, replied."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="signals")
    kind = models.CharField(max_length=24)
    cause = models.CharField(max_length=160, unique=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "signal"
        indexes = [models.Index(fields=["lead", "at"], name="signal_by_lead")]

    def __str__(self) -> str:
        return f"signal:{self.pk}"


class Remark(models.Model):
    """What a member of staff wrote down about a lead."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="remarks")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    text = models.TextField(max_length=4000)
    at = models.DateTimeField()

    class Meta:
        db_table = "remark"

    def __str__(self) -> str:
        return f"remark:{self.pk}"


class Task(models.Model):
    """Something a person is to do about a lead by a certain time."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="tasks")
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="tasks")
    cause = models.CharField(max_length=160, unique=True)
    title = models.CharField(max_length=200)
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "task"
        indexes = [
            models.Index(fields=["user", "due_at"], condition=Q(done_at=None), name="task_open"),
        ]

    def __str__(self) -> str:
        return f"task:{self.pk}"


class Loan(models.Model):
    """The LOS's file, mirrored: what we know of it and when we last read it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.PROTECT, related_name="loans")
    los = models.CharField(max_length=20)
    instance = models.CharField(max_length=60)
    los_loan_id = models.CharField(max_length=80)
    loan_number = models.CharField(max_length=40, blank=True)
    milestone = models.CharField(max_length=40, blank=True)  # the highest reached
    rank = models.SmallIntegerField(default=0)
    amount_cents = models.BigIntegerField(null=True)
    revenue_cents = models.BigIntegerField(null=True)
    application_date = models.DateField(null=True)
    funded_date = models.DateField(null=True)
    stands_at = models.CharField(max_length=40, blank=True)  # where the file is now
    ended_as = models.CharField(max_length=24, blank=True)  # denied, withdrawn...
    officer = models.ForeignKey(LoanOfficer, models.PROTECT, null=True, related_name="loans")
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "loan"
        constraints = [
            models.UniqueConstraint(
                fields=["los", "instance", "los_loan_id"], name="loan_once_an_instance"
            ),
        ]
        indexes = [models.Index(fields=["lead"], name="loan_by_lead")]

    def __str__(self) -> str:
        return f"loan:{self.pk}"


class Milestone(models.Model):
    """A step a loan reached. Append-only: a file that comes back to a step gets another row."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    loan = models.ForeignKey(Loan, models.CASCADE, related_name="milestones")
    code = models.CharField(max_length=40)
    rank = models.SmallIntegerField(null=True)  # None: beside the funnel
    on_date = models.DateField(null=True)  # the LOS's own day
    reached_at = models.DateTimeField()  # that day, or when we learned of it
    said = models.CharField(max_length=120, blank=True)  # the LOS's own words
    is_inferred = models.BooleanField(default=False)  # a later step proves it
    is_return = models.BooleanField(default=False)
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "milestone"
        indexes = [models.Index(fields=["loan", "recorded_at"], name="milestone_by_loan")]

    def __str__(self) -> str:
        return f"milestone:{self.pk}"
