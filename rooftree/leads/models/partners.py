"""Who introduces borrowers to us, whom they introduced, and what passed between us."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

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


class PartnerPermission(models.Model):
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


class Agreement(models.Model):
    """What we pay a partner or a seller of leads for, from one day to another (12 USC 2607).

    What the rule forbids has no row. What needs counsel is in force once a second person
    has approved it on a document of counsel's.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    partner = models.ForeignKey(Partner, models.PROTECT, null=True, related_name="agreements")
    source = models.ForeignKey(Source, models.PROTECT, null=True, related_name="agreements")
    payee = models.CharField(max_length=30)  # what the rule takes them for
    basis = models.CharField(max_length=40)  # what the amount depends on
    endorses_us = models.BooleanField(default=False)
    what = models.CharField(max_length=200)  # the service, or the joint advertising
    cents = models.BigIntegerField()  # for all of it; of a lead, where leads are bought
    our_cost_pct = models.PositiveSmallIntegerField(null=True)  # of joint advertising
    our_benefit_pct = models.PositiveSmallIntegerField(null=True)
    fair_value_document = models.CharField(max_length=200, blank=True)
    document = models.CharField(max_length=200)  # where the signed paper lies
    from_date = models.DateField()
    until_date = models.DateField()  # inclusive
    decision = models.CharField(max_length=8)
    reason = models.CharField(max_length=60)
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()
    counsel_document = models.CharField(max_length=200, blank=True)
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)  # sooner than agreed
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "agreement"
        constraints = [
            models.CheckConstraint(
                condition=Q(partner=None, source__isnull=False)
                | Q(partner__isnull=False, source=None),
                name="agreement_with_one",
            ),
            models.CheckConstraint(
                condition=Q(decision__in=["allow", "require"]), name="agreement_never_blocked"
            ),
            models.CheckConstraint(
                condition=Q(our_cost_pct=None, our_benefit_pct=None)
                | Q(our_cost_pct__lte=F("our_benefit_pct"), our_benefit_pct__lte=100),
                name="agreement_pays_no_more_than_it_gets",
            ),
            models.CheckConstraint(
                condition=Q(until_date__gte=F("from_date")), name="agreement_ends_later"
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None, approved_at=None)
                | (
                    Q(approved_by__isnull=False, approved_at__isnull=False)
                    & ~Q(approved_by=F("entered_by"))
                    & ~Q(counsel_document="")
                ),
                name="agreement_approved_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"agreement:{self.pk}"


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
    basis = models.CharField(max_length=40, blank=True)  # what a thing given depends on
    agreement = models.ForeignKey(Agreement, models.PROTECT, null=True, related_name="things")
    document = models.CharField(max_length=200, blank=True)  # counsel's
    decision = models.CharField(max_length=8, blank=True)  # of rule RSP-01; "" of what we had
    reason = models.CharField(max_length=60, blank=True)
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
