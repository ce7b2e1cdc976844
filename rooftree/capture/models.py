"""What staff tell capture (field maps, baselines, spreadsheets), and the bids it placed."""

from django.db import models
from django.db.models import F, Q

from rooftree.core.uuid7 import uuid7
from rooftree.db.sealed_text import SealedTextField
from rooftree.leads.models import Delivery, Source, Touch
from rooftree.org.models import LoanOfficer, User

CLAIM_STATES = ["pending", "retained", "retained_mismatch", "failed"]
IMPORT_STATES = [
    "reading",  # page by page out of another system
    "columns",  # uploaded; somebody says what stands in the columns
    "checking",  # the dry run is under way
    "checked",  # its counts are shown; nothing was imported
    "running",
    "done",
    "undoing",  # its leads that nobody has touched are being closed
    "dropped",  # put away before it ran
]


class MapEdition(models.Model):
    """One published field map of a source. Editions are never changed, only followed."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.PROTECT, related_name="map_editions")
    number = models.PositiveIntegerField()
    lines = models.JSONField()  # ordered; the shape is capture.field_map.Line
    summary = models.CharField(max_length=300, blank=True)  # what changed and why
    published_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField()

    class Meta:
        db_table = "map_edition"
        constraints = [
            models.UniqueConstraint(fields=["source", "number"], name="map_edition_once"),
        ]

    def __str__(self) -> str:
        return f"map_edition:{self.number}"


class Baseline(models.Model):
    """What is agreed with a source and expected of it, and how what it brings compares."""

    source = models.OneToOneField(Source, models.CASCADE, primary_key=True, related_name="baseline")
    per_week = models.PositiveIntegerField(null=True)  # inquiries
    contactable_pct = models.PositiveSmallIntegerField(null=True)  # of them
    price_cents = models.PositiveIntegerField(null=True)  # of one
    exclusive = models.CharField(max_length=12, blank=True)  # a key of baseline.EXCLUSIVE
    contact = models.CharField(max_length=200, blank=True)  # at the vendor
    watcher = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    waived = models.JSONField(default=dict)  # by part: who, why and when
    last_at = models.DateTimeField(null=True)  # the newest arrival `due_at` was reckoned from
    due_at = models.DateTimeField(null=True)  # when it will have been silent for too long
    silent_at = models.DateTimeField(null=True)  # since when that is an alarm
    drifted_at = models.DateTimeField(null=True)  # since when its quality is one

    class Meta:
        db_table = "baseline"
        constraints = [
            models.CheckConstraint(
                condition=Q(contactable_pct__lte=100), name="baseline_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return f"baseline:{self.pk}"


class Spreadsheet(models.Model):
    """One uploaded file on its way into the book. Its rows are let go of once they are imported."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    number = models.PositiveIntegerField(unique=True)
    source = models.ForeignKey(Source, models.PROTECT, related_name="spreadsheets")
    file_name = models.CharField(max_length=200)
    body_sha256 = models.CharField(max_length=64)  # of the file as it came
    columns = models.JSONField()  # names, in order
    remarks = models.JSONField(default=list)  # how the file was read: warnings
    row_count = models.PositiveIntegerField()
    lines = models.JSONField(default=list)  # of the field map
    options = models.JSONField(default=dict)  # the shape is capture.imports.stage.Options
    findings = models.JSONField(default=dict)  # of the dry run
    state = models.CharField(max_length=10, default="columns")
    seen_rows = models.PositiveIntegerField(default=0)  # how far the step under way has come
    counts = models.JSONField(default=dict)  # of the import itself
    uploaded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "spreadsheet"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=IMPORT_STATES), name="spreadsheet_state_known"
            ),
            models.CheckConstraint(
                condition=Q(seen_rows__lte=F("row_count")), name="spreadsheet_rows_seen"
            ),
            models.UniqueConstraint(
                fields=["source", "body_sha256"],
                condition=~Q(state="dropped"),
                name="spreadsheet_once_a_source",
            ),
        ]

    def __str__(self) -> str:
        return f"imp{self.number}"


