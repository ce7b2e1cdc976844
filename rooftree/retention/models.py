"""Tables of legal holds, privacy requests and purges with their proofs."""

from django.db import models
from django.db.models import F, Q

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models import Person, Source
from rooftree.org.models import User

REQUEST_KINDS = ["access", "correction", "deletion"]
REQUEST_OUTCOMES = ["", "done", "refused", "withdrawn"]
PURGE_CAUSES = ["schedule", "request", "restore"]


class LegalHold(models.Model):
    """One legal hold: records that must stay for a legal matter until it is lifted.

    It wins over retention clocks and privacy requests. Its scope is a person, a number or address,
    a source, or a period; a source and a period together cover the arrivals that match both.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    matter = models.CharField(max_length=120)
    reason = models.CharField(max_length=400)
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    address = models.CharField(max_length=254, blank=True)  # E.164 or email key
    source = models.ForeignKey(Source, models.PROTECT, null=True, related_name="+")
    from_date = models.DateField(null=True)  # of arrivals
    until_date = models.DateField(null=True)  # exclusive
    placed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    lifted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lift_reason = models.CharField(max_length=400, blank=True)

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
                condition=Q(lifted_at=None, lifted_by=None) | ~Q(lift_reason=""),
                name="hold_lifted_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"legal_hold:{self.pk}"


class PrivacyRequest(models.Model):
    """One person's privacy request, with its due date and its answer."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    kind = models.CharField(max_length=10)
    address = models.CharField(max_length=254)  # the number or email key that identifies them
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")  # if on file
    state = models.CharField(max_length=2, blank=True)  # the state of residence they gave
    received_via = models.CharField(max_length=20)  # letter, e-mail, call, in person
    received_date = models.DateField()
    due_date = models.DateField()
    extension_reason = models.CharField(max_length=300, blank=True)  # the person was told in time
    extended_at = models.DateTimeField(null=True)
    owner = models.ForeignKey(User, models.PROTECT, related_name="+")
    identity = models.CharField(max_length=200, blank=True)  # how their identity was confirmed
    identified_at = models.DateTimeField(null=True)
    field = models.CharField(max_length=20, blank=True)  # of a correction: a column of person
    old_value = models.CharField(max_length=200, blank=True)
    new_value = models.CharField(max_length=200, blank=True)
    notified_recipients = models.CharField(
        max_length=300, blank=True
    )  # the recipients who were notified
    kept_classes = models.JSONField(default=list)  # keys of the record classes that a deletion kept
    carried_at = models.DateTimeField(null=True)  # file built, data corrected, or removal started
    outcome = models.CharField(max_length=10, blank=True)
    refusal_reason = models.CharField(max_length=300, blank=True)
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
    """One purge: its counts, its approvals and its end."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    reason = models.CharField(max_length=10)
    request = models.ForeignKey(PrivacyRequest, models.PROTECT, null=True, related_name="purges")
    on_date = models.DateField()  # the day on which retention clocks were evaluated
    counts = models.JSONField()  # record set: rows, counted before the removal
    counted = models.PositiveIntegerField()
    rules_version = models.CharField(max_length=20)
    planned_at = models.DateTimeField()
    requested_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)  # removal starts after this
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "purge"
        constraints = [
            models.CheckConstraint(condition=Q(reason__in=PURGE_CAUSES), name="purge_cause_known"),
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("requested_by")),
                name="purge_approved_by_another",
            ),
            models.UniqueConstraint(
                fields=["reason"],
                condition=Q(reason="schedule", ended_at=None),
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
    """One record to remove in a purge, and afterwards the proof of its removal: only the id."""

    purge = models.ForeignKey(Purge, models.PROTECT, related_name="rows")
    position = (
        models.PositiveSmallIntegerField()
    )  # the position of its record set in the removal order
    record_set = models.CharField(max_length=20)  # a name in `record_sets.RECORD_SETS`
    row_id = models.UUIDField()
    event_id = models.UUIDField(null=True)  # the ledger entry that commits to it
    removed_at = models.DateTimeField(null=True)
    kept_reason = models.CharField(max_length=60, blank=True)  # the reason found when its turn came

    class Meta:
        db_table = "purge_row"
        constraints = [
            models.UniqueConstraint(
                fields=["purge", "record_set", "row_id"], name="purge_row_once_a_purge"
            ),
        ]
        indexes = [
            models.Index(fields=["record_set", "row_id"], name="purge_row_by_row"),
            models.Index(
                fields=["purge", "position"],
                condition=Q(removed_at=None, kept_reason=""),
                name="purge_row_to_go",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_set}:{self.row_id}"
