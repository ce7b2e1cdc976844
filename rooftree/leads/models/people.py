"""Tables for people, their phone numbers and email addresses, merges and duplicates."""

from django.db import models
from django.db.models import F, Q

from rooftree.core.uuid7 import uuid7
from rooftree.org.models import User

# moved: two people, and the number now belongs to the newer record.
DUPLICATE_ANSWERS = ["same", "two", "moved"]


class Person(models.Model):
    """One person we can contact. Consent belongs to a person and a number or address."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    first_name = models.CharField(max_length=120, blank=True)
    middle_name = models.CharField(max_length=120, blank=True)
    last_name = models.CharField(max_length=120, blank=True)
    suffix = models.CharField(max_length=4, blank=True)
    language = models.CharField(max_length=5, blank=True)  # stated, never guessed
    street = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=2, blank=True)  # of residence, if stated
    zip = models.CharField(max_length=5, blank=True)
    name_key = models.CharField(max_length=250, blank=True, db_default="")  # for lookups
    merged_into = models.ForeignKey(  # the record this one is merged into
        "self", models.PROTECT, null=True, related_name="absorbed", db_index=False
    )
    home_key = models.CharField(max_length=220, blank=True, db_default="")  # for lookups
    compared_at = models.DateTimeField(null=True)  # last duplicate check; empty: not checked yet
    created_at = models.DateTimeField()

    class Meta:
        db_table = "person"
        constraints = [
            models.CheckConstraint(
                condition=Q(merged_into=None) | ~Q(merged_into=F("id")), name="merged_into_another"
            ),
        ]
        indexes = [
            models.Index(fields=["name_key"], condition=~Q(name_key=""), name="person_by_name"),
            models.Index(
                fields=["merged_into"], condition=Q(merged_into__isnull=False), name="person_parts"
            ),
            models.Index(fields=["home_key"], condition=~Q(home_key=""), name="person_by_home"),
            models.Index(
                fields=["created_at"], condition=Q(compared_at=None), name="person_to_compare"
            ),
        ]

    def __str__(self) -> str:
        return f"person:{self.pk}"

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part) or "No name yet"

    @property
    def short_name(self) -> str:
        """The first name and the initial of the last, for notices, such as Ben O."""
        initial = f"{self.last_name[0]}." if self.last_name else ""
        return " ".join(part for part in (self.first_name, initial) if part) or "A borrower"


class Phone(models.Model):
    """One number a person gave us. Unlinked, not deleted, if it turns out to be someone else's."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    person = models.ForeignKey(Person, models.CASCADE, related_name="phones")
    e164 = models.CharField(max_length=16)
    kind = models.CharField(max_length=10, default="unknown")
    is_primary = models.BooleanField(default=False)
    given_at = models.DateTimeField()
    stated_at = models.DateTimeField(null=True)  # when it was last given; empty: only once
    unlinked_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)  # when a carrier reported it out of service

    class Meta:
        db_table = "phone"
        constraints = [
            models.UniqueConstraint(fields=["person", "e164"], name="phone_once_a_person"),
        ]
        indexes = [models.Index(fields=["e164"], name="phone_by_number")]

    def __str__(self) -> str:
        return f"phone:{self.pk}"


class Email(models.Model):
    """One email address a person gave us; `key` is its normalized form for matching."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    person = models.ForeignKey(Person, models.CASCADE, related_name="emails")
    address = models.CharField(max_length=254)
    key = models.CharField(max_length=254)
    is_primary = models.BooleanField(default=False)
    given_at = models.DateTimeField()
    stated_at = models.DateTimeField(null=True)  # when it was last given; empty: only once
    bounced_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "email"
        constraints = [
            models.UniqueConstraint(fields=["person", "key"], name="email_once_a_person"),
        ]
        indexes = [models.Index(fields=["key"], name="email_by_key")]

    def __str__(self) -> str:
        return f"email:{self.pk}"


class PersonMerge(models.Model):
    """One merge of two records of one person, with all moved rows, so it can be undone."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    survivor = models.ForeignKey(Person, models.PROTECT, related_name="merges")
    merged = models.ForeignKey(Person, models.PROTECT, related_name="merged_as")
    reason = models.CharField(max_length=24)  # a key of capture.identity.merge_people.MERGE_REASONS
    evidence = models.CharField(max_length=200, blank=True)  # the evidence shown to staff
    moved = models.JSONField()  # by table: ids of rows that changed their person
    changed = models.JSONField()  # other changes: table, id, column, old, new
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    split_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    split_at = models.DateTimeField(null=True)
    split_reason = models.CharField(
        max_length=24, blank=True
    )  # a key of capture.identity.split_people.SPLIT_REASONS

    class Meta:
        db_table = "person_merge"
        constraints = [
            models.UniqueConstraint(
                fields=["merged"], condition=Q(split_at=None), name="part_of_one_person"
            ),
        ]

    def __str__(self) -> str:
        return f"person_merge:{self.pk}"


class PossibleDuplicate(models.Model):
    """One pair of possible duplicates that staff decide once. No lead waits for it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    older = models.ForeignKey(Person, models.CASCADE, related_name="+")  # the older record
    newer = models.ForeignKey(Person, models.CASCADE, related_name="+")
    speaks_for = models.CharField(max_length=300)  # fit to show
    against = models.CharField(max_length=300, blank=True)
    number = models.CharField(max_length=16, blank=True)  # a number that can have a new owner
    found_at = models.DateTimeField()
    answer = models.CharField(max_length=5, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "possible_duplicate"
        constraints = [
            models.UniqueConstraint(fields=["older", "newer"], name="likeness_once_a_pair"),
            models.CheckConstraint(
                condition=Q(answer="", answered_at=None)
                | Q(answer__in=DUPLICATE_ANSWERS, answered_at__isnull=False),
                name="likeness_answer_known",
            ),
        ]
        indexes = [
            models.Index(fields=["found_at"], condition=Q(answer=""), name="likeness_open"),
            models.Index(fields=["answered_at"], condition=~Q(answer=""), name="likeness_answered"),
        ]

    def __str__(self) -> str:
        return f"possible_duplicate:{self.pk}"
