"""Tables of the number check vendor, its questions, and the watched list files."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from rooftree.compliance.models import DncFile
from rooftree.compliance.numbers.number_vendor import QuestionKind
from rooftree.core.uuid7 import uuid7
from rooftree.db.sealed_text import SealedTextField
from rooftree.leads.models import Person


class NumberService(models.Model):
    """One row: the account at the one number check vendor, as staff set it up and tested it."""

    id = models.CharField(max_length=20, primary_key=True)  # the adapter's key
    key = SealedTextField()
    project = models.CharField(max_length=60, blank=True)
    covers = ArrayField(models.CharField(max_length=9), default=list)  # lists that it checks
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
        """Return whether the account answers questions of this kind."""
        return self.asks_reassigned if kind == QuestionKind.REASSIGNED else bool(self.covers)


class NumberQuestion(models.Model):
    """One question about one number and the vendor's answer word for word, kept as proof.

    `since` and `response` belong to a reassigned-number question (47 CFR 64.1200(m)), `covers`
    and `listed` to a list question.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    kind = models.CharField(max_length=10)
    number = models.CharField(max_length=16)  # E.164
    since = models.DateField(null=True)  # the later of the consent and the last contact
    person = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)  # None once answered
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True)
    service = models.CharField(max_length=20, blank=True)  # the vendor that answered
    answered_at = models.DateTimeField(null=True)
    response = models.CharField(max_length=7, blank=True)  # yes, no, no_data
    covers = ArrayField(models.CharField(max_length=9), default=list)  # lists the answer covers
    listed = ArrayField(models.CharField(max_length=9), default=list)
    answer = models.JSONField(null=True)

    class Meta:
        db_table = "number_question"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=QuestionKind.LISTS, since=None, response="")
                | Q(kind=QuestionKind.REASSIGNED, since__isnull=False, covers=[]),
                name="question_of_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(answered_at=None, due_at__isnull=False, answer__isnull=True)
                | Q(answered_at__isnull=False, due_at=None, answer__isnull=False),
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
    """One file in the watched folder for lists, as last seen."""

    path = models.CharField(max_length=300, primary_key=True)  # relative to the folder
    size = models.BigIntegerField()  # bytes
    changed_at = models.DateTimeField()  # modification time
    seen_at = models.DateTimeField()
    file = models.ForeignKey(DncFile, models.PROTECT, null=True, related_name="+")
    problem = models.CharField(max_length=300, blank=True)  # why it was rejected

    class Meta:
        db_table = "dnc_folder_file"

    def __str__(self) -> str:
        return self.path
