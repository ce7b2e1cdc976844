"""Campaigns: sends to many people at once, and the people in them."""

from django.db import models
from django.db.models import F, Q

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models import Lead, Person
from rooftree.org.models import User

NEXT_STATES = {  # the states that can follow each state; a database trigger enforces it
    "draft": ["waiting", "going", "stopped"],  # people are being added
    "waiting": ["canary", "stopped"],  # waiting for a second person to approve it
    "canary": ["looking", "done", "stopped"],  # sending to the first few
    "looking": ["going", "stopped"],  # waiting for staff to check the results of the first few
    "going": ["done", "stopped"],
    "done": [],
    "stopped": [],
}
RUNNING_STATES = ("canary", "going")  # messages are sent only in these states


class Release(models.Model):
    """One campaign: a send to many people, with its limits and its progress.

    Database triggers enforce that its people and limits never change after `draft`, that its
    states follow NEXT_STATES, and that a campaign for more people than `free_size` runs only
    after someone other than its maker approved it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    kind = models.CharField(max_length=12)  # written, rates, greetings, steps
    title = models.CharField(max_length=200)
    about = models.JSONField(default=dict)  # the data its kind needs to create the messages
    state = models.CharField(max_length=10, default="draft")
    size = models.PositiveIntegerField(default=0)  # people
    free_size = (
        models.PositiveIntegerField()
    )  # up to this many people it needs no approval and no canary
    canary_size = models.PositiveIntegerField()  # people
    per_hour = models.PositiveIntegerField()  # messages
    findings = models.JSONField(null=True)  # the result of its dry run
    made_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+"
    )  # None: created by the program
    made_at = models.DateTimeField()
    last_added_at = models.DateTimeField()  # when the last person was added
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(
        null=True
    )  # the first few are sent; staff should check the results
    resumed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    resumed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    stopped_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    stop_reason = models.CharField(max_length=300, blank=True)  # the reason for stopping it

    class Meta:
        # trigger: release_kept
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
    """One person in a campaign, with the lead the messages are about."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    release = models.ForeignKey(Release, models.PROTECT, related_name="members")
    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="+")
    idempotency_key = models.CharField(max_length=160)  # of the messages created for this person
    added_at = models.DateTimeField(null=True)  # when messages were queued, or could not be

    class Meta:
        # trigger: release_member_kept
        db_table = "release_member"
        constraints = [
            models.UniqueConstraint(fields=["release", "person"], name="once_a_release"),
        ]
        indexes = [
            models.Index(
                fields=["release", "id"],
                condition=Q(added_at=None),
                name="release_member_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"release_member:{self.pk}"
