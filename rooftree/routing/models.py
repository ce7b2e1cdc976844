"""Tables for routing rules and decisions, offers, ownerships, promises and time off."""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models import Lead
from rooftree.org.models import Branch, LoanOfficer, User


class RuleSet(models.Model):
    """One published version of the routing rules. A version never changes; the next replaces it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    number = models.PositiveIntegerField(unique=True)
    rules = models.JSONField()  # ordered; the shape is routing_rules.Rule
    summary = models.CharField(max_length=300, blank=True)  # what changed and why
    published_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField()

    class Meta:
        db_table = "rule_set"

    def __str__(self) -> str:
        return f"rule_set:{self.number}"


class Roster(models.Model):
    """The officers who could be asked between two staff changes, for the decisions that use it.

    Identified by its content and never changed: a thousand decisions share one.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    sha256 = models.CharField(max_length=64, unique=True)
    people = models.JSONField()  # candidates.candidates_to_json, plus the lender
    at = models.DateTimeField()

    class Meta:
        db_table = "roster"

    def __str__(self) -> str:
        return f"roster:{self.sha256[:12]}"


class RoutingDecision(models.Model):
    """One choice of a loan officer, with the inputs that reproduce it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="decisions")
    rule_set = models.ForeignKey(RuleSet, models.PROTECT, related_name="decisions")
    rule_name = models.CharField(max_length=120, blank=True)
    place = models.PositiveSmallIntegerField(default=0)  # 0 first choice, then the chain
    inputs = models.JSONField()  # lead facts, the roster's hash and each officer's load
    outcome = models.JSONField()  # officer_id, place, pool, turn and hold_until
    officer = models.ForeignKey(LoanOfficer, models.PROTECT, null=True, related_name="decisions")
    sentence = models.CharField(max_length=400)
    at = models.DateTimeField()

    class Meta:
        db_table = "routing_decision"
        indexes = [models.Index(fields=["lead", "at"], name="decision_by_lead")]

    def __str__(self) -> str:
        return f"routing_decision:{self.pk}"


class Turn(models.Model):
    """How often one officer was chosen from one pool: the state of the round robin."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    pool = models.CharField(max_length=120)
    officer = models.ForeignKey(LoanOfficer, models.CASCADE, related_name="turns")
    taken = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "turn"
        constraints = [
            models.UniqueConstraint(fields=["pool", "officer"], name="one_turn_row_a_pool"),
        ]

    def __str__(self) -> str:
        return f"turn:{self.pk}"


class Offer(models.Model):
    """One lead offered to one loan officer, with a time to take it by."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="offers")
    officer = models.ForeignKey(LoanOfficer, models.PROTECT, related_name="offers")
    decision = models.ForeignKey(RoutingDecision, models.PROTECT, related_name="offers")
    offered_at = models.DateTimeField()
    due_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    declined_at = models.DateTimeField(null=True)  # the officer declined
    expired_at = models.DateTimeField(null=True)  # no answer in time, or became unlawful
    end_reason = models.CharField(max_length=60, blank=True)

    class Meta:
        # trigger: offer_licensed
        db_table = "offer"
        constraints = [
            models.CheckConstraint(condition=Q(due_at__gt=F("offered_at")), name="offer_due_later"),
            models.CheckConstraint(
                condition=Q(accepted_at=None, declined_at=None)
                | Q(accepted_at=None, expired_at=None)
                | Q(declined_at=None, expired_at=None),
                name="offer_ends_one_way",
            ),
            models.UniqueConstraint(
                fields=["lead"],
                condition=Q(accepted_at=None, declined_at=None, expired_at=None),
                name="one_live_offer_a_lead",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(accepted_at=None, declined_at=None, expired_at=None),
                name="offer_live_due",
            ),
            models.Index(fields=["officer", "offered_at"], name="offer_by_officer"),
        ]

    def __str__(self) -> str:
        return f"offer:{self.pk}"


class Ownership(models.Model):
    """One period in which one loan officer owns a lead."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="ownerships")
    officer = models.ForeignKey(LoanOfficer, models.PROTECT, related_name="ownerships")
    offer = models.OneToOneField(Offer, models.PROTECT, null=True, related_name="ownership")
    given_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=60, blank=True)

    class Meta:
        # triggers: ownership_licensed, ownership_stays_ended, mirror_ownership
        db_table = "ownership"
        constraints = [
            models.UniqueConstraint(
                fields=["lead"], condition=Q(until_at=None), name="one_owner_a_lead"
            ),
            models.CheckConstraint(
                condition=Q(until_at=None) | Q(until_at__gte=F("from_at")),
                name="ownership_ends_later",
            ),
        ]
        indexes = [
            models.Index(
                fields=["officer"], condition=Q(until_at=None), name="ownership_by_officer"
            ),
            models.Index(
                fields=["-until_at"], condition=Q(until_at__isnull=False), name="ownership_by_end"
            ),
        ]

    def __str__(self) -> str:
        return f"ownership:{self.pk}"


PROMISE_KINDS = ["first_attempt", "reply", "callback"]
PROMISE_NAMES = {"first_attempt": "First call", "reply": "Reply", "callback": "Callback"}
ALARM_NAMES = {
    "first_attempt": "Late first call",
    "reply": "Late reply",
    "callback": "Missed callback",
}
OPEN_PROMISE = Q(kept_at=None, canceled_at=None)


