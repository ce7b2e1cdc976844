"""Releases: acts that make messages to many people."""

from django.db import models
from django.db.models import F, Q

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models import Lead, Person
from rooftree.org.models import User

NEXT_STATES = {  # and what may follow each; the database allows nothing else
    "draft": ["waiting", "going", "stopped"],  # its people are gathered
    "waiting": ["canary", "stopped"],  # for a second person
    "canary": ["looking", "done", "stopped"],  # the first few
    "looking": ["going", "stopped"],  # somebody looks at what became of them
    "going": ["done", "stopped"],
    "done": [],
    "stopped": [],
}
RUNNING_STATES = ("canary", "going")  # the states in which its messages leave


class Release(models.Model):
    """One act that makes messages to many people, and how far it may go.

    The database keeps it: whom it is for and its limits never change once it left `draft`,
    its states follow each other as in STATES, and one for more people than
    `free_size` runs only when somebody else than its maker has approved it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    kind = models.CharField(max_length=12)  # written, rates, greetings, steps
    title = models.CharField(max_length=200)
    about = models.JSONField(default=dict)  # what its kind needs to know to make its messages
    state = models.CharField(max_length=10, default="draft")
    size = models.PositiveIntegerField(default=0)  # people
    free_size = models.PositiveIntegerField()  # so many go without a second person and a canary
    canary_size = models.PositiveIntegerField()  # people
    per_hour = models.PositiveIntegerField()  # messages
    findings = models.JSONField(null=True)  # of its dry run
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")  # None: it arose
    made_at = models.DateTimeField()
    grown_at = models.DateTimeField()  # when the last person was added
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(null=True)  # the first few are out: somebody should look
    went_on_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    went_on_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    stopped_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    because = models.CharField(max_length=300, blank=True)  # why it was stopped

    class Meta:
        db_table = "release"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(NEXT_STATES)), name="release_state_known"
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | Q(made_by=None) | ~Q(approved_by=F("made_by")),
                name="release_second_person",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "waiting", "stopped"])
                | Q(size__lte=F("free_size"))
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="release_large_approved",
            ),
        ]

    def __str__(self) -> str:
        return f"release:{self.pk}"


class ReleaseMember(models.Model):
    """One person of a release, by the lead they are written to about."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    release = models.ForeignKey(Release, models.PROTECT, related_name="members")
    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="+")
    cause = models.CharField(max_length=160)  # of the messages that are made
    lined_up_at = models.DateTimeField(null=True)  # when they were made, or could not be

    class Meta:
        db_table = "release_member"
        constraints = [
            models.UniqueConstraint(fields=["release", "person"], name="once_a_release"),
        ]
        indexes = [
            models.Index(
                fields=["release", "id"],
                condition=Q(lined_up_at=None),
                name="release_member_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"release_member:{self.pk}"
