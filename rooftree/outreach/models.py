"""Messages to and from borrowers, calls to officers, and the templates messages are made from."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from rooftree.compliance.models import Verdict
from rooftree.core.uuid7 import uuid7
from rooftree.leads.models import ContactAttempt, Lead, Person
from rooftree.org.models import LoanOfficer, User
from rooftree.outreach.releases.models import Release
from rooftree.routing.models import Offer

MESSAGE_STATES = [
    "waiting",  # decided and sent when due
    "held",  # can be sent later: decided again at due_at
    "blocked",  # never sent; the verdict names the rule
    "review",  # a person has to decide first
    "claimed",  # a worker is handing it to the carrier
    "sent",
    "delivered",
    "failed",  # refused by the carrier or the address
    "uncertain",  # the carrier might have it: looked up there, never sent again
    "cancelled",  # overtaken by a reply, a revocation or the end of the lead
    "received",  # from the borrower
    "shadow",  # decided in shadow mode: never sent; the verdict says what would have happened
]


class ContentVersion(models.Model):
    """One version of content sent to borrowers: its author, its approver and when it is in use.

    A version waits for approval until `decided_at`; if `from_at` is empty then, it was refused.
    It is in use from `from_at` until `until_at` or the end of its approval, whichever comes
    first. Database triggers enforce that its content never changes and it is decided only once.
    """

    PLACE_COLUMNS: tuple[str, ...] = ()  # the columns that identify what this is a version of
    PAGE_PATH = ""  # the path of the page that lists the versions

    version = models.PositiveSmallIntegerField()
    summary = models.CharField(max_length=300, blank=True)  # what changed and why
    written_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+"
    )  # None: a default that comes with the program
    written_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=300, blank=True)  # the reason for refusing it
    is_alone = models.BooleanField(default=False)  # approved by its author, the only approver
    from_at = models.DateTimeField(null=True)
    until_at = models.DateTimeField(null=True)
    approved_until = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=300, blank=True)  # "": replaced by a newer version

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(from_at=None)
                | Q(written_by=None)
                | Q(is_alone=True)
                | ~Q(decided_by=F("written_by")),
                name="%(class)s_second_person",
            ),
            models.CheckConstraint(
                condition=Q(from_at=None)
                | Q(decided_at__isnull=False, approved_until__isnull=False)
                & (Q(decided_by__isnull=False) | Q(written_by=None)),
                name="%(class)s_approved",
            ),
        ]

    @property
    def content_text(self) -> str:
        """The complete content, for its hash."""
        raise NotImplementedError

    @property
    def state(self) -> str:
        """One of waiting, refused, live or ended. A live version's approval can be over."""
        if self.decided_at is None:
            return "waiting"
        if self.from_at is None:
            return "refused"
        return "live" if self.until_at is None else "ended"

    def is_approved(self, at: datetime) -> bool:
        """Return True if its approval is in force at `at`."""
        return self.approved_until is not None and at < self.approved_until


class Template(ContentVersion):
    """One version of a Liquid template for an occasion, medium, language, loan kind and hour."""

    PLACE_COLUMNS = ("key", "medium", "language", "loan_kind", "hours")
    PAGE_PATH = "/wording/"

    id = models.UUIDField(primary_key=True, default=uuid7)
    key = models.CharField(max_length=60)  # first_hello, not_reached_2, rate_reached...
    medium = models.CharField(max_length=10)  # text | email | call (spoken, never sent)
    language = models.CharField(max_length=5)
    loan_kind = models.CharField(max_length=10, blank=True)  # purchase...; "": any
    hours = models.CharField(max_length=8, blank=True)  # closed, no_call; "": any
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField()

    class Meta(ContentVersion.Meta):
        # trigger: template_kept
        db_table = "template"
        constraints = [
            *ContentVersion.Meta.constraints,
            models.UniqueConstraint(
                fields=["key", "medium", "language", "loan_kind", "hours", "version"],
                name="template_edition_once",
            ),
            models.UniqueConstraint(
                fields=["key", "medium", "language", "loan_kind", "hours"],
                condition=Q(from_at__isnull=False, until_at=None),
                name="one_live_template",
            ),
            models.UniqueConstraint(
                fields=["key", "medium", "language", "loan_kind", "hours"],
                condition=Q(decided_at=None),
                name="one_waiting_template",
            ),
            models.CheckConstraint(
                condition=Q(loan_kind__in=["", "purchase", "refinance", "equity"])
                & Q(hours__in=["", "closed", "no_call"]),
                name="template_place_known",
            ),
        ]

    def __str__(self) -> str:
        place = [self.key, self.medium, self.language, self.loan_kind, self.hours]
        return f"{'/'.join(filter(None, place))} v{self.version}"

    @property
    def content_text(self) -> str:
        """The subject and body, for its hash."""
        return f"{self.subject}\n{self.body}"


