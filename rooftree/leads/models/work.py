"""Tables for contact attempts, borrower signals, staff notes, tasks and acts to undo."""

from django.db import models
from django.db.models import Q

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models.lead import Lead
from rooftree.leads.models.people import Person
from rooftree.org.models import User


class ContactAttempt(models.Model):
    """One attempt to reach a person, or one inbound contact. Caps count these."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="attempts")
    person = models.ForeignKey(Person, models.CASCADE, related_name="attempts")
    medium = models.CharField(max_length=10)  # text | call | email | voicemail
    direction = models.CharField(max_length=3, default="out")  # out | in
    address = models.CharField(max_length=254, blank=True)  # number or address used
    our_number = models.CharField(
        max_length=20, blank=True, default="", db_default=""
    )  # of a carrier call: the number shown or called
    seconds = models.PositiveIntegerField(null=True)  # duration of a carrier call
    purpose = models.CharField(max_length=16, default="marketing")
    is_automated = models.BooleanField(default=False)
    result = models.CharField(max_length=24, blank=True)  # spoken, voicemail, no_answer...
    result_at = models.DateTimeField(null=True)  # when staff recorded it
    failed_at = models.DateTimeField(null=True)  # when the carrier could not complete the call
    completed_at = models.DateTimeField(null=True)  # when the call record was complete
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=160, unique=True)  # idempotency key

    class Meta:
        # trigger: follow_attempt_promises
        db_table = "contact_attempt"
        indexes = [
            models.Index(fields=["person", "at"], name="attempt_by_person"),
            models.Index(fields=["lead", "at"], name="attempt_by_lead"),
            models.Index(
                fields=["at"],
                condition=Q(medium="call", completed_at=None),
                name="call_incomplete",
            ),
        ]

    def __str__(self) -> str:
        return f"contact_attempt:{self.pk}"


class Signal(models.Model):
    """One sign of the borrower's interest: a reply or a call."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="signals")
    kind = models.CharField(max_length=24)
    idempotency_key = models.CharField(max_length=160, unique=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "signal"
        indexes = [models.Index(fields=["lead", "at"], name="signal_by_lead")]

    def __str__(self) -> str:
        return f"signal:{self.pk}"


class Remark(models.Model):
    """One note a staff member wrote about a lead."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="remarks")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    text = models.TextField(max_length=4000)
    at = models.DateTimeField()

    class Meta:
        db_table = "remark"

    def __str__(self) -> str:
        return f"remark:{self.pk}"


REPEATABLE_TASK_KINDS = ("typed",)  # a lead can have several open tasks of these kinds
MEETINGS = {"phone": "Phone", "office": "Office", "video": "Video"}  # how an appointment is held


class Task(models.Model):
    """One task on a lead, with a due time.

    Assigned to `user`, else to everyone with `role` who can see the lead, else to
    the lead's owner. An appointment with the borrower is a task that begins at `due_at`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="tasks")
    kind = models.CharField(max_length=60, default="typed")  # call_back, handoff, require:...
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="tasks")
    role = models.CharField(max_length=16, blank=True, default="")
    idempotency_key = models.CharField(max_length=160, unique=True)
    title = models.CharField(max_length=200)
    due_at = models.DateTimeField()
    meeting = models.CharField(  # of an appointment: a key of MEETINGS
        max_length=8, blank=True, default="", db_default=""
    )
    minutes = models.PositiveSmallIntegerField(null=True)  # of an appointment: how long it takes
    note = models.CharField(max_length=500, blank=True, default="", db_default="")
    reminded_at = models.DateTimeField(null=True)  # when staff were reminded of an appointment
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    canceled_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        # trigger: follow_task_promises
        db_table = "task"
        constraints = [
            models.UniqueConstraint(
                fields=["lead", "kind"],
                condition=Q(done_at=None, canceled_at=None) & ~Q(kind__in=REPEATABLE_TASK_KINDS),
                name="one_open_task_a_kind",
            ),
            models.CheckConstraint(
                condition=Q(done_at=None) | Q(canceled_at=None), name="task_done_or_cancelled"
            ),
            models.CheckConstraint(
                condition=Q(meeting="", minutes=None)
                | Q(meeting__in=list(MEETINGS), minutes__gte=5, minutes__lte=480),
                name="appointment_has_minutes",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "due_at"], condition=Q(done_at=None), name="task_open"),
            models.Index(
                fields=["due_at"],
                condition=Q(done_at=None, canceled_at=None),
                name="task_open_by_due",
            ),
            models.Index(
                fields=["due_at"],
                condition=Q(done_at=None, canceled_at=None, reminded_at=None) & ~Q(meeting=""),
                name="appointment_to_remind",
            ),
        ]

    def __str__(self) -> str:
        return f"task:{self.pk}"


class LeadTag(models.Model):
    """One tag on one lead, as staff typed it, in lower case."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=40)
    added_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        db_table = "lead_tag"
        constraints = [
            models.UniqueConstraint(fields=["lead", "name"], name="tag_once_a_lead"),
        ]
        indexes = [models.Index(fields=["name"], name="tag_by_name")]

    def __str__(self) -> str:
        return f"lead_tag:{self.pk}"


class CalendarFeed(models.Model):
    """The secret address at which one user's calendar program reads their appointments."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    user = models.OneToOneField(User, models.CASCADE, related_name="calendar_feed")
    token_hash = models.CharField(max_length=64, unique=True, null=True)  # None: turned off
    created_at = models.DateTimeField()  # of the present address
    read_at = models.DateTimeField(null=True)  # when a calendar last read it

    class Meta:
        db_table = "calendar_feed"

    def __str__(self) -> str:
        return f"calendar_feed:{self.pk}"


class UndoableAct(models.Model):
    """One act of staff that can be undone for ten seconds; what it leads to starts afterwards."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="+")
    result = models.CharField(max_length=24)  # the outcome of a call, or `snoozed`
    attempt_id = models.UUIDField(null=True)  # of the call
    changes = models.JSONField()  # by row: table, id, old and new values; old null: a new row
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    settles_at = models.DateTimeField()  # when its consequences start
    settled_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "undoable_act"
        constraints = [
            models.UniqueConstraint(
                fields=["lead"],
                condition=Q(settled_at=None, undone_at=None),
                name="one_open_act_a_lead",
            ),
            models.CheckConstraint(
                condition=Q(settled_at=None) | Q(undone_at=None), name="act_settled_or_undone"
            ),
        ]
        indexes = [
            models.Index(
                fields=["settles_at"],
                condition=Q(settled_at=None, undone_at=None),
                name="act_to_settle",
            ),
        ]

    def __str__(self) -> str:
        return f"undoable_act:{self.pk}"
