"""The outcome just logged on a lead: how to undo it, and the lead that comes next."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from rooftree.flow import undo_window
from rooftree.leads.models import Lead
from rooftree.org.models import User
from rooftree.reporting.timeline import call_entries
from rooftree.web.shared.next_lead import NextLead, find_next_lead

RESULT_MESSAGES = {
    "spoken": "Logged: spoke",
    "voicemail": "Logged: voicemail",
    "no_answer": "Logged: no answer",
    "call_back": "Callback scheduled",
    "wrong_number": "Wrong number removed. We won’t call it for this borrower again.",
    "bad_number": "Logged: not in service",
    "not_interested": "Lead closed",
    "told_no": "Lead closed. Compliance will send the adverse action notice.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedOutcome:
    """An outcome that its author can still undo."""

    text: str
    undo_url: str
    next_lead: NextLead | None


def find_logged_outcome(lead: Lead, *, user: User, at: datetime) -> LoggedOutcome | None:
    """Return the outcome that this user logged in the last seconds, or None."""
    since = at - undo_window.SETTLE_AFTER * 2  # a late settlement included
    logged_at = [call.result_at for call in call_entries.loaded_calls(lead) if call.result_at]
    if max(logged_at, default=since) <= since:  # as for most leads; save the query
        return None
    act = undo_window.find_open_act(lead.pk)
    if act is None or act.by_id != user.pk or act.attempt_id is None:
        return None
    return LoggedOutcome(
        text=RESULT_MESSAGES[act.result],
        undo_url=undo_url(act.pk),
        next_lead=find_next_lead(user, after=lead.pk, at=at),
    )


def undo_url(act_id: UUID) -> str:
    """Return the page that undoes an act."""
    return reverse("undo", args=[act_id])
