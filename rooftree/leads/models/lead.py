"""Tables for leads, their touches, and what staff edited."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models.people import Person
from rooftree.leads.models.sources import Campaign, Delivery, Source
from rooftree.org.models import Branch, LoanOfficer, ShadowPeriod, User

LEAD_STATES = [
    "new",  # no one has reached the borrower
    "working",  # an officer has tried or talked to the borrower
    "nurture",  # not now: followed up by sequences and rate watches
    "application",  # handed off to the LOS, or known there
    "funded",
    "retired",  # closed with a reason
]


class Lead(models.Model):
    """One person's interest in one loan."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    person = models.ForeignKey(Person, models.PROTECT, related_name="leads")
    co_borrower = models.ForeignKey(  # the second applicant, a person with their own consent
        Person, models.PROTECT, null=True, related_name="co_leads", db_index=False
    )
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
    property_key = models.CharField(max_length=220, blank=True, db_default="")  # for lookups
    property_type = models.CharField(max_length=20, blank=True)
    property_use = models.CharField(max_length=12, blank=True)
    details = models.JSONField(default=dict)  # the newest canonical record, for all other fields
    # Keys of `leads.scenario_fields` that staff edited: a later inquiry doesn't overwrite them.
    edited_fields = ArrayField(models.CharField(max_length=30), default=list, db_default=[])
    borrower_message = models.TextField(blank=True)  # the borrower's newest message

    officer = models.ForeignKey(
        LoanOfficer, models.PROTECT, null=True, related_name="leads"
    )  # mirrors the live ownership row
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, related_name="leads")
    score = models.SmallIntegerField(null=True)  # 0 to 100
    score_reasons = models.JSONField(default=list)
    scored_at = models.DateTimeField(null=True)

    created_at = models.DateTimeField()
    last_inquiry_at = models.DateTimeField()  # the newest touch
    response_due_at = models.DateTimeField(
        null=True
    )  # the deadline for the first attempt by a person
    first_message_at = models.DateTimeField(null=True)  # automatic
    first_attempt_at = models.DateTimeField(null=True)  # by a person; measures speed to lead
    first_conversation_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    snooze_reason = models.CharField(max_length=200, blank=True, default="")
    retired_at = models.DateTimeField(null=True)
    retired_reason = models.CharField(max_length=60, blank=True)

    class Meta:
        # triggers: begin_lead_promises, follow_lead_promises, lead_officer_mirrors, watch_lead
        db_table = "lead"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=LEAD_STATES), name="lead_state_known"),
            models.CheckConstraint(
                condition=Q(score=None) | Q(score__range=(0, 100)), name="lead_score_range"
            ),
        ]
        indexes = [
            models.Index(fields=["person"], name="lead_by_person"),
            models.Index(
                fields=["co_borrower"],
                condition=Q(co_borrower__isnull=False),
                name="lead_by_co_borrower",
            ),
            models.Index(
                fields=["property_key"], condition=~Q(property_key=""), name="lead_by_property"
            ),
            models.Index(fields=["officer", "state", "response_due_at"], name="lead_by_officer"),
            models.Index(fields=["branch", "created_at"], name="lead_by_branch"),
            models.Index(fields=["source", "created_at"], name="lead_by_source"),
            models.Index(
                fields=["response_due_at"],
                condition=Q(response_due_at__isnull=False),
                name="lead_promise",
            ),
            models.Index(
                fields=["created_at"], condition=Q(officer=None), name="lead_without_officer"
            ),
        ]

    def __str__(self) -> str:
        return f"lead:{self.pk}"


class Touch(models.Model):
    """One arrival of a lead through one source. Attribution uses all touches of a lead."""

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


class LeadEdit(models.Model):
    """One field of a lead's loan scenario that staff edited, and whose word it was."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="edits")
    field = models.CharField(max_length=30)  # a key of leads.scenario_fields.FIELDS
    before = models.JSONField(null=True)  # None: was unknown
    after = models.JSONField(null=True)
    stated_by = models.CharField(max_length=12)  # a key of leads.scenario_fields.SPEAKERS
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        db_table = "lead_edit"
        indexes = [models.Index(fields=["lead", "at"], name="lead_edit_by_lead")]

    def __str__(self) -> str:
        return f"lead_edit:{self.pk}"


class ShadowLead(models.Model):
    """One lead that inquired while shadow mode was on: another system works it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="shadow_entries")
    period = models.ForeignKey(ShadowPeriod, models.PROTECT, related_name="leads", db_index=False)
    touch = models.ForeignKey(Touch, models.CASCADE, related_name="+")  # its first in the period
    arrived_at = models.DateTimeField()  # when the copy was received

    class Meta:
        db_table = "shadow_lead"
        constraints = [
            models.UniqueConstraint(fields=["lead", "period"], name="shadow_lead_once_a_period"),
        ]
        indexes = [
            models.Index(fields=["period", "arrived_at"], name="shadow_lead_by_period"),
        ]

    def __str__(self) -> str:
        return f"shadow_lead:{self.pk}"
