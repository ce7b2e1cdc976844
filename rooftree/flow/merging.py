"""What follows when two people prove to be one, or one to be two."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.capture import likeness
from rooftree.capture import merge as one_person
from rooftree.capture import split as two_people
from rooftree.capture.likeness import CannotAnswer
from rooftree.capture.merge import CannotMerge
from rooftree.capture.split import CannotSplit
from rooftree.flow import returns
from rooftree.leads.models import Lead, Likeness, PersonMerge
from rooftree.org.models import User
from rooftree.outreach import follow
from rooftree.tasks.announce import announce

__all__ = ["CannotAnswer", "CannotMerge", "CannotSplit", "keep_apart", "merge", "split"]


def merge(
    *, kept_id: UUID, gone_id: UUID, reason: str, by: User | None, at: datetime, evidence: str = ""
) -> PersonMerge:
    """Make `gone` a part of `kept`; their messages go with their leads. Raises `CannotMerge`."""
    with transaction.atomic():
        made = one_person.merge(
            kept_id=kept_id,
            gone_id=gone_id,
            reason=reason,
            evidence=evidence,
            by=by.pk if by else None,
            at=at,
        )
        likeness.settle([kept_id, gone_id], "same", by=by.pk if by else None, at=at)
        leads = _leads_of(made.kept_id, made.gone_id)
        _follow(leads)
        returns.look_at(leads, at=at)
    return made


def split(*, merge_id: UUID, reason: str, by: User | None, at: datetime) -> PersonMerge:
    """Undo a merge; what waits to go to the other one's number goes no more.

    Raises `CannotSplit`.
    """
    with transaction.atomic():
        made = two_people.split(merge_id=merge_id, reason=reason, by=by.pk if by else None, at=at)
        pair = [made.kept_id, made.gone_id]
        likeness.settle(pair, "two", by=by.pk if by else None, at=at)
        leads = _leads_of(*pair)
        _follow(leads)
        follow.recall_astray(leads, at=at)
        returns.look_at(leads, at=at)
    return made


def keep_apart(*, likeness_id: UUID, moved: bool, by: User, at: datetime) -> Likeness:
    """They are two people; what waits to go to a number that has a new owner goes no more.

    Raises `CannotAnswer`.
    """
    with transaction.atomic():
        pair = likeness.keep_apart(likeness_id, moved=moved, by=by.pk, at=at)
        if moved:
            follow.recall_astray(_leads_of(pair.older_id), at=at)
        for lead_id in _leads_of(pair.older_id, pair.newer_id):
            announce("lead", lead=str(lead_id))
    return pair


def _leads_of(*people: UUID) -> list[UUID]:
    return list(Lead.objects.filter(person__in=people).order_by("pk").values_list("pk", flat=True))


def _follow(lead_ids: Sequence[UUID]) -> None:
    follow.leads(lead_ids)
    for lead_id in lead_ids:
        announce("lead", lead=str(lead_id))
