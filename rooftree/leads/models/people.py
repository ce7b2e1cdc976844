"""The humans we may contact, and the ways to reach them."""

from django.db import models

from rooftree.core.uuid7 import uuid7


class Person(models.Model):
    """A human we may contact. Consent belongs to a person and a number or address."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    first_name = models.CharField(max_length=120, blank=True)
    middle_name = models.CharField(max_length=120, blank=True)
    last_name = models.CharField(max_length=120, blank=True)
    suffix = models.CharField(max_length=4, blank=True)
    language = models.CharField(max_length=5, blank=True)  # stated, never guessed
    street = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=2, blank=True)  # of residence, when told
    zip = models.CharField(max_length=5, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "person"

    def __str__(self) -> str:
        return f"person:{self.pk}"

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part) or "No name yet"


class Phone(models.Model):
    """A number a person gave us. Unlinked, not deleted, when it proves to be someone else's."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    person = models.ForeignKey(Person, models.CASCADE, related_name="phones")
    e164 = models.CharField(max_length=16)
    kind = models.CharField(max_length=10, default="unknown")
    is_primary = models.BooleanField(default=False)
    given_at = models.DateTimeField()
    unlinked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "phone"
        constraints = [
            models.UniqueConstraint(fields=["person", "e164"], name="phone_once_a_person"),
        ]
        indexes = [models.Index(fields=["e164"], name="phone_by_number")]

    def __str__(self) -> str:
        return f"phone:{self.pk}"


class Email(models.Model):
    """An address a person gave us; `key` is its normal form for matching."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    person = models.ForeignKey(Person, models.CASCADE, related_name="emails")
    address = models.CharField(max_length=254)
    key = models.CharField(max_length=254)
    is_primary = models.BooleanField(default=False)
    given_at = models.DateTimeField()
    bounced_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "email"
        constraints = [
            models.UniqueConstraint(fields=["person", "key"], name="email_once_a_person"),
        ]
        indexes = [models.Index(fields=["key"], name="email_by_key")]

    def __str__(self) -> str:
        return f"email:{self.pk}"
