"""Merges and splits of people, and the steps that follow them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.capture.identity import duplicate_review
from rooftree.capture.identity import merge_people as one_person
from rooftree.capture.identity import split_people as two_people
from rooftree.capture.identity.duplicate_review import CannotAnswer
from rooftree.capture.identity.merge_people import CannotMerge
from rooftree.capture.identity.split_people import CannotSplit
from rooftree.flow import vendor_returns
from rooftree.leads.models import Lead, PersonMerge, PossibleDuplicate
from rooftree.org.models import User
from rooftree.outreach.messages import reassign_messages
from rooftree.tasks.live_updates import publish_update

__all__ = [
    "CannotAnswer",
    "CannotMerge",
    "CannotSplit",
    "keep_people_apart",
    "merge_people",
    "split_people",
]


def merge_people(
    *,
    survivor_id: UUID,
    duplicate_id: UUID,
    reason: str,
    by: User | None,
    at: datetime,
    evidence: str = "",
) -> PersonMerge:
    """Merge a duplicate into the survivor, with its messages. Raises `CannotMerge`."""
    with transaction.atomic():
        merge = one_person.merge_people(
            survivor_id=survivor_id,
            duplicate_id=duplicate_id,
            reason=reason,
            evidence=evidence,
            by=by.pk if by else None,
            at=at,
        )
        duplicate_review.record_pair_answer(
            [survivor_id, duplicate_id], "same", by=by.pk if by else None, at=at
        )
        leads = _find_lead_ids(merge.survivor_id, merge.merged_id)
        _move_messages(leads)
        vendor_returns.check_leads(leads, at=at)
    return merge


def split_people(*, merge_id: UUID, reason: str, by: User | None, at: datetime) -> PersonMerge:
    """Undo a merge and cancel queued messages addressed to the other person.

    Raises `CannotSplit`.
    """
    with transaction.atomic():
        merge = two_people.split_people(
            merge_id=merge_id, reason=reason, by=by.pk if by else None, at=at
        )
        pair = [merge.survivor_id, merge.merged_id]
        duplicate_review.record_pair_answer(pair, "two", by=by.pk if by else None, at=at)
        leads = _find_lead_ids(*pair)
        _move_messages(leads)
        reassign_messages.cancel_misaddressed(leads, at=at)
        vendor_returns.check_leads(leads, at=at)
    return merge


def keep_people_apart(
    *, duplicate_pair_id: UUID, number_moved: bool, by: User, at: datetime
) -> PossibleDuplicate:
    """Record that a pair is two people.

    If their number moved from one to the other, cancel queued messages to its former owner.
    Raises `CannotAnswer`.
    """
    with transaction.atomic():
        pair = duplicate_review.mark_different_people(
            duplicate_pair_id, number_moved=number_moved, by=by.pk, at=at
        )
        if number_moved:
            reassign_messages.cancel_misaddressed(_find_lead_ids(pair.older_id), at=at)
        for lead_id in _find_lead_ids(pair.older_id, pair.newer_id):
            publish_update("lead", lead=str(lead_id))
    return pair


def _find_lead_ids(*people: UUID) -> list[UUID]:
    return list(Lead.objects.filter(person__in=people).order_by("pk").values_list("pk", flat=True))


def _move_messages(lead_ids: Sequence[UUID]) -> None:
    reassign_messages.reassign_to_lead_person(lead_ids)
    for lead_id in lead_ids:
        publish_update("lead", lead=str(lead_id))
