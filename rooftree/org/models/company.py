"""The company, its branches and its licenses, and a pause of all sending."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from rooftree.core.uuid7 import uuid7


def office_hours() -> dict[str, list[str]]:
    """Return a new company's default calling hours: weekdays 8 to 8 and Saturdays."""
    days = {day: ["08:00", "20:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
    return {**days, "sat": ["09:00", "17:00"]}


class Company(models.Model):
    """The one row of this deployment: the lender, as the law and messages name it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    legal_name = models.CharField(max_length=200)
    brand = models.CharField(max_length=120)  # how messages name us
    registered_dbas = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    kind = models.CharField(max_length=20, default="nonbank")
    nmls_id = models.CharField(max_length=20)
    postal_address = models.CharField(max_length=300)  # CAN-SPAM footer
    phone = models.CharField(max_length=20)  # E.164
    website = models.URLField(blank=True)
    privacy_url = models.URLField(blank=True, default="", db_default="")  # linked by our own form
    zone = models.CharField(max_length=60, default="America/New_York")  # IANA
    hours = models.JSONField(default=office_hours)  # same format as an officer's; {}: at any hour
    # notified when no officer can take a lead
    alarm_user = models.ForeignKey("rooftree.User", models.SET_NULL, null=True, related_name="+")
    # states with a telemarketer registration, or an exemption with the memo on file
    telemarketer_states = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    texting = models.JSONField(default=dict)  # 10DLC: brand_registered, attributes, carrier_policy
    mail_is_authenticated = models.BooleanField(default=False)  # SPF, DKIM, DMARC aligned
    emergencies = models.JSONField(default=list)  # [{state, county, from, until}] as declared
    emergencies_checked_at = models.DateTimeField(null=True)
    records_calls_from = models.DateTimeField(null=True)  # None: no call is recorded
    # Offers missed in a row after which an officer gets no new leads; 0: any number.
    missed_offers_limit = models.PositiveSmallIntegerField(default=2, db_default=2)
    missed_offers_hours = models.PositiveSmallIntegerField(null=True)  # within them; None: ever
    # How long the officer is off; None: until their next working day.
    missed_offers_off_hours = models.PositiveSmallIntegerField(null=True)

    class Meta:
        # trigger: watch_company
        db_table = "company"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["nonbank", "depository"]), name="company_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(missed_offers_limit__lte=5), name="company_missed_offers_few"
            ),
        ]

    def __str__(self) -> str:
        return self.brand


class Branch(models.Model):
    """One node of the company's tree: a region, a branch or a team."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    kind = models.CharField(max_length=10, default="branch")
    name = models.CharField(max_length=120)
    nmls_id = models.CharField(max_length=20, blank=True)
    zone = models.CharField(max_length=60, default="America/New_York")
    path = models.CharField(max_length=400, unique=True)  # /<id>/<id>/, ancestors first

    class Meta:
        db_table = "branch"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["region", "branch", "team"]), name="branch_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CompanyLicense(models.Model):
    """The company's permission to lend in one state between two dates."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    state = models.CharField(max_length=2)
    number = models.CharField(max_length=40)
    # which of the state's licenses, where its disclosure differs; see license_wording.yaml
    license = models.CharField(max_length=20, blank=True, default="", db_default="")
    from_date = models.DateField()
    until_date = models.DateField(null=True)  # exclusive

    class Meta:
        # trigger: watch_company_license
        db_table = "company_license"
        indexes = [models.Index(fields=["state"], name="company_license_by_state")]

    def __str__(self) -> str:
        return f"company_license:{self.pk}"


class SendingPause(models.Model):
    """A period in which nothing is sent: no message, no call, nothing to the LOS."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    from_at = models.DateTimeField()
    reason = models.CharField(max_length=200)  # a sentence fit to show
    backup_at = models.DateTimeField(null=True)  # when the restored backup was made
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey("rooftree.User", models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "sending_pause"
        constraints = [
            models.UniqueConstraint(
                fields=["released_at"], nulls_distinct=False, name="one_sending_pause"
            ),
        ]

    def __str__(self) -> str:
        return f"sending_pause:{self.pk}"
