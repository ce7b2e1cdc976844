"""Tags that staff put on leads, to find them again in a list."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_row_if_new
from rooftree.leads.models import Lead, LeadTag
from rooftree.ledger.write_events import write_event

MAX_LENGTH = 40  # characters
MAX_TAGS = 20  # of one lead
MAX_SUGGESTED = 200


class InvalidTag(Exception):
    """A tag that cannot be added. The text is fit to show."""


def normalize_tag(text: str) -> str:
    """Return a tag in lower case with single spaces."""
    return " ".join(text.replace("\x00", "").lower().split())


def add_tag(*, lead_id: UUID, name: str, by: UUID, at: datetime) -> bool:
    """Tag a lead; return False if it has the tag already. Raises `InvalidTag`."""
    name = normalize_tag(name)
    if not name:
        raise InvalidTag("Enter a tag.")
    if len(name) > MAX_LENGTH:
        raise InvalidTag(f"Use at most {MAX_LENGTH} characters for a tag.")
    with transaction.atomic():
        Lead.objects.select_for_update(no_key=True, of=("self",)).get(pk=lead_id)
        tags = set(LeadTag.objects.filter(lead_id=lead_id).values_list("name", flat=True))
        if name not in tags and len(tags) >= MAX_TAGS:
            raise InvalidTag(f"A lead can have {MAX_TAGS} tags. Remove one first.")
        tag = LeadTag(id=uuid7_at(at), lead_id=lead_id, name=name, added_by_id=by, at=at)
        if not insert_row_if_new(tag):
            return False
        write_event("leads.lead.tagged", at=at, actor=f"user:{by}", lead_id=lead_id, tag=tag.pk)
    return True


def remove_tag(*, lead_id: UUID, name: str, by: UUID, at: datetime) -> bool:
    """Remove a tag from a lead; return False if it did not have it."""
    with transaction.atomic():
        tag = LeadTag.objects.filter(lead_id=lead_id, name=normalize_tag(name)).first()
        if tag is None or not LeadTag.objects.filter(pk=tag.pk).delete()[0]:
            return False
        write_event("leads.lead.untagged", at=at, actor=f"user:{by}", lead_id=lead_id, tag=tag.pk)
    return True


def list_known_tags() -> list[str]:
    """List the tags in use, by name."""
    names = LeadTag.objects.order_by("name").values_list("name", flat=True).distinct()
    return list(names[:MAX_SUGGESTED])


def tags_by_lead(lead_ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    """Return the tags of each lead that has any, by name. One query."""
    tags: dict[UUID, list[str]] = {}
    rows = LeadTag.objects.filter(lead__in=list(lead_ids)).order_by("name")
    for lead_id, name in rows.values_list("lead_id", "name"):
        tags.setdefault(lead_id, []).append(name)
    return tags
