"""The consequences of a call's outcome that nobody can take back.

A sequence that starts, a number that is unlinked, a return to the vendor, a credit notice. An
outcome that staff can still undo starts them when its ten seconds are over.
"""

from datetime import datetime

from rooftree.compliance.consent import store_revocation
from rooftree.flow import credit_notice_triggers, vendor_returns
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.nurture import sequence_enrollment
from rooftree.org.models import User
from rooftree.outreach.calls import call_record_check
from rooftree.outreach.inbound import carrier_callbacks
from rooftree.outreach.messages import plan_messages
from rooftree.scoring.rescore_leads import rescore_lead

NOT_REACHED = frozenset({"voicemail", "no_answer"})


def start_consequences(
    attempt: ContactAttempt, *, lead: Lead, by: User, recorded_at: datetime, at: datetime
) -> None:
    """Start what follows from an outcome that stays.

    Args:
        recorded_at: when staff recorded the outcome; a credit notice is due from that day.
    """
    result = attempt.result
    call_record_check.mark_complete(attempt, at=at)
    if result in NOT_REACHED:
        sequence_enrollment.enroll_for_event(lead_id=lead.pk, event="not_reached", at=recorded_at)
    if result == "wrong_number":
        _unlink_wrong_number(lead, recorded_at)
        vendor_returns.check_leads([lead.pk], at=at)
    if result == "bad_number":
        _mark_disconnected_number(lead, recorded_at)
        vendor_returns.check_leads([lead.pk], at=at)
    if result == "told_no":
        credit_notice_triggers.record_denial(
            lead.pk, f"attempt:{attempt.pk}", f"{by.name} told the borrower no", at=recorded_at
        )
    rescore_lead(lead_id=lead.pk, because=result, at=at)


def _mark_disconnected_number(lead: Lead, at: datetime) -> None:
    """Mark a number dead if the carrier failed to call it and staff heard the same."""
    number = plan_messages.address_for(lead, "text")
    calls = ContactAttempt.objects.filter(person=lead.person, address=number, medium="call")
    if number and calls.filter(failed_at__isnull=False).exists():
        carrier_callbacks.record_dead_number(number, at=at)


def _unlink_wrong_number(lead: Lead, at: datetime) -> None:
    number = plan_messages.address_for(lead, "text")
    if number:
        cause = f"wrong_number:{lead.pk}:{number}"
        store_revocation.unlink_number(
            person_id=lead.person_id,
            number=number,
            origin="page:disposition",
            idempotency_key=cause,
            at=at,
        )
