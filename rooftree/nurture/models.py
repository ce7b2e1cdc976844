"""Message sequences and the leads enrolled in them."""

import json

from django.db import models
from django.db.models import Q

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models import Lead
from rooftree.outreach.models import ContentVersion


class Sequence(ContentVersion):
    """One version of a message sequence. Live enrollments keep the version they started with."""

    PLACE_COLUMNS = ("key",)
    PAGE_PATH = "/sequences/"

    id = models.UUIDField(primary_key=True, default=uuid7)
    key = models.CharField(max_length=60)
    name = models.CharField(max_length=120)
    steps = models.JSONField()  # [{"after_minutes", "media", "template"}]

    class Meta(ContentVersion.Meta):
        # trigger: sequence_kept
        db_table = "sequence"
        constraints = [
            *ContentVersion.Meta.constraints,
            models.UniqueConstraint(fields=["key", "version"], name="sequence_edition_once"),
            models.UniqueConstraint(
                fields=["key"],
                condition=Q(from_at__isnull=False, until_at=None),
                name="one_live_sequence",
            ),
            models.UniqueConstraint(
                fields=["key"], condition=Q(decided_at=None), name="one_waiting_sequence"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} v{self.version}"

    @property
    def content_text(self) -> str:
        """The steps, for its hash."""
        return json.dumps(self.steps, sort_keys=True)


class Enrollment(models.Model):
    """One lead's enrollment in a sequence, and when its next step is due."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="enrolments")
    sequence = models.ForeignKey(Sequence, models.PROTECT, related_name="enrolments")
    next_step = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "enrollment"
        constraints = [
            models.UniqueConstraint(
                fields=["lead"], condition=Q(ended_at=None), name="one_live_enrolment_a_lead"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(ended_at=None), name="enrolment_due"),
        ]

    def __str__(self) -> str:
        return f"enrollment:{self.pk}"
