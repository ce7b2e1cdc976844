"""Small sums that answer the first screen without reading the leads; what proves the ledger."""

from django.db import models
from django.db.models import F, Q

from rooftree.core.uuid7 import uuid7
from rooftree.db.sealed_text import SealedTextField
from rooftree.leads.models import Source, Touch
from rooftree.org.models import Branch, User

MEASURES = [
    "leads",
    "applications",
    "funded",
    "spend_cents",
    "revenue_cents",
    "amount_cents",
    "attempted",  # leads a person tried, by the scale of reporting.speed in `bucket`
    "talked",  # leads a person talked with
]


class RollupDelta(models.Model):
    """One change to a sum, appended in the transaction that caused it, folded later."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    cause = models.CharField(max_length=160, unique=True)
    arrival_date = models.DateField()  # of the lead: the cohort
    event_date = models.DateField()
    source = models.ForeignKey(Source, models.CASCADE, related_name="+")
    branch = models.ForeignKey(Branch, models.CASCADE, null=True, related_name="+")
    measure = models.CharField(max_length=16)
    bucket = models.SmallIntegerField(default=0)  # of speed-to-lead; 0 for the rest
    amount = models.BigIntegerField()
    folded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "delta"
        indexes = [
            models.Index(
                fields=["arrival_date"], condition=models.Q(folded_at=None), name="delta_unfolded"
            ),
        ]

    def __str__(self) -> str:
        return f"delta:{self.pk}"


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
    """The same sums by month of arrival: what the first screen reads, whatever the volume."""

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
    """One edition of what a vendor was told of its leads. It can be sent again as it was."""

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
    """One lead of a status file: how far it had come, in our word and in the vendor's."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    file = models.ForeignKey(StatusFile, models.PROTECT, related_name="lines")
    touch = models.ForeignKey(Touch, models.PROTECT, related_name="+")
    status = models.CharField(max_length=12)  # of money.contracts.STATUSES, or corrected
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
    """A key the company signs with; one at a time, and none is ever deleted."""

    id = models.CharField(primary_key=True, max_length=64)  # sha-256 (hex) of the public key
    public = models.CharField(max_length=44)  # 32 bytes in base64, as is the private one
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
    """The end of the ledger at one moment, signed, to be kept where we cannot change it.

    Append-only by trigger. `root` is over the links `first` to `sequence`, all those since the
    head before it; `nodes` are those of its tree above `ledger.tree.BLOCK` links each.
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
        db_table = "published_head"

    def __str__(self) -> str:
        return f"published_head:{self.pk}"


class Assurance(models.Model):
    """Something people did to keep data safe, as they wrote it down. Append-only by trigger."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    kind = models.CharField(max_length=30)  # of assurance.KINDS
    on_date = models.DateField()
    said = models.CharField(max_length=600)
    document = models.CharField(max_length=200, blank=True)  # where the paper is
    figures = models.JSONField(default=dict)  # of an access review: who keeps what
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        db_table = "assurance"
        indexes = [models.Index(fields=["kind", "-on_date"], name="assurance_by_kind")]

    def __str__(self) -> str:
        return f"assurance:{self.pk}"


class Incident(models.Model):
    """Data that somebody may have reached who should not have (16 CFR 314.4(h) and (j))."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    what = models.CharField(max_length=600)
    discovered_on = models.DateField()
    consumers = models.PositiveIntegerField()  # whose data it is, as far as known
    is_encrypted = models.BooleanField()
    was_key_taken = models.BooleanField()
    told_ftc_on = models.DateField(null=True)
    ended = models.CharField(max_length=600, blank=True)  # what was done about it
    opened_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "incident"
        indexes = [models.Index(fields=["-opened_at"], name="incident_by_time")]

    def __str__(self) -> str:
        return f"incident:{self.pk}"


class MinorityShareFile(models.Model):
    """One file of who lives where, as the operator loaded it. The newest counts."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64, unique=True)
    places = models.PositiveIntegerField()
    loaded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    loaded_at = models.DateTimeField()

    class Meta:
        db_table = "place_file"

    def __str__(self) -> str:
        return f"place_file:{self.pk}"


class MinorityShare(models.Model):
    """The share of a ZIP's or a county's people who belong to a minority, by the census."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    file = models.ForeignKey(MinorityShareFile, models.CASCADE, related_name="shares")
    key = models.CharField(max_length=80)  # 78745, or TX/travis
    minority_pct = models.DecimalField(max_digits=5, decimal_places=2)

    class Meta:
        db_table = "place_share"
        constraints = [
            models.UniqueConstraint(fields=["file", "key"], name="place_once_a_file"),
        ]

    def __str__(self) -> str:
        return f"place_share:{self.key}"


class FairLendingReport(models.Model):
    """How groups of one month's leads were served, by one measure. Written once, never changed."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    month = models.DateField()  # its first day, of arrival
    measure = models.CharField(max_length=20)
    groups = models.JSONField()  # by what: the shape is reporting.fair_outcomes.Group
    places = models.ForeignKey(MinorityShareFile, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        db_table = "fair_report"
        constraints = [
            models.UniqueConstraint(fields=["month", "measure"], name="one_fair_report_a_month"),
        ]

    def __str__(self) -> str:
        return f"fair_report:{self.pk}"


class ExportRequest(models.Model):
    """Somebody wants to take people's data out, and a second person says whether (SEC-01)."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    subject = models.CharField(max_length=80)  # which list: `records:funded`
    query = models.CharField(max_length=500, blank=True)  # what narrows it, as in its address
    number = models.PositiveIntegerField()  # of people, as counted then
    reason = models.CharField(max_length=300)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    is_refused = models.BooleanField(default=False)
    taken_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "export_ask"
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")),
                name="export_decided_by_another",
            ),
            models.CheckConstraint(
                condition=Q(taken_at=None) | Q(decided_at__isnull=False, is_refused=False),
                name="export_taken_once_allowed",
            ),
        ]
        indexes = [
            models.Index(
                fields=["asked_by", "subject"],
                condition=Q(taken_at=None, is_refused=False),
                name="export_open",
            ),
        ]

    def __str__(self) -> str:
        return f"export_ask:{self.pk}"
