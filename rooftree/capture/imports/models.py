"""Tables for imports from a CRM: the running import, and past activities."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from rooftree.capture.models import Spreadsheet
from rooftree.core.uuid7 import uuid7
from rooftree.db.sealed_text import SealedTextField
from rooftree.leads.models import Lead, Source


class CrmImport(models.Model):
    """One import of a CRM over its API, whose records become a spreadsheet's rows.

    It is claimed by its due time and advanced by its cursor; a page and the cursor after it are
    stored together.
    """

    sheet = models.OneToOneField(
        Spreadsheet, models.CASCADE, primary_key=True, related_name="transfer"
    )
    cursor = models.JSONField(null=True)  # where the next page starts; None: all read
    token = SealedTextField(blank=True)  # the current one, if credentials yield one
    owners = models.JSONField(default=list)  # the CRM's; shaped as crm_pages.CrmOwner
    officers = models.JSONField(default=dict)  # owner id: our officer's id, or "" for none
    stages = models.JSONField(default=dict)  # CRM stage: a key of owner_mapping.LEAD_STATES
    declared = models.JSONField(default=dict)  # the CRM's own totals, by kind
    listed = models.JSONField(default=dict)  # counts on the pages read, by kind
    before = models.JSONField(default=dict)  # of those, stored before
    pages = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)  # at the current page
    due_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=400, blank=True)  # of the last try, for staff
    read_at = models.DateTimeField(null=True)  # when the last page was read

    class Meta:
        db_table = "crm_import"
        indexes = [
            models.Index(fields=["due_at"], condition=Q(read_at=None), name="transfer_due"),
        ]

    def __str__(self) -> str:
        return f"crm_import:{self.sheet_id}"

    def owner_names(self) -> dict[str, str]:
        """Return the names of the CRM's users by id, or the email of a user without a name."""
        return {owner["id"]: owner["name"] or owner["email"] for owner in self.owners}


class ImportedActivity(models.Model):
    """One activity about a person in another system; never one of ours."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    sheet = models.ForeignKey(Spreadsheet, models.PROTECT, related_name="past")
    source = models.ForeignKey(  # the unique constraint is its index
        Source, models.PROTECT, related_name="past", db_index=False
    )
    kind = models.CharField(max_length=8)  # a crm_pages.ActivityKind
    key = models.CharField(max_length=200)  # the CRM's id, unique within its kind
    subject = ArrayField(models.CharField(max_length=255), default=list)  # record keys, best first
    at = models.DateTimeField(null=True)
    title = models.CharField(max_length=300, blank=True)
    text = models.TextField(blank=True)
    direction = models.CharField(max_length=3, blank=True)  # out, in
    owner_id = models.CharField(max_length=80, blank=True)  # the CRM's id of a user
    by = models.CharField(max_length=200, blank=True)  # the owner's name
    due_at = models.DateTimeField(null=True)
    is_open = models.BooleanField(default=False)  # a task that was not done yet
    lead = models.ForeignKey(Lead, models.CASCADE, null=True, related_name="past", db_index=False)
    problem = models.CharField(
        max_length=16, blank=True
    )  # no lead: imported_activities.UNLINKED_REASONS

    class Meta:
        db_table = "imported_activity"
        constraints = [
            models.UniqueConstraint(fields=["source", "kind", "key"], name="past_entry_once"),
        ]
        indexes = [
            models.Index(fields=["lead", "at"], name="past_entry_by_lead"),
            models.Index(
                fields=["sheet", "id"],
                condition=Q(lead=None, problem=""),
                name="past_entry_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"past:{self.kind}:{self.key}"
