"""What must not be removed, what people asked of us, and what was removed, with its proof."""

from django.db import models
from django.db.models import F, Q

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models import Person, Source
from rooftree.org.models import User

REQUEST_KINDS = ["access", "correction", "deletion"]
REQUEST_OUTCOMES = ["", "done", "refused", "withdrawn"]
PURGE_CAUSES = ["schedule", "request", "restore"]


class LegalHold(models.Model):
    """A matter for which records must stay, whatever their clocks and their people say.

    One of a person, a number or address, a source, or a time; of the last two together,
    what fits both. Until it is lifted.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    matter = models.CharField(max_length=120)
    why = models.CharField(max_length=400)
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    address = models.CharField(max_length=254, blank=True)  # E.164 or e-mail key
    source = models.ForeignKey(Source, models.PROTECT, null=True, related_name="+")
    from_date = models.DateField(null=True)  # of arrivals
    until_date = models.DateField(null=True)  # the first day that is not meant
    placed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    lifted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lifted_because = models.CharField(max_length=400, blank=True)

    class Meta:
        db_table = "legal_hold"
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=False)
                | ~Q(address="")
                | Q(source__isnull=False)
                | Q(from_date__isnull=False, until_date__isnull=False),
                name="hold_is_of_something",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None) | ~Q(lifted_because=""),
                name="hold_lifted_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"legal_hold:{self.pk}"


class PrivacyRequest(models.Model):
    """One request of a person about their data, with its clock and its answer."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    kind = models.CharField(max_length=10)
    address = models.CharField(max_length=254)  # the number or e-mail key they are known by
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")  # if on file
    state = models.CharField(max_length=2, blank=True)  # where they say they live
    came_by = models.CharField(max_length=20)  # letter, e-mail, call, in person
    received_date = models.DateField()
    due_date = models.DateField()
    extended_because = models.CharField(max_length=300, blank=True)  # told to them in time
    extended_at = models.DateTimeField(null=True)
    owner = models.ForeignKey(User, models.PROTECT, related_name="+")
    identity = models.CharField(max_length=200, blank=True)  # how we know it is them
    identified_at = models.DateTimeField(null=True)
    field = models.CharField(max_length=20, blank=True)  # of a correction: a column of person
    was = models.CharField(max_length=200, blank=True)
    became = models.CharField(max_length=200, blank=True)
    told_onward = models.CharField(max_length=300, blank=True)  # whom, of those we had handed it to
    stays = models.JSONField(default=list)  # keys of the classes that a deletion left
    carried_at = models.DateTimeField(null=True)  # file made, corrected, or removal under way
    outcome = models.CharField(max_length=10, blank=True)
    refused_because = models.CharField(max_length=300, blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()

    class Meta:
        db_table = "privacy_request"
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=REQUEST_KINDS), name="request_kind_known"),
            models.CheckConstraint(
                condition=(Q(answered_at=None) & Q(outcome=""))
                | (Q(answered_at__isnull=False) & ~Q(outcome="") & Q(outcome__in=REQUEST_OUTCOMES)),
                name="request_answered_somehow",
            ),
            models.CheckConstraint(
                condition=Q(carried_at=None) | Q(identified_at__isnull=False),
                name="request_carried_for_the_right_one",
            ),
        ]
        indexes = [
            models.Index(fields=["due_date"], condition=Q(answered_at=None), name="request_open"),
        ]

    def __str__(self) -> str:
        return f"privacy_request:{self.pk}"


class Purge(models.Model):
    """One removal: what was counted before, who let it go, and when it was through."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    because = models.CharField(max_length=10)
    request = models.ForeignKey(PrivacyRequest, models.PROTECT, null=True, related_name="purges")
    on_date = models.DateField()  # the day its clocks were read on
    counts = models.JSONField()  # class: rows, as counted before anything went
    counted = models.PositiveIntegerField()
    rules_version = models.CharField(max_length=20)
    planned_at = models.DateTimeField()
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)  # from here on it goes
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "purge"
        constraints = [
            models.CheckConstraint(condition=Q(because__in=PURGE_CAUSES), name="purge_cause_known"),
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("asked_by")),
                name="purge_approved_by_another",
            ),
            models.UniqueConstraint(
                fields=["because"],
                condition=Q(because="schedule", ended_at=None),
                name="one_purge_of_the_schedule",
            ),
        ]
        indexes = [
            models.Index(
                fields=["approved_at"],
                condition=Q(approved_at__isnull=False, ended_at=None),
                name="purge_under_way",
            ),
        ]

    def __str__(self) -> str:
        return f"purge:{self.pk}"


class PurgeRow(models.Model):
    """One record that a purge is to remove, and afterwards the proof that it did: a bare id."""

    purge = models.ForeignKey(Purge, models.PROTECT, related_name="rows")
    nth = models.PositiveSmallIntegerField()  # of its holding, in the order they go
    holding = models.CharField(max_length=20)  # a name of `holdings.HOLDINGS`
    row_id = models.UUIDField()
    event_id = models.UUIDField(null=True)  # of the ledger's entry that commits to it
    removed_at = models.DateTimeField(null=True)
    kept_because = models.CharField(max_length=60, blank=True)  # found so when its turn came

    class Meta:
        db_table = "purge_row"
        constraints = [
            models.UniqueConstraint(
                fields=["purge", "holding", "row_id"], name="purge_row_once_a_purge"
            ),
        ]
        indexes = [
            models.Index(fields=["holding", "row_id"], name="purge_row_by_row"),
            models.Index(
                fields=["purge", "nth"],
                condition=Q(removed_at=None, kept_because=""),
                name="purge_row_to_go",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.holding}:{self.row_id}"
