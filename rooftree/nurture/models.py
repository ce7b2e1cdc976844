"""Sequences of messages and who is on them."""

from django.db import models
from django.db.models import Q

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models import Lead
from rooftree.org.models import User


class Sequence(models.Model):
    """One edition of a track of steps. Running enrolments keep the edition they began with."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    key = models.CharField(max_length=60)
    name = models.CharField(max_length=120)
    version = models.PositiveSmallIntegerField()
    steps = models.JSONField()  # [{"after_minutes", "medium", "template"}]
    published_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sequence"
        constraints = [
            models.UniqueConstraint(fields=["key", "version"], name="sequence_edition_once"),
        ]

    def __str__(self) -> str:
        return f"{self.key} v{self.version}"


class Enrolment(models.Model):
    """One lead on one sequence, and when its next step is due."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="enrolments")
    sequence = models.ForeignKey(Sequence, models.PROTECT, related_name="enrolments")
    next_step = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "enrolment"
        constraints = [
            models.UniqueConstraint(
                fields=["lead"], condition=Q(ended_at=None), name="one_live_enrolment_a_lead"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(ended_at=None), name="enrolment_due"),
        ]

    def __str__(self) -> str:
        return f"enrolment:{self.pk}"