class SpreadsheetPart(models.Model):
    """Some rows of an uploaded file, packed and masked, until they are imported or put away."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    spreadsheet = models.ForeignKey(Spreadsheet, models.CASCADE, related_name="parts")
    nth = models.PositiveIntegerField()  # 0 holds the first `stage.PART` rows
    rows = models.BinaryField()

    class Meta:
        db_table = "spreadsheet_part"
        constraints = [
            models.UniqueConstraint(fields=["spreadsheet", "nth"], name="spreadsheet_part_once"),
        ]

    def __str__(self) -> str:
        return f"{self.spreadsheet_id}:{self.nth}"


class ImportedRow(models.Model):
    """Which delivery a row of a spreadsheet became, and what came of it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    spreadsheet = models.ForeignKey(Spreadsheet, models.PROTECT, related_name="imported")
    line = models.PositiveIntegerField()  # of the file
    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="+")
    became = models.CharField(max_length=12)  # new, known, left_out, refused, repeated
    why = models.CharField(max_length=80, blank=True)
    officer = models.ForeignKey(  # whose it was in the other system, and is here
        LoanOfficer, models.PROTECT, null=True, related_name="+", db_index=False
    )

    class Meta:
        db_table = "imported_row"
        constraints = [
            models.UniqueConstraint(fields=["spreadsheet", "line"], name="imported_row_once"),
        ]
        indexes = [models.Index(fields=["delivery"], name="imported_row_delivery")]

    def __str__(self) -> str:
        return f"imported_row:{self.line}"


class Retrieval(models.Model):
    """One look-up at a vendor that a delivery waits for, and what came of it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="retrievals")
    path = models.CharField(max_length=300)  # at the vendor; its name within the delivery
    query = models.JSONField(default=list)  # pairs; no credentials
    due_at = models.DateTimeField(null=True)  # when it may (again) be carried out; None: over
    attempts = models.PositiveSmallIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True)  # of the answer that is kept
    body = models.BinaryField(default=b"")  # of it, masked
    body_sha256 = models.CharField(max_length=64, blank=True)  # as it came
    problem = models.CharField(max_length=300, blank=True)  # of the last try, for staff
    wanted_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "retrieval"
        constraints = [
            models.UniqueConstraint(fields=["delivery", "path"], name="retrieval_once"),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(due_at__isnull=False), name="retrieval_due"
            ),
        ]

    def __str__(self) -> str:
        return f"retrieval:{self.pk}"


class Sweep(models.Model):
    """One comparison of a vendor's own list of leads with ours, from one moment on.

    Each begins before the one before it ended, so that together they leave no gap.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.CASCADE, related_name="sweeps")
    since = models.DateTimeField()  # of the vendor's leads it goes through
    began_at = models.DateTimeField()
    waiting = models.JSONField(default=list)  # look-ups still to be made: [path, query]
    listed = models.PositiveIntegerField(default=0)  # leads the vendor named
    missed = models.PositiveIntegerField(default=0)  # of them, had not reached us; taken in now
    attempts = models.PositiveSmallIntegerField(default=0)  # at the look-up under way
    due_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sweep"
        constraints = [
            models.UniqueConstraint(
                fields=["source"], condition=Q(ended_at=None), name="sweep_one_at_a_time"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(ended_at=None), name="sweep_due"),
            models.Index(fields=["source", "began_at"], name="sweep_by_source"),
        ]

    def __str__(self) -> str:
        return f"sweep:{self.pk}"


