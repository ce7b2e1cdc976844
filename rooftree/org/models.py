"""Tables of the company, its branches, its staff and their permissions."""

from datetime import timedelta

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from rooftree.core.uuid7 import uuid7

ROLES = {
    "officer": "Loan officer",
    "assistant": "Loan officer assistant",
    "manager": "Branch manager",
    "operations": "Operations",
    "marketing": "Marketing",
    "compliance": "Compliance",
    "executive": "Executive",
    "administrator": "Administrator",
}

PARTNER = "partner"  # not staff: sees the partner pages and nothing else


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
        constraints = [models.CheckConstraint(
            condition=Q(kind__in=["nonbank", "depository"]), name="company_kind_known"
        ), models.CheckConstraint(
            condition=Q(missed_offers_limit__lte=5), name="company_missed_offers_few"
        )]  # fmt: skip

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
        constraints = [models.CheckConstraint(
            condition=Q(kind__in=["region", "branch", "team"]), name="branch_kind_known"
        )]  # fmt: skip

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


class UserManager(BaseUserManager["User"]):
    """Finds users by email, ignoring case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """One user who signs in: a member of staff or a partner. Borrowers are never users."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=20)
    # None: the whole company
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, related_name="users")
    phone = models.CharField(max_length=20, blank=True)  # E.164
    title = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    # since when the administrator lets the user override the company's own contact limits
    overrides_limits_from = models.DateTimeField(null=True)
    joined_at = models.DateTimeField(db_default=Now())

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name", "role"]
    objects = UserManager()

    class Meta:
        db_table = "user"
        constraints = [
            models.CheckConstraint(condition=Q(role__in=[*ROLES, PARTNER]), name="user_role_known"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def role_label(self) -> str:
        return ROLES.get(self.role, "Partner")

    @property
    def is_partner(self) -> bool:
        return self.role == PARTNER


class LoanOfficer(models.Model):
    """A licensed loan officer: products, working hours and lead limits."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    user = models.OneToOneField(User, models.PROTECT, related_name="officer")
    branch = models.ForeignKey(Branch, models.PROTECT, related_name="officers")
    nmls_id = models.CharField(max_length=20, unique=True)
    languages = ArrayField(models.CharField(max_length=5), default=list)  # BCP-47 primary tags
    products = ArrayField(models.CharField(max_length=30), default=list)  # empty: all
    phone = models.CharField(max_length=20)  # E.164, the number that rings
    is_texted = models.BooleanField(default=True, db_default=True)  # about offers, at `phone`
    text_number = models.CharField(max_length=20, blank=True)  # E.164, shown to borrowers
    zone = models.CharField(max_length=60, default="America/New_York")
    hours = models.JSONField(default=dict)  # {"mon": ["08:00", "18:00"], ...}, own zone
    daily_cap = models.PositiveIntegerField(default=20)  # new leads a local day
    open_cap = models.PositiveIntegerField(default=60)  # leads owned and not yet reached
    backup = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")
    paused_at = models.DateTimeField(null=True)  # takes no leads, by the officer or the product
    paused_until = models.DateTimeField(null=True)  # None: until the officer resumes
    pause_reason = models.CharField(max_length=120, blank=True, default="", db_default="")
    resumed_at = models.DateTimeField(null=True)  # the last time; missed offers count from here
    sponsored_from_date = models.DateField()  # NMLS sponsorship by this company
    terminated_at = models.DateTimeField(null=True)

    class Meta:
        # trigger: watch_employment
        db_table = "loan_officer"

    def __str__(self) -> str:
        return f"officer:{self.nmls_id}"


TEMPORARY_AUTHORITY = "Temporary Authority"
TEMPORARY_AUTHORITY_LIMIT = timedelta(days=120)  # at most (12 USC 5117(d))
# NMLS statuses under which an officer can originate
AUTHORIZING_STATUSES = ("Approved", TEMPORARY_AUTHORITY)


class License(models.Model):
    """A loan officer's permission to originate in one state between two dates."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    officer = models.ForeignKey(LoanOfficer, models.CASCADE, related_name="licenses")
    state = models.CharField(max_length=2)
    number = models.CharField(max_length=40)
    status = models.CharField(max_length=40, default="Approved")  # NMLS status
    from_date = models.DateField()
    until_date = models.DateField(null=True)  # exclusive

    class Meta:
        # trigger: watch_license
        db_table = "license"
        constraints = [
            models.CheckConstraint(
                condition=Q(until_date=None) | Q(until_date__gt=F("from_date")),
                name="license_ends_later",
            ),
            models.CheckConstraint(
                condition=~Q(status__iexact=TEMPORARY_AUTHORITY)
                | Q(
                    until_date__isnull=False,  # without this, a null end date would pass the check
                    until_date__lte=F("from_date") + TEMPORARY_AUTHORITY_LIMIT,
                ),
                name="temporary_authority_is_short",
            ),
        ]
        indexes = [models.Index(fields=["officer", "state"], name="license_by_officer_state")]

    def __str__(self) -> str:
        return f"license:{self.pk}"


class Assistance(models.Model):
    """One assistant who works the leads of one loan officer."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    assistant = models.ForeignKey(User, models.CASCADE, related_name="assists")
    officer = models.ForeignKey(LoanOfficer, models.CASCADE, related_name="assistants")

    class Meta:
        db_table = "assistance"
        constraints = [
            models.UniqueConstraint(fields=["assistant", "officer"], name="assists_once"),
        ]

    def __str__(self) -> str:
        return f"assistance:{self.pk}"


class StaffNotice(models.Model):
    """One notice to one member of staff, never to a borrower."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    user = models.ForeignKey(User, models.CASCADE, related_name="notices")
    idempotency_key = models.CharField(max_length=160)  # dedupes notices: kind and id
    kind = models.CharField(max_length=40)
    text = models.CharField(max_length=400)  # names a borrower as `Ben O.`, with no other data
    link = models.CharField(max_length=200, blank=True)  # a path on this site
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "staff_notice"
        constraints = [
            models.UniqueConstraint(fields=["user", "idempotency_key"], name="notice_once"),
        ]
        indexes = [
            models.Index(fields=["user", "at"], condition=Q(read_at=None), name="notice_unread"),
        ]

    def __str__(self) -> str:
        return f"staff_notice:{self.pk}"


class SendingPause(models.Model):
    """A period in which nothing is sent: no message, no call, nothing to the LOS."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    from_at = models.DateTimeField()
    reason = models.CharField(max_length=200)  # a sentence fit to show
    backup_at = models.DateTimeField(null=True)  # when the restored backup was made
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "sending_pause"
        constraints = [
            models.UniqueConstraint(
                fields=["released_at"], nulls_distinct=False, name="one_sending_pause"
            ),
        ]

    def __str__(self) -> str:
        return f"sending_pause:{self.pk}"


class StaffSession(AbstractBaseSession):
    """One browser session: its data and, once signed in, its user.

    `expire_date` is the absolute end; a session also ends when `seen_at` is too long ago.
    A session without a user is a sign-in that isn't finished.
    """

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()  # to the minute; a page's automatic requests don't count
    factor = models.CharField(max_length=20, blank=True)  # second_factor.Factor
    device = models.CharField(max_length=60, blank=True)  # "Chrome on Android"
    address = models.CharField(max_length=43, blank=True)  # shortened: a network, never a machine

    class Meta:
        db_table = "staff_session"
        indexes = [
            models.Index(fields=["user"], name="staff_session_by_user"),
            models.Index(fields=["expire_date"], name="staff_session_by_end"),
        ]

    def __str__(self) -> str:
        return "staff_session"  # not the key, which grants access


class ApiKey(models.Model):
    """One system's access: acts as a member of staff, within its scopes."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    name = models.CharField(max_length=80)
    user = models.ForeignKey(
        User, models.PROTECT, related_name="api_keys"
    )  # the key sees what this user sees
    start = models.CharField(max_length=12, unique=True)  # the part that can be shown
    secret_hash = models.CharField(max_length=64)  # sha-256 hex; 256 random bits need no salt
    scopes = ArrayField(models.CharField(max_length=30))
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)  # to the minute
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "api_key"
        constraints = [models.CheckConstraint(
            condition=Q(expires_at__gt=F("created_at")), name="api_key_ends_later"
        )]  # fmt: skip

    def __str__(self) -> str:
        return f"api_key:{self.pk}"


class AccessEntry(models.Model):
    """One sign-in, failed attempt, opened lead or export. Append-only, enforced by the database.

    Holds staff activity and, of borrowers, only ids. An unknown email that was tried is
    stored as a keyed hash.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    at = models.DateTimeField()
    kind = models.CharField(max_length=30)  # access_log.AccessKind
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    api_key = models.ForeignKey(ApiKey, models.PROTECT, null=True, related_name="+")
    tried = models.CharField(max_length=16, blank=True)  # start of the hash of an unknown email
    address = models.CharField(max_length=43, blank=True)  # shortened: a network, never a machine
    device = models.CharField(max_length=60, blank=True)
    factor = models.CharField(max_length=20, blank=True)
    lead_id = models.UUIDField(null=True)
    subject = models.CharField(max_length=120, blank=True)  # the thing exported, changed or ended
    reason = models.CharField(max_length=300, blank=True)  # the reason given for an export
    number = models.IntegerField(null=True)  # rows of an export

    class Meta:
        # trigger: access_entry_append_only
        db_table = "access_entry"
        indexes = [
            models.Index(fields=["-at"], name="access_entry_by_time"),
            models.Index(fields=["user", "-at"], name="access_entry_by_user"),
            models.Index(
                fields=["lead_id"], condition=Q(lead_id__isnull=False), name="access_entry_by_lead"
            ),
        ]

    def __str__(self) -> str:
        return f"access_entry:{self.pk}"


class Throttle(models.Model):
    """One counter of attempts since a moment, for one account, address or key."""

    key = models.CharField(primary_key=True, max_length=64)  # keyed hash of limit and subject
    began_at = models.DateTimeField()
    count = models.IntegerField()

    class Meta:
        db_table = "throttle"
        indexes = [models.Index(fields=["began_at"], name="throttle_by_age")]

    def __str__(self) -> str:
        return "throttle"
