"""Tables of what staff write by hand: snippets, and drafts of messages."""

from django.db import models
from django.db.models import Q

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models import Lead
from rooftree.org.models import User


class Snippet(models.Model):
    """One text with placeholders that staff put into a message: their own, or everyone's."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    owner = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")  # None: everyone
    language = models.CharField(max_length=5, default="en")
    title = models.CharField(max_length=60)
    body = models.TextField()
    written_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+"
    )  # None: comes with the program
    written_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "snippet"
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "language", "title"],
                condition=Q(archived_at=None),
                nulls_distinct=False,
                name="one_snippet_a_title",
            ),
        ]

    def __str__(self) -> str:
        return f"snippet:{self.pk}"


class MessageDraft(models.Model):
    """A message that one user has typed to one borrower and not sent yet."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="+")
    medium = models.CharField(max_length=10)  # text | email
    subject = models.CharField(max_length=300, blank=True)
    body = models.TextField()
    saved_at = models.DateTimeField()

    class Meta:
        db_table = "message_draft"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "lead", "medium"], name="one_draft_a_conversation"
            ),
        ]

    def __str__(self) -> str:
        return f"message_draft:{self.pk}"
