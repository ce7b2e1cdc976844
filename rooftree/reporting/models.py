"""Tables of reporting: rollups, status files, ledger heads, controls, comparisons, shadow mode."""

from django.db import models
from django.db.models import F, Q

from rooftree.core.uuid7 import uuid7
from rooftree.db.sealed_text import SealedTextField
from rooftree.leads.models import Lead, Source, Touch
from rooftree.org.models import Branch, ShadowPeriod, User

MEASURES = [
    "leads",
    "applications",
    "funded",
    "spend_cents",
    "revenue_cents",
    "amount_cents",
    "attempted",  # leads that staff tried to reach; `bucket` is the speed_to_lead bucket
    "talked",  # leads that staff talked with
]


class RollupDelta(models.Model):
    """One change to a sum, appended in the transaction that caused it and folded later."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    idempotency_key = models.CharField(max_length=160, unique=True)
    arrival_date = models.DateField()  # arrival of the lead: the cohort
    event_date = models.DateField()
    source = models.ForeignKey(Source, models.CASCADE, related_name="+")
    branch = models.ForeignKey(Branch, models.CASCADE, null=True, related_name="+")
    measure = models.CharField(max_length=16)
    bucket = models.SmallIntegerField(default=0)  # speed_to_lead bucket; 0 for other measures
    amount = models.BigIntegerField()
    folded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "rollup_delta"
        indexes = [
            models.Index(
                fields=["arrival_date"], condition=models.Q(folded_at=None), name="delta_unfolded"
            ),
        ]

    def __str__(self) -> str:
        return f"rollup_delta:{self.pk}"


class Rollup(models.Model):
    """A sum of folded deltas for one cohort day, event day, source and measure."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    arrival_date = models.DateField()
    event_date = models.DateField()
    source = models.ForeignKey(Source, models.CASCADE, related_name="+")
    branch = models.ForeignKey(Branch, models.CASCADE, null=True, related_name="+")
    measure = models.CharField(max_length=16)
    bucket = models.SmallIntegerField(default=0)
    amount = models.BigIntegerField()

    class Meta:
        db_table = "rollup"
        constraints = [
            models.UniqueConstraint(
                fields=["arrival_date", "event_date", "source", "branch", "measure", "bucket"],
                nulls_distinct=False,
                name="rollup_once",
            ),
        ]
        indexes = [
            models.Index(fields=["measure", "arrival_date"], name="rollup_by_measure"),
        ]

    def __str__(self) -> str:
        return f"rollup:{self.pk}"


class MonthRollup(models.Model):
    """A sum of folded deltas for one cohort month, source and measure.

    The first screen reads this table, so its cost does not grow with the number of leads.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    arrival_month = models.DateField()  # its first day
    source = models.ForeignKey(Source, models.CASCADE, related_name="+")
    branch = models.ForeignKey(Branch, models.CASCADE, null=True, related_name="+")
    measure = models.CharField(max_length=16)
    bucket = models.SmallIntegerField(default=0)
    amount = models.BigIntegerField()

    class Meta:
        db_table = "month_rollup"
        constraints = [
            models.UniqueConstraint(
                fields=["arrival_month", "source", "branch", "measure", "bucket"],
                nulls_distinct=False,
                name="month_rollup_once",
            ),
        ]

    def __str__(self) -> str:
        return f"month_rollup:{self.pk}"


class StatusFile(models.Model):
    """One numbered file of lead statuses for a vendor. It can be sent again unchanged."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.PROTECT, related_name="status_files")
    number = models.PositiveIntegerField()
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        db_table = "status_file"
        constraints = [
            models.UniqueConstraint(fields=["source", "number"], name="status_file_once"),
        ]

    def __str__(self) -> str:
        return f"status_file:{self.number}"


class StatusLine(models.Model):
    """One lead of a status file: its status, and the vendor's word for it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    file = models.ForeignKey(StatusFile, models.PROTECT, related_name="lines")
    touch = models.ForeignKey(Touch, models.PROTECT, related_name="+")
    status = models.CharField(
        max_length=12
    )  # of money.vendor_contracts.REPORTABLE_STATUSES, or corrected
    word = models.CharField(max_length=60)
    since_at = models.DateTimeField()

    class Meta:
        db_table = "status_line"
        constraints = [
            models.UniqueConstraint(fields=["file", "touch"], name="status_line_once_a_file"),
        ]
        indexes = [models.Index(fields=["touch"], name="status_line_by_touch")]

    def __str__(self) -> str:
        return f"status_line:{self.pk}"


class SigningKey(models.Model):
    """One signing key of the company. One key is current at a time; keys are never deleted."""

    id = models.CharField(primary_key=True, max_length=64)  # sha-256 (hex) of the public key
    public = models.CharField(max_length=44)  # 32 bytes in base64, like the private key
    private = SealedTextField()
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "signing_key"
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(until_at=None), name="one_key_signs"
            ),
        ]

    def __str__(self) -> str:
        return f"signing_key:{self.pk[:12]}"


class PublishedHead(models.Model):
    """One signed end of the ledger, copied to a place where we cannot change it.

    Append-only by trigger. `root` covers the links `first` to `sequence`, all links since the
    previous head. Each of `nodes` is the tree node above `ledger.merkle_tree.BLOCK_SIZE` links.
    """

    sequence = models.BigIntegerField(primary_key=True)
    first = models.BigIntegerField(unique=True)
    chain_hash = models.CharField(max_length=64)
    root = models.CharField(max_length=64)
    nodes = models.JSONField()
    at = models.DateTimeField()
    key = models.ForeignKey(SigningKey, models.PROTECT, related_name="+")
    signature = models.CharField(max_length=88)  # 64 bytes in base64

    class Meta:
        # trigger: published_head_append_only
        db_table = "published_head"

    def __str__(self) -> str:
        return f"published_head:{self.pk}"


class Assurance(models.Model):
    """One record of security work that staff did. Append-only by trigger."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    kind = models.CharField(max_length=30)  # key of assurance_records.KINDS
    on_date = models.DateField()
    statement = models.CharField(max_length=600)
    document = models.CharField(max_length=200, blank=True)  # name or location of the document
    figures = models.JSONField(default=dict)  # access review: user ids by decision
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        # trigger: assurance_append_only
        db_table = "assurance"
        indexes = [models.Index(fields=["kind", "-on_date"], name="assurance_by_kind")]

    def __str__(self) -> str:
        return f"assurance:{self.pk}"


