"""The table of lead scores, kept so that each can be explained and replayed."""

from django.db import models

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models import Lead


class Score(models.Model):
    """One score of one lead, with its features, points and reasons."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="scores")
    points = models.SmallIntegerField()  # 0 to 100
    reasons = models.JSONField()  # [{"text", "points"}], largest first
    features = models.JSONField()
    version = models.CharField(max_length=20)
    reason = models.CharField(max_length=60)  # the event that caused it
    at = models.DateTimeField()

    class Meta:
        db_table = "score"
        indexes = [models.Index(fields=["lead", "at"], name="score_by_lead")]

    def __str__(self) -> str:
        return f"score:{self.pk}"
