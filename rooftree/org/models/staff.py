"""Users with their roles, loan officers and their licenses, and notices to staff."""

from datetime import timedelta

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from rooftree.core.uuid7 import uuid7
from rooftree.org.models.company import Branch

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
DESK_ROLES = ("officer", "assistant")  # see their own leads, or those of the officers they assist
# The fair-lending monitor measures their work, and compliance alone reads it.
MONITORED_ROLES = (*DESK_ROLES, "manager")


class UserManager(BaseUserManager["User"]):
    """Finds users by email, ignoring case, and by role."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)

    def staff(self) -> models.QuerySet["User"]:
        """Return everyone but partners, former staff included."""
        return self.exclude(roles__contains=[PARTNER])

    def with_role(self, *roles: str) -> models.QuerySet["User"]:
        """Return the active users who hold one of the roles, as their primary role or not."""
        return self.filter(roles__overlap=list(roles), is_active=True)


class User(AbstractBaseUser):
    """One user who signs in: a member of staff or a partner. Borrowers are never users."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    roles = ArrayField(models.CharField(max_length=20))  # the first is the primary role
    # None: the whole company
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, related_name="users")
    phone = models.CharField(max_length=20, blank=True)  # E.164
    title = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    # since when the administrator lets the user override the company's own contact limits
    overrides_limits_from = models.DateTimeField(null=True)
    joined_at = models.DateTimeField(db_default=Now())

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name", "roles"]
    objects = UserManager()

    class Meta:
        db_table = "user"
        constraints = [
            models.CheckConstraint(
                condition=Q(roles__contained_by=[*ROLES, PARTNER], roles__len__gte=1),
                name="user_roles_known",
            ),
            models.CheckConstraint(
                condition=~Q(roles__contains=[PARTNER]) | Q(roles__len=1),
                name="user_partner_is_no_staff",
            ),
            models.CheckConstraint(
                condition=~Q(roles__contains=["compliance"], roles__overlap=[*MONITORED_ROLES]),
                name="user_compliance_is_apart",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def has_role(self, *roles: str) -> bool:
        """Return True if the user holds one of the roles."""
        return not set(roles).isdisjoint(self.roles)

    @property
    def primary_role(self) -> str:
        """The role whose page opens after sign-in and whose pages come first."""
        return self.roles[0]

    @property
    def role_label(self) -> str:
        """All roles in words, the primary one first: "Administrator, branch manager"."""
        return ", ".join(ROLES.get(role, "Partner") for role in self.roles).capitalize()

    @property
    def is_partner(self) -> bool:
        return self.has_role(PARTNER)

    @property
    def is_desk_only(self) -> bool:
        """True if what the user sees depends only on their id and roles, not on a branch."""
        return set(self.roles) <= set(DESK_ROLES)


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
