"""Tables for loan files mirrored from the LOS and their milestones."""

from django.db import models
from django.db.models import Value

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models.lead import Lead
from rooftree.org.models import LoanOfficer

BY_HAND = "by_hand"  # the `los` of a loan that staff recorded


class Loan(models.Model):
    """One loan file of the LOS, mirrored, with the time of the last read."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.PROTECT, related_name="loans")
    los = models.CharField(max_length=20)
    instance = models.CharField(max_length=60)
    los_loan_id = models.CharField(max_length=80)
    loan_number = models.CharField(max_length=40, blank=True)
    milestone = models.CharField(max_length=40, blank=True)  # the highest one reached
    rank = models.SmallIntegerField(default=0)
    amount_cents = models.BigIntegerField(null=True)
    revenue_cents = models.BigIntegerField(null=True)
    application_date = models.DateField(null=True)
    funded_date = models.DateField(null=True)
    current_milestone = models.CharField(max_length=40, blank=True)  # where the file is now
    final_outcome = models.CharField(max_length=24, blank=True)  # denied, withdrawn...
    notices = models.JSONField(
        default=dict, db_default=Value({}, models.JSONField())
    )  # the LOS's tracking: kind, day sent
    # Statuses that no milestone is mapped to yet: automatic messages wait while there are any.
    unmapped_statuses = models.JSONField(default=list, db_default=Value([], models.JSONField()))
    officer = models.ForeignKey(LoanOfficer, models.PROTECT, null=True, related_name="loans")
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "loan"
        constraints = [
            models.UniqueConstraint(
                fields=["los", "instance", "los_loan_id"], name="loan_once_an_instance"
            ),
        ]
        indexes = [models.Index(fields=["lead"], name="loan_by_lead")]

    def __str__(self) -> str:
        return f"loan:{self.pk}"


class Milestone(models.Model):
    """One milestone a loan reached. Append-only: reaching it again adds a row."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    loan = models.ForeignKey(Loan, models.CASCADE, related_name="milestones")
    code = models.CharField(max_length=40)
    rank = models.SmallIntegerField(null=True)  # None: outside the funnel
    on_date = models.DateField(null=True)  # the LOS's own day
    reached_at = models.DateTimeField()  # on that day, or when we learned of it
    los_label = models.CharField(max_length=120, blank=True)  # the LOS's own words
    is_inferred = models.BooleanField(default=False)  # implied by a later milestone
    is_return = models.BooleanField(default=False)
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "milestone"
        indexes = [models.Index(fields=["loan", "recorded_at"], name="milestone_by_loan")]

    def __str__(self) -> str:
        return f"milestone:{self.pk}"
