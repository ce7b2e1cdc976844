"""Completeness of call records under the telemarketing rule (TSR-01).

Covers calls through our carrier. A call an officer dials by hand on their own phone is exempt
(16 CFR 310.5(a)(2)); it is stored as well, but nobody reports its length.
"""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from rooftree.compliance.gate import telemarketing_records
from rooftree.compliance.gate.verdict import Decision
from rooftree.leads.models import ContactAttempt
from rooftree.org.current_company import current_company

BY_CARRIER = Q(idempotency_key__startswith="ring:") | Q(idempotency_key__startswith="call_in:")
CALL_OVER_AFTER = timedelta(minutes=10)
FIELD_NAMES = {
    "calling_number": "calling number",
    "called_number": "called number",
    "at": "start time",
    "duration": "length",
    "disposition": "outcome",
    "campaign": "lead source",
    "purpose": "purpose",
    "seller": "seller name",
}


def mark_complete(attempt: ContactAttempt, *, at: datetime) -> bool:
    """Mark a call record complete; return False if a field is missing or it already was."""
    ruling = telemarketing_records.check_record_complete("call_detail", _recorded_fields(attempt))
    if ruling.decision is not Decision.ALLOW:
        return False
    rows = ContactAttempt.objects.filter(BY_CARRIER, pk=attempt.pk, completed_at=None)
    return bool(rows.update(completed_at=at))


def incomplete_calls(*, before: datetime) -> QuerySet[ContactAttempt]:
    """Return calls that began before a time and lack a field, newest first."""
    rows = ContactAttempt.objects.filter(BY_CARRIER, medium="call", completed_at=None)
    return rows.filter(at__lt=before).order_by("-at", "-pk")


def calls_without_length(*, at: datetime) -> QuerySet[ContactAttempt]:
    """Return ended calls of the last day on our own lines that have no length yet.

    The length of a call to a source's tracking number comes from that source.
    """
    own_lines = BY_CARRIER & ~Q(idempotency_key__regex="^call_in:.*:")
    rows = ContactAttempt.objects.filter(own_lines, medium="call", completed_at=None, seconds=None)
    return rows.filter(at__range=(at - timedelta(days=1), at - CALL_OVER_AFTER)).order_by(
        "-at", "-pk"
    )


def missing_fields(attempt: ContactAttempt) -> list[str]:
    """Return the names of the fields a call record lacks, as shown to staff."""
    missing = telemarketing_records.missing_fields("call_detail", _recorded_fields(attempt))
    return [FIELD_NAMES[name] for name in missing]


def _recorded_fields(attempt: ContactAttempt) -> frozenset[str]:
    borrower_number, our_number = attempt.address, attempt.our_number
    is_inbound = attempt.direction == "in"
    calling, called = (borrower_number, our_number) if is_inbound else (our_number, borrower_number)
    values = {
        "calling_number": calling,
        "called_number": called,
        "at": attempt.at,
        "duration": attempt.seconds is not None,
        "disposition": attempt.result,
        "campaign": attempt.lead.source_id,
        "purpose": attempt.purpose,
        "seller": current_company().legal_name,
    }
    return frozenset(name for name, value in values.items() if value)
