"""Tables for referral partners, their introductions, agreements and the RESPA log."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models.sources import Delivery, Source
from rooftree.org.models import User


class Partner(models.Model):
    """One agent, builder or other referral partner, with their own sign-in."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    user = models.OneToOneField(User, models.PROTECT, related_name="partner")
    source = models.ForeignKey(Source, models.PROTECT, related_name="partners")
    kind = models.CharField(max_length=20)  # leads.vocabulary.PartnerType
    company = models.CharField(max_length=120, blank=True)
    license_no = models.CharField(max_length=40, blank=True)
    slug = models.SlugField(unique=True)  # in the link of their form
    added_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        db_table = "partner"

    def __str__(self) -> str:
        return self.user.name


class Introduction(models.Model):
    """One borrower a partner introduced, entered by the partner or through the partner's link."""

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
    """The steps a borrower lets their partner see from a given time. The newest row counts."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    introduction = models.ForeignKey(Introduction, models.PROTECT, related_name="permissions")
    steps = ArrayField(models.CharField(max_length=20), default=list)  # empty: withdrawn
    evidence = models.CharField(max_length=200)  # how the borrower said so
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        # trigger: partner_permission_append_only
        db_table = "partner_permission"

    def __str__(self) -> str:
        return f"permission:{self.pk}"


class Agreement(models.Model):
    """One agreement to pay a partner or lead seller for a period (12 USC 2607).

    Agreements the rule forbids have no row. An agreement that needs counsel is in force
    once a second person has approved it based on a document from counsel.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    partner = models.ForeignKey(Partner, models.PROTECT, null=True, related_name="agreements")
    source = models.ForeignKey(Source, models.PROTECT, null=True, related_name="agreements")
    payee = models.CharField(max_length=30)  # kind of payee under the rule
    basis = models.CharField(max_length=40)  # what the amount depends on
    endorses_us = models.BooleanField(default=False)
    description = models.CharField(max_length=200)  # the service, or the joint advertising
    cents = models.BigIntegerField()  # in total, or per lead where leads are bought
    our_cost_pct = models.PositiveSmallIntegerField(null=True)  # of joint advertising
    our_benefit_pct = models.PositiveSmallIntegerField(null=True)
    fair_value_document = models.CharField(max_length=200, blank=True)
    document = models.CharField(max_length=200)  # location of the signed document
    from_date = models.DateField()
    until_date = models.DateField()  # inclusive
    decision = models.CharField(max_length=8)
    reason = models.CharField(max_length=60)
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()
    counsel_document = models.CharField(max_length=200, blank=True)
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)  # if ended early
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
    """One thing of value given to or received from a partner. The database keeps it append-only.

    A mistake is corrected by a row that names the row it corrects (12 USC 2607).
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="things")
    direction = models.CharField(max_length=8)
    description = models.CharField(max_length=200)
    fair_value_cents = models.BigIntegerField()
    justification = models.CharField(max_length=300)  # the service or the occasion
    on_date = models.DateField()
    basis = models.CharField(max_length=40, blank=True)  # the basis of a thing given
    agreement = models.ForeignKey(Agreement, models.PROTECT, null=True, related_name="things")
    document = models.CharField(max_length=200, blank=True)  # counsel's
    decision = models.CharField(max_length=8, blank=True)  # of rule RSP-01; "" for things received
    reason = models.CharField(max_length=60, blank=True)
    corrects = models.OneToOneField("self", models.PROTECT, null=True, related_name="corrected_by")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        # trigger: thing_of_value_append_only
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
