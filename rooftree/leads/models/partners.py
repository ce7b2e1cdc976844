"""Who introduces borrowers to us, whom they introduced, and what passed between us."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models.sources import Delivery, Source
from rooftree.org.models import User


class Partner(models.Model):
    """An agent, a builder or another who introduces borrowers, with a sign-in of their own."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    user = models.OneToOneField(User, models.PROTECT, related_name="partner")
    source = models.ForeignKey(Source, models.PROTECT, related_name="partners")
    kind = models.CharField(max_length=20)  # leads.vocabulary.PartnerType
    company = models.CharField(max_length=120, blank=True)
    license_no = models.CharField(max_length=40, blank=True)
    slug = models.SlugField(unique=True)  # what their form link is known by
    added_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        db_table = "partner"

    def __str__(self) -> str:
        return self.user.name


class Introduction(models.Model):
    """One borrower a partner sent us, by their own form or the borrower through their link."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="introductions")
    delivery = models.OneToOneField(Delivery, models.PROTECT, related_name="introduction")
    name = models.CharField(max_length=120)  # as the partner may see it
    at = models.DateTimeField()

    class Meta:
        db_table = "introduction"
        indexes = [models.Index(fields=["partner", "at"], name="introduction_by_partner")]

    def __str__(self) -> str:
        return f"introduction:{self.pk}"


class Permission(models.Model):
    """What a borrower allowed their partner to see, from a moment on. The newest row counts."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    introduction = models.ForeignKey(Introduction, models.PROTECT, related_name="permissions")
    steps = ArrayField(models.CharField(max_length=20), default=list)  # none: taken back
    said = models.CharField(max_length=200)  # how they said so
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        db_table = "partner_permission"

    def __str__(self) -> str:
        return f"permission:{self.pk}"


class ThingOfValue(models.Model):
    """Something given to or had from a partner. Append-only, by the database itself.

    A slip is taken back by a row that names the one it corrects (12 USC 2607).
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="things")
    direction = models.CharField(max_length=8)
    what = models.CharField(max_length=200)
    fair_value_cents = models.BigIntegerField()
    why = models.CharField(max_length=300)  # the service or the occasion
    on_date = models.DateField()
    corrects = models.OneToOneField("self", models.PROTECT, null=True, related_name="corrected_by")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        db_table = "thing_of_value"
        constraints = [
            models.CheckConstraint(
                condition=Q(direction__in=["given", "received"]), name="thing_given_or_received"
            ),
            models.CheckConstraint(
                condition=Q(fair_value_cents__gte=0), name="thing_value_not_negative"
            ),
        ]
        indexes = [models.Index(fields=["partner", "on_date"], name="thing_by_partner")]

    def __str__(self) -> str:
        return f"thing_of_value:{self.pk}"
