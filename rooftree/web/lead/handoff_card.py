"""The LOS handoff card of the lead page: its state, and what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass

from rooftree.flow.los_handoff import MISSING_DATA_TASK
from rooftree.leads.models import Lead, Task
from rooftree.los.models import Handoff

HANDOFF_STATES = {  # state: (badge class, icon, label, explanation)
    "pending": ("hold", "clock", "Waiting to send", "It will be sent automatically."),
    "sending": ("hold", "los", "Sending", "The LOS is creating the loan."),
    "uncertain": (
        "soon",
        "clock",
        "Unconfirmed",
        "The LOS didn’t respond in time. We’ll search it for this lead before sending again, so "
        "the loan can’t be created twice.",
    ),
    "rejected": (
        "late",
        "warn",
        "Rejected",
        "Nothing was created. Fix the problem and hand it off again.",
    ),
    "created": ("ok", "check", "In the LOS", ""),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffCard:
    """The content of the card; without a handoff, everything but `gaps` is empty."""

    handoff: Handoff | None
    tone: str
    icon: str
    state: str
    sentence: str
    missing_fields: str  # the missing data found by the last request, "" for none
    can_request: bool


def build_handoff_card(lead: Lead, tasks: Sequence[Task]) -> HandoffCard:
    """Build the card from the lead's newest handoff and its open `tasks`."""
    newest = max(lead.handoffs.all(), key=lambda handoff: handoff.requested_at, default=None)
    tone, icon, state, sentence = HANDOFF_STATES[newest.state] if newest else ("", "", "", "")
    if newest and newest.state == "uncertain" and newest.due_at is None:
        tone, sentence = "late", "Check for the loan in the LOS. We won’t send it again."
    titles = (task.title for task in tasks if task.kind == MISSING_DATA_TASK)
    return HandoffCard(
        handoff=newest,
        tone=tone,
        icon=icon,
        state=state,
        sentence=sentence,
        missing_fields=next(titles, "").partition(": ")[2],
        can_request=newest is None or newest.state == "rejected",
    )