class Message(models.Model):
    """One text or email, to a borrower or from one."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="messages")
    person = models.ForeignKey(Person, models.CASCADE, related_name="messages")
    direction = models.CharField(max_length=3, default="out")
    medium = models.CharField(max_length=10)  # text | email
    purpose = models.CharField(max_length=16)  # marketing, informational, reply, confirmation
    idempotency_key = models.CharField(max_length=160)  # idempotency key: touch:<id>, step:<id>...
    is_automated = models.BooleanField(default=True)
    template = models.ForeignKey(Template, models.PROTECT, null=True, related_name="messages")
    language = models.CharField(max_length=5, default="en")
    officer = models.ForeignKey(LoanOfficer, models.PROTECT, null=True, related_name="messages")
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")  # who typed it
    to_address = models.CharField(max_length=254)
    from_address = models.CharField(max_length=254, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    body = models.TextField()
    # The legally required ending, as last decided: company, license, opt-out.
    ending = models.TextField(blank=True, default="", db_default="")
    state = models.CharField(max_length=10, default="waiting")
    verdict = models.ForeignKey(Verdict, models.SET_NULL, null=True, related_name="messages")
    release = models.ForeignKey(
        Release, models.PROTECT, null=True, related_name="messages", db_index=False
    )
    carrier = models.CharField(max_length=20, blank=True)
    carrier_id = models.CharField(max_length=120, blank=True)
    segments = models.PositiveSmallIntegerField(null=True)
    problem = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)  # by staff, when it came in

    class Meta:
        # triggers: message_leaves_by_the_door, message_stays_in_shadow, new_message_stays_in_shadow
        db_table = "message"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=MESSAGE_STATES), name="message_state_known"
            ),
            models.UniqueConstraint(
                fields=["idempotency_key", "medium"], name="one_message_a_cause"
            ),
            models.UniqueConstraint(
                fields=["carrier", "carrier_id"],
                condition=~Q(carrier_id=""),
                name="message_once_at_carrier",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=["waiting", "held", "claimed"]),
                name="message_due",
            ),
            models.Index(
                fields=["due_at"], condition=Q(state="uncertain"), name="message_uncertain"
            ),
            models.Index(
                fields=["created_at"], condition=Q(state="review"), name="message_in_review"
            ),
            models.Index(
                fields=["release", "claimed_at"],
                condition=Q(release__isnull=False),
                name="message_of_release",
            ),
            models.Index(
                fields=["claimed_at"], condition=Q(release__isnull=False), name="message_paced"
            ),
            models.Index(fields=["lead", "created_at"], name="message_by_lead"),
            models.Index(fields=["to_address"], name="message_by_address"),
            models.Index(
                fields=["created_at"],
                condition=Q(direction="in", read_at=None),
                name="message_unread",
            ),
        ]

    def __str__(self) -> str:
        return f"message:{self.pk}"

    @property
    def full_text(self) -> str:
        """The body with its ending, as the borrower reads it."""
        return self.body + self.ending


class UnmatchedText(models.Model):
    """One text from an unknown number, kept until staff attach it to a lead or close it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    carrier = models.CharField(max_length=20)
    carrier_id = models.CharField(max_length=120)
    from_address = models.CharField(max_length=254)
    body = models.TextField()
    meaning = models.CharField(max_length=16)  # a `reply_classifier.ReplyMeaning`
    at = models.DateTimeField()
    message = models.OneToOneField(  # the message it became on a lead
        Message, models.PROTECT, null=True, related_name="unmatched"
    )
    closed_at = models.DateTimeField(null=True)  # attached to a lead, or the sender is unknown
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "unmatched_text"
        constraints = [
            models.UniqueConstraint(
                fields=["carrier", "carrier_id"], name="unmatched_once_at_carrier"
            ),
        ]
        indexes = [
            models.Index(fields=["at"], condition=Q(closed_at=None), name="unmatched_open"),
            models.Index(fields=["from_address"], name="unmatched_by_number"),
        ]

    def __str__(self) -> str:
        return f"unmatched_text:{self.pk}"


