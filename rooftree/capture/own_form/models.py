"""Table of the versions of our own form."""

from django.db import models
from django.db.models import F, Q

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models import Source
from rooftree.org.models import User


class FormVersion(models.Model):
    """One version of a website source's form: its questions, texts and consent text.

    It waits until a second person publishes or rejects it. A roll back is a version with the
    content of an earlier one, published at once. Visitors see the version published last. The
    database enforces that the content never changes, that a version is decided once, and that only
    approvers publish.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.PROTECT, related_name="form_versions")
    number = models.PositiveIntegerField()
    content = models.JSONField()  # the shape is in capture.own_form.form_design
    summary = models.CharField(max_length=300)  # what changed and why
    restores = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    written_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=300, blank=True)
    published_at = models.DateTimeField(null=True)  # None after the decision: rejected

    class Meta:
        # trigger: form_version_kept
        db_table = "form_version"
        constraints = [
            models.UniqueConstraint(fields=["source", "number"], name="form_version_once"),
            models.UniqueConstraint(
                fields=["source"],
                condition=Q(decided_at=None),
                name="one_waiting_form_version",
            ),
            models.CheckConstraint(
                condition=Q(published_at=None)
                | Q(restores__isnull=False)
                | ~Q(decided_by=F("written_by")),
                name="form_version_second_person",
            ),
            models.CheckConstraint(
                condition=Q(decided_at=None, decided_by=None, published_at=None, decision_reason="")
                | Q(decided_at__isnull=False, decided_by__isnull=False) & ~Q(decision_reason=""),
                name="form_version_decided_with_reason",
            ),
            models.CheckConstraint(condition=~Q(summary=""), name="form_version_says_why"),
        ]

    def __str__(self) -> str:
        return f"Form v{self.number}"

    @property
    def state(self) -> str:
        """One of waiting, published or rejected."""
        if self.decided_at is None:
            return "waiting"
        return "published" if self.published_at else "rejected"
