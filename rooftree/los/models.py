"""LOS tables: connections, outgoing hand-offs and corrections, incoming webhook hints."""

from django.db import models
from django.db.models import Q, Value

from rooftree.core.uuid7 import uuid7
from rooftree.db.sealed_text import SealedTextField
from rooftree.leads.models import Lead, Loan
from rooftree.org.models import User


class Connection(models.Model):
    """One lender instance of one LOS and the credentials to reach it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    los = models.CharField(max_length=20)  # a key of los.adapters.ADAPTERS
    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)  # in the webhook's path
    base_url = models.URLField()
    instance = models.CharField(max_length=60)
    folder = models.CharField(max_length=120, blank=True)
    template = models.CharField(max_length=200, blank=True)
    template_type = models.CharField(max_length=60, blank=True)
    lead_id_field = models.CharField(max_length=60, default="CX.ROOFTREELEADID")
    officer_users = models.JSONField(default=dict)  # NMLS ID -> the officer's user name there
    # The lender's own names: milestones as read from the LOS or typed, and the meaning of each
    # (our code, or None for no milestone), which wins over the shipped map.
    los_milestones = models.JSONField(default=list, db_default=Value([], models.JSONField()))
    milestone_map = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    lead_fields = models.JSONField(  # key of lender_mapping.LEAD_FACTS -> custom field
        default=dict, db_default=Value({}, models.JSONField())
    )
    revenue_fields = models.JSONField(  # summed; empty: the shipped field
        default=list, db_default=Value([], models.JSONField())
    )
    options = models.JSONField(  # settings of this LOS that have no column: see its PROFILE
        default=dict, db_default=Value({}, models.JSONField())
    )
    # Which leads are handed off through it: the first enabled connection that fits takes a lead.
    position = models.PositiveSmallIntegerField(default=0, db_default=0)
    branch_ids = models.JSONField(  # and the branches below them; empty: every branch
        default=list, db_default=Value([], models.JSONField())
    )
    purposes = models.JSONField(  # loan purposes; empty: every purpose
        default=list, db_default=Value([], models.JSONField())
    )
    is_for_tests = models.BooleanField(default=False, db_default=False)  # test leads, no others
    credentials = SealedTextField(blank=True)  # JSON, by the keys of the PROFILE
    webhook_keys = SealedTextField(blank=True)  # JSON list, newest first
    tested_at = models.DateTimeField(null=True)  # last sign-in that worked with these settings
    subscribed_at = models.DateTimeField(null=True)  # the LOS listed our subscription then
    subscription_problem = models.CharField(max_length=500, blank=True, db_default="")
    checked_at = models.DateTimeField(null=True)  # last go-live check
    check_report = models.JSONField(  # {"ok": ..., "lines": [...]}
        default=dict, db_default=Value({}, models.JSONField())
    )
    enabled_at = models.DateTimeField(null=True)
    polled_to_at = models.DateTimeField(null=True)
    poll_due_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "los_connection"

    def __str__(self) -> str:
        return self.name


class Handoff(models.Model):
    """One lead on its way into the LOS. A create of unknown outcome is never repeated."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.PROTECT, related_name="handoffs")
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="handoffs")
    state = models.CharField(max_length=12, default="pending")
    record = models.JSONField(default=dict)  # the hand-off object as sent
    missing = models.JSONField(default=list)  # facts the officer must still ask for
    requested_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField()
    attempt_id = models.UUIDField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)  # when the request went out
    due_at = models.DateTimeField(null=True)
    loan = models.OneToOneField(Loan, models.PROTECT, null=True, related_name="handoff")
    later_fields = models.JSONField(  # written once the loan is there, then emptied
        default=dict, db_default=Value({}, models.JSONField())
    )
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        # triggers: new_handoff_stays_in_shadow, handoff_stays_in_shadow
        db_table = "handoff"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "sending", "created", "uncertain", "rejected"]),
                name="handoff_state_known",
            ),
            models.UniqueConstraint(
                fields=["lead", "connection"],
                condition=~Q(state="rejected"),
                name="one_handoff_a_lead",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(due_at__isnull=False),
                name="handoff_due",
            ),
        ]

    def __str__(self) -> str:
        return f"handoff:{self.pk}"


class LoanChange(models.Model):
    """One edit by an officer after the hand-off, on its way to the loan."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    handoff = models.ForeignKey(Handoff, models.PROTECT, related_name="changes")
    state = models.CharField(max_length=12, default="pending")
    record = models.JSONField()  # the hand-off object after the edit
    changes = models.JSONField()  # place in the loan: [value we sent, new value]
    skipped = models.JSONField(default=dict)  # place in the loan: why it was not changed
    requested_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "loan_change"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "done", "rejected"]),
                name="loan_change_state_known",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="pending"), name="loan_change_due"),
        ]

    def __str__(self) -> str:
        return f"loan_change:{self.pk}"


class LosEvent(models.Model):
    """One webhook hint that a loan changed. The loan is read again; the hint is not trusted."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="events")
    event_id = models.CharField(max_length=120)
    los_loan_id = models.CharField(max_length=80)
    kind = models.CharField(max_length=40)
    content = models.JSONField(  # what the adapter keeps of a push; {} where the loan is read again
        default=dict, db_default=Value({}, models.JSONField())
    )
    received_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "los_event"
        constraints = [
            models.UniqueConstraint(fields=["connection", "event_id"], name="los_event_once"),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(read_at=None), name="los_event_due"),
        ]

    def __str__(self) -> str:
        return f"los_event:{self.pk}"
