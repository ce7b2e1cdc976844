"""Gate facts about what the borrower asked for or waits for, and what staff decided about it."""

from datetime import datetime
from typing import Any

from rooftree.compliance.gate.facts import HumanDecision, Medium
from rooftree.compliance.gate.quiet_hours import REQ_01, STATE_LAW_SILENT
from rooftree.outreach.facts import contact_purpose
from rooftree.outreach.facts.lead_records import LeadRecords
from rooftree.outreach.facts.stored_rows import AgreedCallback, StoredOverride


def build_request_facts(
    medium: Medium,
    records: LeadRecords,
    *,
    is_automated: bool,
    answers: tuple[HumanDecision, ...],
    excluding: str,
    at: datetime,
) -> dict[str, Any]:
    """Return the contact the borrower asked for or waits for, and staff decisions about it.

    A borrower who asks for a call is called, not written to (CON-04). Nobody waits for what is
    sent automatically.

    Args:
        answers: the decisions about this very message.
        excluding: the idempotency key of the contact itself.
    """
    if is_automated:
        return {"invited_at": None, "requested_at": None, "answers": answers}
    callback = records.agreed_callback if medium is Medium.CALL else None
    return {
        "invited_at": contact_purpose.find_invitation(medium, records, excluding=excluding, at=at),
        "requested_at": callback.due_at if callback else None,
        "awaited_contact": contact_purpose.find_awaited_contact(
            medium, records, excluding=excluding, at=at
        ),
        "answers": (
            *answers,
            *_hour_approvals(callback),
            *_limit_overrides(records.live_override(medium.value, excluding=excluding)),
        ),
    }


def _limit_overrides(override: StoredOverride | None) -> tuple[HumanDecision, ...]:
    """Return the decisions about the company's own limits, each with its reason in words."""
    if override is None:
        return ()
    return tuple(
        HumanDecision(
            rule=rule,
            reason=reason,
            by=f"user:{override.by}",
            at=override.at,
            words=override.reason,
        )
        for rule, _, reason in (limit.partition(":") for limit in override.limits)
    )


def _hour_approvals(callback: AgreedCallback | None) -> tuple[HumanDecision, ...]:
    """Return a supervisor's approval of the hour that the borrower asked for."""
    if callback is None or callback.approved_at is None:
        return ()
    return (
        HumanDecision(
            rule=REQ_01.id,
            reason=STATE_LAW_SILENT,
            by=f"user:{callback.approved_by}",
            at=callback.approved_at,
        ),
    )
