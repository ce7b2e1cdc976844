"""The card that hands a lead to the LOS: how far it has come, and what it waits for."""

from collections.abc import Sequence
from dataclasses import dataclass

from rooftree.flow.los_handoff import MISSING_DATA_TASK
from rooftree.leads.models import Lead, Task
from rooftree.los.models import Handoff

HANDOFF_STATES = {  # state: (class of the badge, icon, its words, what that means)
    "pending": ("hold", "clock", "Waiting to be sent", "It goes out by itself."),
    "sending": ("hold", "los", "Being sent", "The LOS is creating the loan."),
    "uncertain": (
        "soon",
        "clock",
        "Not known yet",
        "The LOS did not answer in time. It is searched for this lead first, so that the loan "
        "cannot be made twice.",
    ),
    "rejected": ("late", "warn", "Refused", "Nothing was created. Mend it and hand it off again."),
    "created": ("ok", "check", "In the LOS", ""),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffCard:
    """What the card says. Without a hand-off only `gaps` may be filled."""

    handoff: Handoff | None
    tone: str
    icon: str
    state: str
    sentence: str
    gaps: str  # what was missing when it was last asked for
    can_ask: bool


def build_handoff_card(lead: Lead, tasks: Sequence[Task]) -> HandoffCard:
    """The newest hand-off of a lead, in words.

    Args:
        tasks: the open ones of the lead.
    """
    newest = max(lead.handoffs.all(), key=lambda one: one.asked_at, default=None)
    tone, icon, state, sentence = HANDOFF_STATES[newest.state] if newest else ("", "", "", "")
    if newest and newest.state == "uncertain" and newest.due_at is None:
        tone, sentence = "late", "Somebody must look in the LOS; nothing is sent again."
    asked = (task.title for task in tasks if task.kind == MISSING_DATA_TASK)
    return HandoffCard(
        handoff=newest,
        tone=tone,
        icon=icon,
        state=state,
        sentence=sentence,
        gaps=next(asked, "").partition(": ")[2],
        can_ask=newest is None or newest.state == "rejected",
    )
