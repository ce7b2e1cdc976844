"""The vendor that answers questions about numbers, every question, and files of lists found."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from rooftree.compliance.models import DncFile
from rooftree.compliance.numbers.number_vendor import QuestionKind
from rooftree.core.uuid7 import uuid7
from rooftree.db.sealed_text import SealedTextField
from rooftree.leads.models import Person


class NumberService(models.Model):
    """The account at the one vendor that is asked, as a person set it up and tried it."""

    id = models.CharField(max_length=20, primary_key=True)  # the adapter's key
    key = SealedTextField()
    project = models.CharField(max_length=60, blank=True)
    covers = ArrayField(models.CharField(max_length=9), default=list)  # lists it is asked about
    asks_reassigned = models.BooleanField(default=False)
    changed_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)  # the newest answer
    failing_since = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "number_service"

    def __str__(self) -> str:
        return self.id

    def can_answer(self, kind: str) -> bool:
        """Whether the account answers questions of this kind."""
        return self.asks_reassigned if kind == QuestionKind.REASSIGNED else bool(self.covers)


class NumberQuestion(models.Model):
    """One question about one number, and what came back, word for word; kept as proof.

    `since` and `response` are of the question whether it changed hands
    (47 CFR 64.1200(m)); `covers` and `listed` are of the question which lists it is on.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    kind = models.CharField(max_length=10)
    number = models.CharField(max_length=16)  # E.164
    since = models.DateField(null=True)  # the later of their consent and our last contact
    person = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)  # None once it is answered
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True)
    service = models.CharField(max_length=20, blank=True)  # who answered
    answered_at = models.DateTimeField(null=True)
    response = models.CharField(max_length=7, blank=True)  # yes, no, no_data
    covers = ArrayField(models.CharField(max_length=9), default=list)  # lists it speaks of
    listed = ArrayField(models.CharField(max_length=9), default=list)
    said = models.JSONField(null=True)

    class Meta:
        db_table = "number_question"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=QuestionKind.LISTS, since=None, response="")
                | Q(kind=QuestionKind.REASSIGNED, since__isnull=False, covers=[]),
                name="question_of_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(answered_at=None, due_at__isnull=False, said__isnull=True)
                | Q(answered_at__isnull=False, due_at=None, said__isnull=False),
                name="question_open_or_answered",
            ),
            models.UniqueConstraint(
                fields=["kind", "number", "since", "person"],
                condition=Q(answered_at=None),
                nulls_distinct=False,
                name="one_open_question",
            ),
        ]
        indexes = [
            models.Index(
                fields=["kind", "due_at"], condition=Q(answered_at=None), name="question_due"
            ),
            models.Index(fields=["number", "kind", "-answered_at"], name="question_of_number"),
        ]

    def __str__(self) -> str:
        return f"number_question:{self.pk}"


class DncFolderFile(models.Model):
    """One file in the folder that is watched for lists, as it was when it was last looked at."""

    path = models.CharField(max_length=300, primary_key=True)  # within the folder
    size = models.BigIntegerField()  # bytes
    changed_at = models.DateTimeField()  # says the file system
    seen_at = models.DateTimeField()
    file = models.ForeignKey(DncFile, models.PROTECT, null=True, related_name="+")
    problem = models.CharField(max_length=300, blank=True)  # why it was refused

    class Meta:
        db_table = "dnc_found"

    def __str__(self) -> str:
        return self.path
