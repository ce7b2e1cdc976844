"""Table of this company's changes to the rule data, with their authors and approvers."""

from django.db import models
from django.db.models import F, Q

from rooftree.core.uuid7 import uuid7
from rooftree.org.models import User


class RuleChange(models.Model):
    """One change to a value of the rule data from a local date on, or the end of such a change.

    It waits until a second person approves or rejects it. The database enforces that its content
    never changes, that it is decided once, and that only compliance approves it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    number = models.PositiveIntegerField(unique=True)
    place = models.CharField(max_length=2)  # USPS code, or `US` for federal and house rules
    item = models.CharField(max_length=40)  # a key in `rule_items`
    value = models.TextField(blank=True)  # JSON in the shape of rules.yaml
    withdraws = models.ForeignKey("self", models.PROTECT, null=True, related_name="withdrawals")
    from_date = models.DateField()  # local date of the place
    cite = models.CharField(max_length=300)
    reason = models.CharField(max_length=300)
    is_looser = models.BooleanField()  # than the shipped rule data
    counsel = models.CharField(max_length=200, blank=True)  # counsel's document and its location
    dry_run = models.JSONField(null=True)  # the effects found by the newest preview
    tried_at = models.DateTimeField(null=True)
    written_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    dropped_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    dropped_at = models.DateTimeField(null=True)  # rejected for good
    drop_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        # trigger: rule_change_kept
        db_table = "rule_change"
        constraints = [
            models.UniqueConstraint(
                fields=["place", "item"],
                condition=Q(approved_at=None, dropped_at=None),
                name="one_waiting_rule_change",
            ),
            models.UniqueConstraint(
                fields=["withdraws"],
                condition=Q(approved_at__isnull=False),
                name="rule_change_withdrawn_once",
            ),
            models.CheckConstraint(
                condition=Q(approved_at=None, approved_by=None)
                | Q(approved_at__isnull=False, approved_by__isnull=False)
                & ~Q(approved_by=F("written_by")),
                name="rule_change_second_person",
            ),
            models.CheckConstraint(
                condition=Q(approved_at=None) | Q(dropped_at=None),
                name="rule_change_decided_once",
            ),
            models.CheckConstraint(
                condition=Q(withdraws=None) & ~Q(value="") | Q(withdraws__isnull=False, value=""),
                name="rule_change_sets_or_withdraws",
            ),
            models.CheckConstraint(
                condition=~Q(cite="") & ~Q(reason=""), name="rule_change_says_why"
            ),
            models.CheckConstraint(
                condition=Q(is_looser=False) | ~Q(counsel=""), name="rule_change_looser_has_counsel"
            ),
        ]

    def __str__(self) -> str:
        return f"Rule change {self.number}"

    @property
    def is_waiting(self) -> bool:
        """True while the change is undecided."""
        return self.approved_at is None and self.dropped_at is None