class MessageReview(models.Model):
    """One staff decision about a message that the gate, or a bug of ours, left for review.

    Sending it answers only the rules the person saw: those of `verdict`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    message = models.ForeignKey(Message, models.CASCADE, related_name="reviews")
    verdict = models.ForeignKey(Verdict, models.PROTECT, null=True, related_name="+")
    is_release = models.BooleanField()  # False: discarded
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        db_table = "message_review"

    def __str__(self) -> str:
        return f"message_review:{self.pk}"


class LimitOverride(models.Model):
    """One override of the company's own contact limits, for one contact by hand within the hour.

    The limits are `rule:reason` of the rulings it lifts. It never lifts what the law says.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="limit_overrides")
    medium = models.CharField(max_length=10)  # call | text | email
    limits = ArrayField(models.CharField(max_length=60))
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        db_table = "limit_override"
        indexes = [models.Index(fields=["lead", "at"], name="limit_override_by_lead")]

    def __str__(self) -> str:
        return f"limit_override:{self.pk}"


class Ring(models.Model):
    """One call to an officer about one offer, and the officer's response."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    offer = models.OneToOneField(Offer, models.CASCADE, related_name="ring")
    officer = models.ForeignKey(LoanOfficer, models.PROTECT, related_name="rings")
    state = models.CharField(max_length=12, default="due")
    carrier = models.CharField(max_length=20, blank=True)
    carrier_id = models.CharField(max_length=120, blank=True)
    due_at = models.DateTimeField()
    texted_at = models.DateTimeField(null=True)  # when the officer was texted about the offer
    placed_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    pressed = models.CharField(max_length=2, blank=True)
    connected_at = models.DateTimeField(null=True)  # to the borrower
    ended_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        # trigger: ring_stays_in_shadow
        db_table = "ring"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=["due", "claimed", "placed", "answered", "ended", "failed", "skipped"]
                ),
                name="ring_state_known",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="due"), name="ring_due"),
            models.Index(fields=["carrier_id"], name="ring_by_carrier_id"),
        ]

    def __str__(self) -> str:
        return f"ring:{self.pk}"


class CallRecording(models.Model):
    """The recording notice of one call, and a reference to the carrier's recording.

    Only the carrier stores the audio. It is asked to record at most once, at `requested_at`. After
    the call's own record is deleted the row has no attempt, and is deleted with the audio.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    attempt = models.OneToOneField(
        ContactAttempt, models.SET_NULL, null=True, related_name="recording"
    )
    notice = models.CharField(max_length=600)  # the text, as played
    language = models.CharField(max_length=5)  # of the notice
    call_id = models.CharField(max_length=120, blank=True)  # the borrower's leg, at the carrier
    notice_played_at = models.DateTimeField(null=True)  # the borrower heard the notice to its end
    objected_at = models.DateTimeField(null=True)
    # Who heard the objection; None: the borrower pressed a key.
    objected_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(null=True)
    carrier = models.CharField(max_length=20, blank=True)
    carrier_id = models.CharField(max_length=120, blank=True)  # of the recording
    seconds = models.PositiveIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)
    erase_from = models.DateTimeField(null=True)  # from then on the audio must not be kept
    erased_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)  # when the next request to the carrier is due
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "call_recording"
        constraints = [
            models.CheckConstraint(
                condition=Q(requested_at=None) | Q(notice_played_at__isnull=False),
                name="recorded_after_notice",
            ),
            models.CheckConstraint(
                condition=Q(erased_at=None) | Q(erase_from__isnull=False),
                name="recording_erased_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(due_at__isnull=False), name="recording_due"
            ),
        ]

    def __str__(self) -> str:
        return f"call_recording:{self.pk}"
