"""Sessions, API keys, the audit log, and counts of attempts."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import F, Q

from rooftree.core.uuid7 import uuid7
from rooftree.org.models.staff import User


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
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="api_key_ends_later"
            ),
        ]

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
