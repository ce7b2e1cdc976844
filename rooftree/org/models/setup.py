"""The steps of setup with their owners and checks, and the periods of shadow mode."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from rooftree.core.uuid7 import uuid7
from rooftree.org.models.staff import User


class SetupStep(models.Model):
    """Owner, due date and last check of one go-live step; whether it is done is never stored."""

    key = models.SlugField(primary_key=True)  # of `web.setup.setup_guide`
    owner = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    due_date = models.DateField(null=True)
    # The last check that a person ran, for steps that only a check can prove.
    checked_at = models.DateTimeField(null=True)
    has_passed = models.BooleanField(default=False)
    finding = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "setup_step"

    def __str__(self) -> str:
        return self.key


class ShadowPeriod(models.Model):
    """A period of shadow mode: leads are received and decided, nothing is sent, no one is called.

    The trigger keeps a period: it ends once, and nothing else about it changes.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    from_at = models.DateTimeField()
    started_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)  # exclusive
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        # triggers: shadow_period_kept, shadow_waits_for_senders, shadow_ends_its_messages
        db_table = "shadow_period"
        constraints = [
            models.UniqueConstraint(
                fields=["ended_at"], nulls_distinct=False, name="one_open_shadow_period"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("from_at")),
                name="shadow_period_ends_later",
            ),
        ]

    def __str__(self) -> str:
        return f"shadow_period:{self.pk}"

    def covers(self, moment: datetime) -> bool:
        """Return True if shadow mode was on at a moment."""
        return self.from_at <= moment and (self.ended_at is None or moment < self.ended_at)
