"""What is being read out of another system, and what happened there to the people of it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from rooftree.capture.models import Spreadsheet
from rooftree.core.uuid7 import uuid7
from rooftree.db.sealed_text import SealedTextField
from rooftree.leads.models import Lead, Source


class CrmImport(models.Model):
    """One reading of another system over its interface, whose records become a spreadsheet's rows.

    It is claimed by its due time, and moves by its cursor: a page and the cursor after it
    are written together.
    """

    sheet = models.OneToOneField(
        Spreadsheet, models.CASCADE, primary_key=True, related_name="transfer"
    )
    cursor = models.JSONField(null=True)  # where the next page begins; None: all has been read
    token = SealedTextField(blank=True)  # of the moment, where its credentials buy one
    owners = models.JSONField(default=list)  # theirs; the shape is capture.crm_shapes.Owner
    officers = models.JSONField(default=dict)  # an owner's id: our officer's, or "" for nobody's
    stages = models.JSONField(default=dict)  # their stage: a key of capture.imports.mapping.STAGES
    declared = models.JSONField(default=dict)  # how many of a kind it says it has
    listed = models.JSONField(default=dict)  # how many of a kind its pages held
    before = models.JSONField(default=dict)  # how many of those were here already
    pages = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)  # at the page under way
    due_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=400, blank=True)  # of the last try, for staff
    read_at = models.DateTimeField(null=True)  # when the last page was

    class Meta:
        db_table = "transfer"
        indexes = [
            models.Index(fields=["due_at"], condition=Q(read_at=None), name="transfer_due"),
        ]

    def __str__(self) -> str:
        return f"transfer:{self.sheet_id}"

    def owner_names(self) -> dict[str, str]:
        """What its users over there are called, by their ids."""
        return {owner["id"]: owner["name"] or owner["email"] for owner in self.owners}


class ImportedActivity(models.Model):
    """One thing that happened to somebody in another system: never something that we did."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    sheet = models.ForeignKey(Spreadsheet, models.PROTECT, related_name="past")
    source = models.ForeignKey(  # the unique constraint is its index
        Source, models.PROTECT, related_name="past", db_index=False
    )
    kind = models.CharField(max_length=8)  # a capture.crm_shapes.Past
    key = models.CharField(max_length=200)  # theirs, unique within its kind
    about = ArrayField(models.CharField(max_length=255), default=list)  # records, the best first
    at = models.DateTimeField(null=True)
    title = models.CharField(max_length=300, blank=True)
    text = models.TextField(blank=True)
    direction = models.CharField(max_length=3, blank=True)  # out, in
    owner_id = models.CharField(max_length=80, blank=True)  # theirs
    by = models.CharField(max_length=200, blank=True)  # the owner as a word
    due_at = models.DateTimeField(null=True)
    is_open = models.BooleanField(default=False)  # a task that was still to be done
    lead = models.ForeignKey(Lead, models.CASCADE, null=True, related_name="past", db_index=False)
    why = models.CharField(max_length=16, blank=True)  # it has no lead: capture.imports.past.WHY

    class Meta:
        db_table = "past_entry"
        constraints = [
            models.UniqueConstraint(fields=["source", "kind", "key"], name="past_entry_once"),
        ]
        indexes = [
            models.Index(fields=["lead", "at"], name="past_entry_by_lead"),
            models.Index(
                fields=["sheet", "id"], condition=Q(lead=None, why=""), name="past_entry_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"past:{self.kind}:{self.key}"
