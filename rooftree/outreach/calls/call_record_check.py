"""Whether all that the telemarketing rule wants of a call is on file (TSR-01).

Asked of calls by our carrier. What an officer dials by hand on a phone of their own is exempt
(16 CFR 310.5(a)(2)) and kept all the same, without the seconds, which nobody tells us.
"""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from rooftree.compliance.gate import telemarketing_records
from rooftree.compliance.gate.verdict import Decision
from rooftree.leads.models import ContactAttempt
from rooftree.org.current_company import current_company

BY_CARRIER = Q(cause__startswith="ring:") | Q(cause__startswith="call_in:")
CALL_OVER_AFTER = timedelta(minutes=10)
FIELD_NAMES = {
    "calling_number": "the number it came from",
    "called_number": "the number it went to",
    "at": "when it began",
    "duration": "how long it lasted",
    "disposition": "what came of it",
    "campaign": "its source",
    "purpose": "its purpose",
    "seller": "for whom it was made",
}


def mark_complete(attempt: ContactAttempt, *, at: datetime) -> bool:
    """Tell that nothing is missing of a call; False when something is, or it was told before."""
    if (
        telemarketing_records.check_record_complete(
            "call_detail", _recorded_fields(attempt)
        ).decision
        is not Decision.ALLOW
    ):
        return False
    mine = ContactAttempt.objects.filter(BY_CARRIER, pk=attempt.pk, completed_at=None)
    return bool(mine.update(completed_at=at))


def incomplete_calls(*, before: datetime) -> QuerySet[ContactAttempt]:
    """Calls that began before and lack something, newest first."""
    rows = ContactAttempt.objects.filter(BY_CARRIER, medium="call", completed_at=None)
    return rows.filter(at__lt=before).order_by("-at", "-pk")


def calls_without_length(*, at: datetime) -> QuerySet[ContactAttempt]:
    """Calls of the last day by our own line that must be over, and nobody told how long they took.

    Those to a source's tracking numbers are the source's to tell.
    """
    own = BY_CARRIER & ~Q(cause__regex="^call_in:.*:")
    rows = ContactAttempt.objects.filter(own, medium="call", completed_at=None, seconds=None)
    return rows.filter(at__range=(at - timedelta(days=1), at - CALL_OVER_AFTER)).order_by(
        "-at", "-pk"
    )


def missing_fields(attempt: ContactAttempt) -> list[str]:
    """What a call lacks, in words."""
    return [
        FIELD_NAMES[missing_field]
        for missing_field in telemarketing_records.missing_fields(
            "call_detail", _recorded_fields(attempt)
        )
    ]


def _recorded_fields(attempt: ContactAttempt) -> frozenset[str]:
    theirs, ours = attempt.address, attempt.our_number
    calling, called = (theirs, ours) if attempt.direction == "in" else (ours, theirs)
    held = {
        "calling_number": calling,
        "called_number": called,
        "at": attempt.at,
        "duration": attempt.seconds is not None,
        "disposition": attempt.result,
        "campaign": attempt.lead.source_id,
        "purpose": attempt.purpose,
        "seller": current_company().legal_name,
    }
    return frozenset(name for name, value in held.items() if value)
