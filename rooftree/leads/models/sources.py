"""Tables for lead sources, campaigns, deliveries and rejected deliveries."""

import json

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from rooftree.core.uuid7 import uuid7
from rooftree.db.sealed_text import SealedTextField

SOURCE_SECRETS = ("token", "secret", "credentials")  # decrypted when loaded: lists defer them


class Source(models.Model):
    """One source of leads, with its adapter, secrets and settings."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    adapter = models.CharField(max_length=30)  # a key of capture.sources.SOURCES
    name = models.CharField(max_length=120, unique=True)  # as staff see it
    slug = models.SlugField(unique=True)
    token = SealedTextField(blank=True)  # the unguessable part of the path
    token_hash = models.CharField(max_length=64, blank=True)  # sha-256 hex, for lookups
    secret = SealedTextField(blank=True)  # signing key, where the vendor signs
    credentials = SealedTextField(blank=True, default="", db_default="")  # JSON, by name
    setup = models.JSONField(default=dict)  # adapter settings: field map, proof, answers
    allowed_origins = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    zone = models.CharField(max_length=60, default="America/New_York")  # of times without a zone
    cost_cents = models.PositiveIntegerField(null=True)  # per lead, if the delivery states no price
    is_test = models.BooleanField(default=False)
    expected_gap = models.DurationField(
        null=True
    )  # no delivery for longer than this raises an alarm
    # Deliveries accepted per minute; the rest is asked to retry. None: no limit.
    per_minute = models.PositiveIntegerField(null=True, default=6000, db_default=6000)
    paused_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    # Before that it is in audit mode: it captures leads, but buys and reports nothing.
    launched_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "source"
        indexes = [models.Index(fields=["adapter", "token_hash"], name="source_by_token")]

    def __str__(self) -> str:
        return self.name

    @property
    def vendor_credentials(self) -> dict[str, str]:
        """The source's vendor credentials by the keys of the adapter's CREDENTIALS."""
        return {**json.loads(self.credentials or "{}"), "secret": self.secret}


class Campaign(models.Model):
    """One campaign at a source."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.PROTECT, related_name="campaigns")
    name = models.CharField(max_length=200)

    class Meta:
        db_table = "campaign"
        constraints = [
            models.UniqueConstraint(fields=["source", "name"], name="campaign_once_a_source"),
        ]

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """One delivery as a source sent it, masked, with its outcome."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.PROTECT, related_name="deliveries")
    received_at = models.DateTimeField()
    method = models.CharField(max_length=8, default="POST")
    path = models.CharField(max_length=300)  # the token left out
    query = models.JSONField(default=dict)
    headers = models.JSONField(default=dict)  # credentials left out
    body = models.BinaryField()  # masked: no SSN, card or account number
    body_sha256 = models.CharField(max_length=64)  # of the unmasked bytes
    remote_addr = models.GenericIPAddressField(null=True)
    verification = models.CharField(max_length=40)  # how the sender was verified
    state = models.CharField(max_length=12, default="received")
    outcome = models.CharField(max_length=24, blank=True)  # of the envelope
    reason = models.CharField(max_length=80, blank=True)
    warnings = ArrayField(models.CharField(max_length=200), default=list)
    adapter_version = models.CharField(max_length=20, blank=True)
    due_at = models.DateTimeField(null=True)  # when intake can work on it (again)
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.TextField(blank=True)  # for staff
    worked_at = models.DateTimeField(null=True)
    price_cents = models.PositiveIntegerField(null=True)  # of its inquiry, as offered

    class Meta:
        db_table = "delivery"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["received", "worked", "quarantined", "closed", "duplicate"]),
                name="delivery_state_known",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="received"), name="delivery_waiting"),
            models.Index(fields=["source", "received_at"], name="delivery_by_source"),
            models.Index(
                fields=["received_at"], condition=Q(state="quarantined"), name="delivery_quarantine"
            ),
        ]

    def __str__(self) -> str:
        return f"delivery:{self.pk}"


class DeliveryKey(models.Model):
    """One key that identifies a repeated delivery, and the reply to the first one."""

    key = models.CharField(primary_key=True, max_length=300)
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="keys")
    answer_status = models.PositiveSmallIntegerField()
    answer_type = models.CharField(max_length=80, blank=True)
    answer_body = models.TextField(blank=True)

    class Meta:
        db_table = "delivery_key"

    def __str__(self) -> str:
        return f"delivery_key:{self.pk}"


class RejectionCount(models.Model):
    """The number of rejected deliveries of one kind on one day. Their bytes are not stored."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    adapter = models.CharField(max_length=30)
    reason = models.CharField(max_length=24)
    on_date = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "rejection_count"
        constraints = [
            models.UniqueConstraint(
                fields=["adapter", "reason", "on_date"], name="rejections_once_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"rejection_count:{self.pk}"


class RateLimitCount(models.Model):
    """The number of deliveries of one source over its limit on one day. None were stored."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey(Source, models.CASCADE, related_name="floods")
    on_date = models.DateField()  # UTC
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        db_table = "rate_limit_count"
        constraints = [
            models.UniqueConstraint(fields=["source", "on_date"], name="floods_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"rate_limit_count:{self.pk}"