class Promise(models.Model):
    """One thing that is owed to a borrower by a time: a first call, a reply or a callback.

    Triggers on lead, contact_attempt and task (`promise_triggers`) make and end the rows, in the
    transaction of the change. `promise_watch` stamps the rest.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="promises")
    kind = models.CharField(max_length=16)  # PROMISE_KINDS
    # The lead's officer, until the promise is missed; None: no one owned the lead.
    officer = models.ForeignKey(LoanOfficer, models.PROTECT, null=True, related_name="promises")
    # Covers for the officer: can see and work the lead while the promise is open.
    backup = models.ForeignKey(LoanOfficer, models.PROTECT, null=True, related_name="covers")
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    warn_at = models.DateTimeField()
    escalate_at = models.DateTimeField()
    warned_at = models.DateTimeField(null=True)
    breached_at = models.DateTimeField(null=True)  # found late
    escalated_at = models.DateTimeField(null=True)  # managers or the backup were told
    kept_at = models.DateTimeField(null=True)  # late if after `due_at`
    canceled_at = models.DateTimeField(null=True)  # nothing is owed anymore
    end_reason = models.CharField(max_length=60, blank=True)
    cleared_at = models.DateTimeField(null=True)  # its notices were marked as read
    sentence = models.CharField(max_length=300, blank=True)  # why it was escalated, and to whom

    class Meta:
        db_table = "promise"
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=PROMISE_KINDS), name="promise_kind_known"),
            models.CheckConstraint(
                condition=Q(kept_at=None) | Q(canceled_at=None), name="promise_ends_one_way"
            ),
            models.UniqueConstraint(
                fields=["lead", "kind"], condition=OPEN_PROMISE, name="one_open_promise_a_kind"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="promise_by_due"),
            models.Index(
                fields=["warn_at"],
                condition=OPEN_PROMISE & Q(escalated_at=None),
                name="promise_watched",
            ),
            models.Index(
                fields=["due_at"],
                condition=OPEN_PROMISE & Q(breached_at__isnull=False),
                name="promise_late",
            ),
            models.Index(
                fields=["backup"],
                condition=OPEN_PROMISE & Q(backup__isnull=False),
                name="promise_covered",
            ),
            models.Index(
                fields=["lead"],
                condition=~OPEN_PROMISE & Q(cleared_at=None, warned_at__isnull=False),
                name="promise_uncleared",
            ),
        ]

    def __str__(self) -> str:
        return f"promise:{self.pk}"

    @property
    def name(self) -> str:
        return PROMISE_NAMES[self.kind]

    @property
    def alarm_name(self) -> str:
        return ALARM_NAMES[self.kind]

    @property
    def is_kept_on_time(self) -> bool:
        return self.kept_at is not None and self.kept_at <= self.due_at


class TimeOff(models.Model):
    """Days on which one officer is off, or every officer: a company holiday.

    The days are in the officer's own time zone. Off means no new leads; the officer's backup
    covers what the officer owes.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    officer = models.ForeignKey(LoanOfficer, models.CASCADE, null=True, related_name="time_off")
    from_date = models.DateField()
    until_date = models.DateField()  # exclusive
    note = models.CharField(max_length=120, blank=True)
    entered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    entered_at = models.DateTimeField()
    canceled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "time_off"
        constraints = [
            models.CheckConstraint(
                condition=Q(until_date__gt=F("from_date")), name="time_off_ends_later"
            ),
        ]
        indexes = [
            models.Index(
                fields=["until_date"], condition=Q(canceled_at=None), name="time_off_current"
            ),
        ]

    def __str__(self) -> str:
        return f"time_off:{self.pk}"

    @property
    def first_and_last(self) -> str:
        """The days as staff read them: `Nov 23, 2026` or `Nov 23 – Nov 25, 2026`."""
        last = self.until_date - timedelta(days=1)
        end = f"{last:%b} {last.day}, {last.year}"
        return (
            end if last == self.from_date else f"{self.from_date:%b} {self.from_date.day} – {end}"
        )


LIST_PAGES = ("queue", "pipeline", "people")
SAVED_VIEW_PAGES = (*LIST_PAGES, "reports")


class SavedView(models.Model):
    """One set of filters that a user keeps under a name, for themself or for their team.

    The team is everyone in `branch` and the branches below it; without a branch, the company.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    owner = models.ForeignKey(User, models.PROTECT, related_name="+")
    page = models.CharField(max_length=16)
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=600)  # the filters, as in the page's URL
    is_shared = models.BooleanField(default=False)
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "saved_view"
        constraints = [
            models.CheckConstraint(
                condition=Q(page__in=SAVED_VIEW_PAGES), name="saved_view_page_known"
            ),
            models.UniqueConstraint(
                fields=["owner", "page", "name"], name="one_saved_view_of_a_name"
            ),
        ]
        indexes = [models.Index(fields=["page"], name="saved_view_by_page")]

    def __str__(self) -> str:
        return f"saved_view:{self.pk}"


class BulkAction(models.Model):
    """One action that a user took on several leads at once. Its id is the form's own key."""

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=16)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    target = models.CharField(max_length=80)  # officer, time, tag, sequence or rate, by kind
    summary = models.CharField(max_length=200)  # "Reassigned to Dana Whitfield"
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "bulk_action"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=("reassign", "snooze", "tag", "enroll", "watch")),
                name="bulk_action_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return f"bulk_action:{self.pk}"


class BulkChange(models.Model):
    """One lead of a bulk action: changed, or not and why."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    action = models.ForeignKey(BulkAction, models.CASCADE, related_name="changes")
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="+")
    problem = models.CharField(max_length=300, blank=True)  # "": changed
    officer_before = models.ForeignKey(LoanOfficer, models.PROTECT, null=True, related_name="+")
    undo_problem = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "bulk_change"
        constraints = [
            models.UniqueConstraint(fields=["action", "lead"], name="bulk_change_once_a_lead"),
        ]

    def __str__(self) -> str:
        return f"bulk_change:{self.pk}"
