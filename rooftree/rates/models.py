"""Rate tables: observed rates, and the rates borrowers are waiting for."""

from django.db import models
from django.db.models import Q

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models import Lead
from rooftree.org.models import User


class RateObservation(models.Model):
    """One rate of one loan product as a sheet showed it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    product = models.CharField(max_length=40)  # 30yr_fixed, 15yr_fixed, 30yr_fha, 30yr_va
    rate_pct = models.DecimalField(max_digits=6, decimal_places=3)
    apr_pct = models.DecimalField(max_digits=6, decimal_places=3)
    points = models.DecimalField(max_digits=5, decimal_places=3, default=0)
    sheet = models.CharField(max_length=80)  # whose sheet
    observed_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "rate_observation"
        indexes = [models.Index(fields=["product", "observed_at"], name="rate_by_product")]

    def __str__(self) -> str:
        return f"rate_observation:{self.pk}"


class RateWatch(models.Model):
    """One borrower waiting for a product to reach a target rate."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="watches")
    product = models.CharField(max_length=40)
    target_pct = models.DecimalField(max_digits=6, decimal_places=3)
    set_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    set_at = models.DateTimeField()
    reached_at = models.DateTimeField(null=True)
    reached_by = models.ForeignKey(RateObservation, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "rate_watch"
        constraints = [
            models.UniqueConstraint(
                fields=["lead", "product"],
                condition=Q(ended_at=None, reached_at=None),
                name="one_live_watch_a_product",
            ),
        ]
        indexes = [
            models.Index(
                fields=["product", "target_pct"],
                condition=Q(ended_at=None, reached_at=None),
                name="rate_watch_live",
            ),
        ]

    def __str__(self) -> str:
        return f"rate_watch:{self.pk}"
