"""Tables for routing rules, routing decisions, offers and ownerships."""

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
        ]

    def __str__(self) -> str:
        return f"ownership:{self.pk}"


LIST_PAGES = ("queue", "pipeline", "people")


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
            models.CheckConstraint(condition=Q(page__in=LIST_PAGES), name="saved_view_page_known"),
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
    target = models.CharField(max_length=80)  # officer, time, tag or sequence, by kind
    summary = models.CharField(max_length=200)  # "Reassigned to Dana Whitfield"
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "bulk_action"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=("reassign", "snooze", "tag", "enroll")),
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
