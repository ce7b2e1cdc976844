"""Message sequences and the leads enrolled in them."""

import json

from django.db import models
from django.db.models import Q, Value

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models import Lead
from rooftree.org.models import User
from rooftree.outreach.models import ContentVersion


class Sequence(ContentVersion):
    """One version of a message sequence. Live enrollments keep the version they started with."""

    PLACE_COLUMNS = ("key",)
    PAGE_PATH = "/sequences/"

    id = models.UUIDField(primary_key=True, default=uuid7)
    key = models.CharField(max_length=60)
    name = models.CharField(max_length=120)
    steps = models.JSONField()  # see `sequence_plan.parse_plan`
    # start, audience, goal, stages, ends_on, priority; {}: those of the default sequence
    rules = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))

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
        """The steps and, if it has any, its rules, for its hash."""
        return json.dumps([self.steps, self.rules] if self.rules else self.steps, sort_keys=True)


class Enrollment(models.Model):
    """One lead's enrollment in a sequence, and when its next step is due."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="enrolments")
    sequence = models.ForeignKey(Sequence, models.PROTECT, related_name="enrolments")
    next_step = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    # Why it began, once for each occasion: funded:<loan id>; None: it may begin again.
    idempotency_key = models.CharField(max_length=160, null=True, unique=True)
    started_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
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


class EnrollmentStep(models.Model):
    """One step that an enrollment has left behind: done, or skipped by its condition."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    enrollment = models.ForeignKey(Enrollment, models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=10)  # of a `sequence_plan.Move`
    at = models.DateTimeField()

    class Meta:
        db_table = "enrollment_step"
        constraints = [
            models.UniqueConstraint(
                fields=["enrollment", "number"], name="one_row_a_step_of_enrollment"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["done", "skipped", "passed", "ended"]),
                name="enrollment_step_outcome_known",
            ),
        ]

    def __str__(self) -> str:
        return f"enrollment_step:{self.pk}"


class SequenceSwitch(models.Model):
    """One sequence, in all its versions, that someone paused or retired.

    A paused sequence takes no one and runs no step; its people wait where they are. A retired one
    takes no one, and its people finish.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    key = models.CharField(max_length=60, unique=True)  # `Sequence.key`
    paused_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    changed_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        db_table = "sequence_switch"

    def __str__(self) -> str:
        return f"sequence_switch:{self.key}"


class SequenceDraft(models.Model):
    """One sequence as it is being edited, shared by everyone who can edit sequences."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    key = models.CharField(max_length=60, unique=True)  # `Sequence.key`
    name = models.CharField(max_length=120)
    steps = models.JSONField()  # as typed: can still have problems
    rules = models.JSONField()
    edited_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    edited_at = models.DateTimeField()

    class Meta:
        db_table = "sequence_draft"

    def __str__(self) -> str:
        return f"sequence_draft:{self.key}"
