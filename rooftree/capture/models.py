"""Tables of lead capture: field maps, baselines, spreadsheets, certificates, mailboxes, bids."""

from django.db import models
from django.db.models import F, Q

from rooftree.core.uuid7 import uuid7
from rooftree.db.sealed_text import SealedTextField
from rooftree.leads.models import Delivery, Source, Touch
from rooftree.org.models import LoanOfficer, User

CLAIM_STATES = ["pending", "retained", "retained_mismatch", "failed"]
IMPORT_STATES = [
    "reading",  # pages are being fetched from another system
    "columns",  # uploaded; a user must map the columns
    *("checking", "checked"),  # the dry run is in progress; its counts are shown
    "running",
    "done",
    *("undoing", "dropped"),  # closing imported leads nobody has worked; archived before it ran
]


class MapEdition(models.Model):
    """One published field map version of a source; a version is never changed, only superseded."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.PROTECT, related_name="map_editions")
    number = models.PositiveIntegerField()
    lines = models.JSONField()  # ordered; the shape is capture.parsing.field_map.MapLine
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
    """The agreed and expected figures of one source, and its current alarms."""

    source = models.OneToOneField(Source, models.CASCADE, primary_key=True, related_name="baseline")
    per_week = models.PositiveIntegerField(null=True)  # inquiries
    contactable_pct = models.PositiveSmallIntegerField(null=True)  # percent of inquiries
    price_cents = models.PositiveIntegerField(null=True)  # per inquiry
    exclusive = models.CharField(max_length=12, blank=True)  # a key of baseline.EXCLUSIVITY
    contact = models.CharField(max_length=200, blank=True)  # at the vendor
    watcher = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    waived = models.JSONField(default=dict)  # by part: user, reason and time
    last_at = models.DateTimeField(null=True)  # the newest arrival, from which `due_at` is computed
    due_at = models.DateTimeField(null=True)  # when the silence will be too long
    silent_at = models.DateTimeField(null=True)  # start of the silence alarm
    drifted_at = models.DateTimeField(null=True)  # start of the lead quality alarm

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
    """One uploaded file of leads; its rows are deleted once they are imported."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    number = models.PositiveIntegerField(unique=True)
    source = models.ForeignKey(Source, models.PROTECT, related_name="spreadsheets")
    file_name = models.CharField(max_length=200)
    body_sha256 = models.CharField(max_length=64)  # of the file as uploaded
    columns = models.JSONField()  # names, in order
    remarks = models.JSONField(default=list)  # warnings from reading the file
    row_count = models.PositiveIntegerField()
    lines = models.JSONField(default=list)  # of the field map
    options = models.JSONField(default=dict)  # the shape is in capture.imports.import_staging
    findings = models.JSONField(default=dict)  # of the dry run
    state = models.CharField(max_length=10, default="columns")
    seen_rows = models.PositiveIntegerField(default=0)  # rows done in the current step
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
    """A block of rows of an uploaded file, compressed and masked, until imported or archived."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    spreadsheet = models.ForeignKey(Spreadsheet, models.CASCADE, related_name="parts")
    position = models.PositiveIntegerField()  # 0 holds the first `stage.PART` rows
    rows = models.BinaryField()

    class Meta:
        db_table = "spreadsheet_part"
        constraints = [
            models.UniqueConstraint(
                fields=["spreadsheet", "position"], name="spreadsheet_part_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.spreadsheet_id}:{self.position}"


class ImportedRow(models.Model):
    """One imported row of a spreadsheet: the delivery it became, and its result."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    spreadsheet = models.ForeignKey(Spreadsheet, models.PROTECT, related_name="imported")
    line = models.PositiveIntegerField()  # of the file
    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=12)  # new, known, left_out, again, refused, repeated
    problem = models.CharField(max_length=80, blank=True)
    officer = models.ForeignKey(  # the owner in the other system, who also owns the lead here
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
    """One look-up at a vendor that a delivery waits for, with its answer."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="retrievals")
    path = models.CharField(max_length=300)  # at the vendor; unique within the delivery
    query = models.JSONField(default=list)  # pairs; no credentials
    due_at = models.DateTimeField(null=True)  # when to run or retry it; None: finished
    attempts = models.PositiveSmallIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True)  # HTTP status of the stored answer
    body = models.BinaryField(default=b"")  # body of the stored answer, masked
    body_sha256 = models.CharField(max_length=64, blank=True)  # of the body as received
    problem = models.CharField(max_length=300, blank=True)  # of the last try, for staff
    requested_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

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
    """One comparison of a vendor's own list of leads with ours, from `since` onward.

    Each sweep starts at a time before the previous sweep ended, so that sweeps leave no gap.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.CASCADE, related_name="sweeps")
    since = models.DateTimeField()  # age of the oldest vendor lead that is compared
    began_at = models.DateTimeField()
    waiting = models.JSONField(default=list)  # look-ups still to make: [path, query]
    listed = models.PositiveIntegerField(default=0)  # leads the vendor listed
    missed = models.PositiveIntegerField(default=0)  # listed leads we had not received; stored now
    attempts = models.PositiveSmallIntegerField(default=0)  # at the current look-up
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
    """The company's account at one consent witness; its key is sent to that witness only."""

    provider = models.CharField(primary_key=True, max_length=20)  # trustedform
    key = SealedTextField(blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "certificate_account"

    def __str__(self) -> str:
        return self.provider


class Mailbox(models.Model):
    """One mailbox polled for lead emails; nothing in it is changed."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    host = models.CharField(max_length=200)
    port = models.PositiveIntegerField()
    security = models.CharField(max_length=10)  # capture.intake.imap.Security
    user = models.CharField(max_length=200)
    password = SealedTextField()
    folder = models.CharField(max_length=200)
    # The source of emails whose address names no source; None: such emails are ignored.
    source = models.ForeignKey(Source, models.SET_NULL, null=True, related_name="mailboxes")
    validity = models.BigIntegerField()  # UIDVALIDITY, which the UIDs below belong to
    uid = models.BigIntegerField()  # of the last email that was read
    read_at = models.DateTimeField()  # when nothing was left to read
    taken = models.PositiveIntegerField(default=0)  # emails that were leads or replies
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)  # None while polling is stopped
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "mailbox"
        constraints = [
            models.UniqueConstraint(fields=["host", "user", "folder"], name="mailbox_once")
        ]

    def __str__(self) -> str:
        return self.user


class Certificate(models.Model):
    """One consent certificate that an inquiry carried, with our claim of it and our copy."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    touch = models.ForeignKey(Touch, models.CASCADE, related_name="certificates")
    provider = models.CharField(max_length=20, default="trustedform")
    url = models.CharField(max_length=300)
    phone = models.CharField(max_length=16, blank=True)  # E.164; matched against the certificate
    email = models.CharField(max_length=254, blank=True)
    state = models.CharField(max_length=20, default="pending")
    claim_by = models.DateTimeField()  # after this the witness deletes the certificate
    due_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True)
    phone_match = models.BooleanField(null=True)  # None: was not asked
    email_match = models.BooleanField(null=True)
    status = models.PositiveSmallIntegerField(null=True)  # HTTP status of the stored answer
    answer = models.BinaryField(default=b"")  # masked
    answer_sha256 = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField(null=True)  # when the witness's copy expires
    requested_at = models.DateTimeField()
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
    """One distinct rendering of our own form, empty; stored once, however often it is shown."""

    sha256 = models.CharField(max_length=64, primary_key=True)  # hex, of the HTML
    html = models.TextField()
    shown_at = models.DateTimeField()  # the first time

    class Meta:
        db_table = "form_page"

    def __str__(self) -> str:
        return f"form_page:{self.pk}"