class Incident(models.Model):
    """One incident of possible unauthorized access to data (16 CFR 314.4(h) and (j))."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    description = models.CharField(max_length=600)
    discovered_on = models.DateField()
    consumers = models.PositiveIntegerField()  # people affected, as far as known
    is_encrypted = models.BooleanField()
    was_key_exposed = models.BooleanField()
    ftc_notified_on = models.DateField(null=True)
    resolution = models.CharField(max_length=600, blank=True)  # how it was resolved
    opened_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "incident"
        indexes = [models.Index(fields=["-opened_at"], name="incident_by_time")]

    def __str__(self) -> str:
        return f"incident:{self.pk}"


class MinorityShareFile(models.Model):
    """One census file of minority shares that the operator loaded. The newest is in use."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64, unique=True)
    places = models.PositiveIntegerField()
    loaded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    loaded_at = models.DateTimeField()

    class Meta:
        db_table = "minority_share_file"

    def __str__(self) -> str:
        return f"minority_share_file:{self.pk}"


class MinorityShare(models.Model):
    """The minority share of one ZIP code's or county's population, from the census."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    file = models.ForeignKey(MinorityShareFile, models.CASCADE, related_name="shares")
    key = models.CharField(max_length=80)  # 78745, or TX/travis
    minority_pct = models.DecimalField(max_digits=5, decimal_places=2)

    class Meta:
        db_table = "minority_share"
        constraints = [
            models.UniqueConstraint(fields=["file", "key"], name="place_once_a_file"),
        ]

    def __str__(self) -> str:
        return f"minority_share:{self.key}"


class FairLendingReport(models.Model):
    """One comparison of a month's lead groups by one measure. Written once, never changed."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    month = models.DateField()  # month of arrival, as its first day
    measure = models.CharField(max_length=20)
    groups = models.JSONField()  # grouping to list of group_outcomes.Group
    places = models.ForeignKey(MinorityShareFile, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        # trigger: fair_lending_report_append_only
        db_table = "fair_lending_report"
        constraints = [
            models.UniqueConstraint(fields=["month", "measure"], name="one_fair_report_a_month"),
        ]

    def __str__(self) -> str:
        return f"fair_lending_report:{self.pk}"


class ExportRequest(models.Model):
    """One request to export people's data, decided by a second person (SEC-01)."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    subject = models.CharField(max_length=80)  # list to export: `records:funded`
    query = models.CharField(max_length=500, blank=True)  # filters of the list, as in its URL
    number = models.PositiveIntegerField()  # people in the list at request time
    reason = models.CharField(max_length=300)
    requested_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    is_refused = models.BooleanField(default=False)
    downloaded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "export_request"
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")),
                name="export_decided_by_another",
            ),
            models.CheckConstraint(
                condition=Q(downloaded_at=None) | Q(decided_at__isnull=False, is_refused=False),
                name="export_taken_once_allowed",
            ),
        ]
        indexes = [
            models.Index(
                fields=["requested_by", "subject"],
                condition=Q(downloaded_at=None, is_refused=False),
                name="export_open",
            ),
        ]

    def __str__(self) -> str:
        return f"export_request:{self.pk}"


class ShadowList(models.Model):
    """The list of what another system did with its leads, uploaded for one period of shadow mode.

    The newest list of a period replaces the one before.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    period = models.OneToOneField(ShadowPeriod, models.PROTECT, related_name="list")
    uploaded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()

    class Meta:
        db_table = "shadow_list"

    def __str__(self) -> str:
        return f"shadow_list:{self.pk}"


class ShadowResult(models.Model):
    """What another system did with one of its leads. It has no name, phone or email."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    list = models.ForeignKey(ShadowList, models.CASCADE, related_name="results")
    # The copy that Rooftree received in the period; None: Rooftree did not get it.
    lead = models.ForeignKey(Lead, models.CASCADE, null=True, related_name="+")
    source = models.ForeignKey(Source, models.PROTECT, null=True, related_name="+", db_index=False)
    received_at = models.DateTimeField(null=True)  # as the other system says
    first_contact_at = models.DateTimeField(null=True)
    officer_name = models.CharField(max_length=120, blank=True)
    funded_date = models.DateField(null=True)
    revenue_cents = models.BigIntegerField(null=True)

    class Meta:
        db_table = "shadow_result"
        constraints = [
            models.UniqueConstraint(fields=["list", "lead"], name="shadow_result_once_a_lead"),
        ]

    def __str__(self) -> str:
        return f"shadow_result:{self.pk}"
