"""New decisions about held or reviewed messages after the cause of the wait has changed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from rooftree.compliance.gate.effective_rules import EVERYWHERE
from rooftree.leads import lead_tasks
from rooftree.outreach.messages import required_actions
from rooftree.outreach.models import Message

CONSENT_PROOF_REASONS = ("consent_evidence_incomplete",)
LICENSE_ENTRY_REASONS = ("license_words_not_on_file",)
UNMAPPED_STATUS_REASONS = ("loan_status_unmapped",)
PLACE_REASONS = ("property_state_needed", "location_evidence_missing", "no_common_window")


def redecide_after_consent_proof(*, lead_id: UUID, at: datetime) -> int:
    """Requeue automatic messages that lacked proof of consent; return how many."""
    rows = _messages_in_review(CONSENT_PROOF_REASONS).filter(lead_id=lead_id, is_automated=True)
    return _requeue_messages(rows, because="The consent certificate arrived.", at=at)


def redecide_after_place_known(*, lead_id: UUID, at: datetime) -> int:
    """Requeue messages that waited for the borrower's place or its hours; return how many."""
    count = _requeue_messages(
        _messages_in_review(PLACE_REASONS).filter(lead_id=lead_id),
        because="The place is known now.",
        at=at,
    )
    held = Message.objects.filter(
        lead_id=lead_id, direction="out", state="held", due_at__gt=at, verdict__isnull=False
    )
    return count + held.update(due_at=at)


def redecide_after_status_mapped(*, lead_id: UUID, at: datetime) -> int:
    """Requeue messages that waited for a status of the LOS to be mapped; return how many."""
    rows = _messages_in_review(UNMAPPED_STATUS_REASONS).filter(lead_id=lead_id)
    return _requeue_messages(rows, because="The loan's status is mapped now.", at=at)


def redecide_after_license_entry(*, at: datetime) -> int:
    """Requeue messages whose required license wording could not be filled in; return how many."""
    return _requeue_messages(
        _messages_in_review(LICENSE_ENTRY_REASONS), because="The state license is on file.", at=at
    )


def redecide_reviewed(reasons: Sequence[str], *, at: datetime) -> int:
    """Requeue messages that staff had to review without a vendor to ask; return how many."""
    return _requeue_messages(
        _messages_in_review(reasons), because="A vendor can check this now.", at=at
    )


def _messages_in_review(reasons: Sequence[str]) -> QuerySet[Message]:
    return Message.objects.filter(direction="out", state="review", verdict__reason__in=reasons)


def _requeue_messages(rows: QuerySet[Message], *, because: str, at: datetime) -> int:
    tasks = set(rows.values_list("lead_id", "verdict__reason"))
    count = rows.update(state="waiting", due_at=at, problem="")
    for lead_id, reason in tasks:
        lead_tasks.cancel_tasks_of_kind(
            lead_id=lead_id, kind=required_actions.task_kind(reason), because=because, at=at
        )
    return count


def redecide_under_rule(place: str, *, at: datetime) -> int:
    """Make held messages due now where a rule changed; return how many.

    Args:
        place: a state code, or `effective_rules.EVERYWHERE`.
    """
    rows = Message.objects.filter(direction="out", state="held", due_at__gt=at)
    if place != EVERYWHERE:
        rows = rows.filter(verdict__facts__places__contains=[{"state": place}])
    return rows.update(due_at=at)
