"""What follows when two people prove to be one, or one to be two."""

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
    """Make `gone` a part of `kept`; their messages go with their leads. Raises `CannotMerge`."""
    with transaction.atomic():
        made = one_person.merge_people(
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
        leads = _lead_ids(made.kept_id, made.gone_id)
        _move_messages(leads)
        vendor_returns.check_leads(leads, at=at)
    return made


def split_people(*, merge_id: UUID, reason: str, by: User | None, at: datetime) -> PersonMerge:
    """Undo a merge; what waits to go to the other one's number goes no more.

    Raises `CannotSplit`.
    """
    with transaction.atomic():
        made = two_people.split_people(
            merge_id=merge_id, reason=reason, by=by.pk if by else None, at=at
        )
        pair = [made.kept_id, made.gone_id]
        duplicate_review.record_pair_answer(pair, "two", by=by.pk if by else None, at=at)
        leads = _lead_ids(*pair)
        _move_messages(leads)
        reassign_messages.cancel_misaddressed(leads, at=at)
        vendor_returns.check_leads(leads, at=at)
    return made


def keep_people_apart(
    *, duplicate_pair_id: UUID, moved: bool, by: User, at: datetime
) -> PossibleDuplicate:
    """They are two people; what waits to go to a number that has a new owner goes no more.

    Raises `CannotAnswer`.
    """
    with transaction.atomic():
        pair = duplicate_review.mark_different_people(
            duplicate_pair_id, number_moved=moved, by=by.pk, at=at
        )
        if moved:
            reassign_messages.cancel_misaddressed(_lead_ids(pair.older_id), at=at)
        for lead_id in _lead_ids(pair.older_id, pair.newer_id):
            publish_update("lead", lead=str(lead_id))
    return pair


def _lead_ids(*people: UUID) -> list[UUID]:
    return list(Lead.objects.filter(person__in=people).order_by("pk").values_list("pk", flat=True))


def _move_messages(lead_ids: Sequence[UUID]) -> None:
    reassign_messages.reassign_to_lead_person(lead_ids)
    for lead_id in lead_ids:
        publish_update("lead", lead=str(lead_id))
