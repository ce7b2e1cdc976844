"""Dated entries of cost and revenue, to the cent."""

from django.db import models
from django.db.models import Q

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models import Campaign, Delivery, Lead, Loan, Source
from rooftree.org.models import User


class Entry(models.Model):
    """One amount that a lead, source or loan cost or earned. Corrected by a counter-entry."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    kind = models.CharField(max_length=10)  # a credit takes back a cost, a reversal revenue
    amount_cents = models.BigIntegerField()  # positive; a credit is a kind, not a sign
    on_date = models.DateField()  # the company's day
    source = models.ForeignKey(Source, models.PROTECT, related_name="entries")
    campaign = models.ForeignKey(Campaign, models.PROTECT, null=True, related_name="entries")
    lead = models.ForeignKey(Lead, models.PROTECT, null=True, related_name="entries")
    loan = models.ForeignKey(Loan, models.PROTECT, null=True, related_name="entries")
    delivery = models.ForeignKey(Delivery, models.PROTECT, null=True, related_name="entries")
    basis = models.CharField(max_length=40)  # per_lead, match_fee, source_terms, los...
    is_provisional = models.BooleanField(default=False)
    cause = models.CharField(max_length=160, unique=True)  # what makes it once
    booked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    booked_at = models.DateTimeField()

    class Meta:
        db_table = "money_entry"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["cost", "credit", "revenue", "reversal"]),
                name="entry_kind_known",
            ),
            models.CheckConstraint(condition=Q(amount_cents__gte=0), name="entry_not_negative"),
        ]
        indexes = [
            models.Index(fields=["source", "on_date"], name="entry_by_source"),
            models.Index(fields=["lead"], name="entry_by_lead"),
        ]

    def __str__(self) -> str:
        return f"money_entry:{self.pk}"