class CertificateAccount(models.Model):
    """The company's account at a witness of consents; its key is sent to that witness alone."""

    provider = models.CharField(primary_key=True, max_length=20)  # trustedform
    key = SealedTextField(blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "certificate_account"

    def __str__(self) -> str:
        return self.provider


class Mailbox(models.Model):
    """A mailbox that is read for letters; nothing in it is changed."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    host = models.CharField(max_length=200)
    port = models.PositiveIntegerField()
    security = models.CharField(max_length=10)  # capture.imap.Security
    user = models.CharField(max_length=200)
    password = SealedTextField()
    folder = models.CharField(max_length=200)
    # Whose lead a letter is that names no source by its address; None: nobody's.
    source = models.ForeignKey(Source, models.SET_NULL, null=True, related_name="mailboxes")
    validity = models.BigIntegerField()  # of the numbers below: UIDVALIDITY
    uid = models.BigIntegerField()  # of the last letter that was read
    read_at = models.DateTimeField()  # when nothing was left to read
    taken = models.PositiveIntegerField(default=0)  # letters that were leads or answers
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)  # None while it is not read
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "mailbox"
        constraints = [
            models.UniqueConstraint(fields=["host", "user", "folder"], name="mailbox_once")
        ]

    def __str__(self) -> str:
        return self.user


class Certificate(models.Model):
    """A certificate an inquiry brought, and what became of claiming it. Our copy is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    touch = models.ForeignKey(Touch, models.CASCADE, related_name="certificates")
    provider = models.CharField(max_length=20, default="trustedform")
    url = models.CharField(max_length=300)
    phone = models.CharField(max_length=16, blank=True)  # E.164, what it is matched against
    email = models.CharField(max_length=254, blank=True)
    state = models.CharField(max_length=20, default="pending")
    claim_by = models.DateTimeField()  # after this the witness has destroyed it
    due_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True)
    phone_match = models.BooleanField(null=True)  # None: was not asked
    email_match = models.BooleanField(null=True)
    status = models.PositiveSmallIntegerField(null=True)  # of the answer that is kept
    answer = models.BinaryField(default=b"")  # masked
    answer_sha256 = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField(null=True)  # until when the witness keeps it
    wanted_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "certificate"
        constraints = [
            models.UniqueConstraint(fields=["touch", "url"], name="certificate_once_a_touch"),
            models.CheckConstraint(
                condition=Q(state__in=CLAIM_STATES), name="certificate_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(due_at__isnull=False), name="certificate_due"
            ),
            models.Index(
                fields=["settled_at"],
                condition=Q(state__in=["failed", "retained_mismatch"]),
                name="certificate_lost",
            ),
        ]

    def __str__(self) -> str:
        return f"certificate:{self.pk}"


class FormPage(models.Model):
    """Our own form as it was rendered, empty; kept once, however often it is shown."""

    sha256 = models.CharField(max_length=64, primary_key=True)  # hex, of the HTML
    html = models.TextField()
    shown_at = models.DateTimeField()  # first

    class Meta:
        db_table = "form_page"

    def __str__(self) -> str:
        return f"form_page:{self.pk}"


class FormCertificate(models.Model):
    """What our own form showed to one visitor and what they did. Never changed; on the ledger."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    touch = models.OneToOneField(Touch, models.CASCADE, related_name="form_certificate")
    facts = models.JSONField()  # the shape is capture.form_evidence._facts
    sha256 = models.CharField(max_length=64)  # of them, as the ledger has it
    made_at = models.DateTimeField()

    class Meta:
        db_table = "form_certificate"

    def __str__(self) -> str:
        return f"form_certificate:{self.pk}"


class FormDraft(models.Model):
    """A form whose visitor gave a way to reach them and has not sent it; let go of when they do."""

    id = models.UUIDField(primary_key=True)  # the submission's
    source = models.ForeignKey(Source, models.CASCADE, related_name="+")
    body = models.BinaryField()  # of the delivery it becomes, masked
    headers = models.JSONField()
    address = models.CharField(max_length=45, blank=True)  # the visitor's
    saved_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)  # when they have left it; empty: it has come in

    class Meta:
        db_table = "form_draft"
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(due_at__isnull=False), name="form_draft_due"
            ),
        ]

    def __str__(self) -> str:
        return f"form_draft:{self.pk}"


class PlacedBid(models.Model):
    """What we answered to a ping: the offer without the person. Kept for 30 days."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.CASCADE, related_name="bids")
    ping_id = models.CharField(max_length=255)  # the seller's
    told = models.JSONField(default=dict)  # the fields its post must repeat
    state = models.CharField(max_length=2, blank=True)
    purpose = models.CharField(max_length=30, blank=True)
    phone_hash = models.CharField(max_length=64, blank=True)  # SHA-256, hex
    email_hash = models.CharField(max_length=64, blank=True)
    cents = models.PositiveIntegerField()  # 0: no bid
    why = models.CharField(max_length=24, blank=True)  # there is none: capture.bidding.WHY_NOT
    seconds = models.PositiveIntegerField()  # that it holds
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "bid"
        constraints = [
            models.UniqueConstraint(fields=["source", "ping_id"], name="bid_once_a_ping"),
            models.CheckConstraint(
                condition=Q(cents__gt=0, why="") | (Q(cents=0) & ~Q(why="")),
                name="bid_or_why_not",
            ),
        ]
        indexes = [
            models.Index(fields=["source", "expires_at"], name="bids_still_out"),
            models.Index(fields=["asked_at"], name="bids_by_age"),
        ]

    def __str__(self) -> str:
        return f"bid:{self.pk}"