class FormCertificate(models.Model):
    """What our form showed one visitor and what they did; never changed, hashed on the ledger."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    touch = models.OneToOneField(Touch, models.CASCADE, related_name="form_certificate")
    facts = models.JSONField()  # the shape is in capture.own_form.form_certificates
    sha256 = models.CharField(max_length=64)  # of the facts; also on the ledger
    made_at = models.DateTimeField()

    class Meta:
        db_table = "form_certificate"

    def __str__(self) -> str:
        return f"form_certificate:{self.pk}"


class FormDraft(models.Model):
    """One unsent form with a phone number or email in it; emptied once the visitor sends it."""

    id = models.UUIDField(primary_key=True)  # the submission's
    source = models.ForeignKey(Source, models.CASCADE, related_name="+")
    body = models.BinaryField()  # masked; becomes the body of the delivery
    headers = models.JSONField()
    address = models.CharField(max_length=45, blank=True)  # the visitor's
    saved_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)  # when it counts as abandoned; None: already stored

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
    """Our answer to one ping: the offer, without the person. Kept for 30 days."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.CASCADE, related_name="bids")
    ping_id = models.CharField(max_length=255)  # the seller's
    ping_fields = models.JSONField(default=dict)  # the ping's fields, which its post must repeat
    state = models.CharField(max_length=2, blank=True)
    purpose = models.CharField(max_length=30, blank=True)
    phone_hash = models.CharField(max_length=64, blank=True)  # SHA-256, hex
    email_hash = models.CharField(max_length=64, blank=True)
    cents = models.PositiveIntegerField()  # 0: no bid
    reason = models.CharField(
        max_length=24, blank=True
    )  # no-bid reason: a key of acceptance_limits.REFUSAL_REASONS
    seconds = models.PositiveIntegerField()  # for which the bid is valid
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "placed_bid"
        constraints = [
            models.UniqueConstraint(fields=["source", "ping_id"], name="bid_once_a_ping"),
            models.CheckConstraint(
                condition=Q(cents__gt=0, reason="") | (Q(cents=0) & ~Q(reason="")),
                name="bid_or_why_not",
            ),
        ]
        indexes = [
            models.Index(fields=["source", "expires_at"], name="bids_still_out"),
            models.Index(fields=["requested_at"], name="bids_by_age"),
        ]

    def __str__(self) -> str:
        return f"placed_bid:{self.pk}"
