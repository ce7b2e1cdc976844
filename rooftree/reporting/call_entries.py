"""A lead's calls in its history, and what of them the carrier recorded."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Prefetch

from rooftree.leads.models import ContactAttempt, Lead
from rooftree.outreach import recordings
from rooftree.outreach.models import CallRecording
from rooftree.reporting.timeline import Entry, Group, Mark

CALLS = {
    "spoken": ("Spoke", Mark.OK),
    "voicemail": ("Left a voicemail", Mark.PERSON),
    "no_answer": ("No answer", Mark.PERSON),
    "call_back": ("Asked to be called back", Mark.PERSON),
    "wrong_number": ("Wrong number", Mark.LATE),
    "bad_number": ("Number not in service", Mark.LATE),
    "not_interested": ("Not interested", Mark.LATE),
    "told_no": ("Told: does not qualify", Mark.LATE),
}


CALLED = Prefetch(
    "attempts",
    ContactAttempt.objects.filter(medium__in=["call", "voicemail"]).select_related(
        "by", "recording__objected_by"
    ),
    to_attr="calls",
)


def of_lead(lead: Lead) -> Iterator[Entry]:
    """One entry a call."""
    for attempt in called(lead):
        title, mark = CALLS.get(
            attempt.result, (attempt.result.replace("_", " ").capitalize() or "Call", Mark.PERSON)
        )
        who = attempt.by.name if attempt.by else ""
        yield Entry(
            key=f"attempt:{attempt.pk}",
            at=attempt.at,
            group=Group.MESSAGES,
            icon="phone",
            mark=mark,
            title="They called us" if attempt.direction == "in" else title,
            rest=f"by {who}" if who and title != "Spoke" else f"with {who}" if who else "",
            body=_recorded(getattr(attempt, "recording", None)),
        )


def called(lead: Lead) -> list[ContactAttempt]:
    """The calls that `CALLED` has loaded with the lead, each with its recording."""
    found: list[ContactAttempt] = vars(lead)["calls"]
    return found


def is_recorded(lead: Lead, *, at: datetime) -> bool:
    """Whether one of them is being recorded."""
    held = (getattr(one, "recording", None) for one in called(lead))
    return any(one and recordings.is_running(one, at=at) for one in held)


def _recorded(one: CallRecording | None) -> str:
    """What became of its recording, in a sentence; "" where there is nothing to say."""
    if one is None or one.told_at is None and not one.problem:
        return ""
    if one.objected_at:
        return f"{_objected(one)}. {_erased(one)}"
    if one.seconds is not None:
        length = f"{one.seconds // 60} min {one.seconds % 60} s"
        return f"Recorded after the notice, {length}. The carrier keeps it as {one.carrier_id}."
    if one.problem:
        return f"Not recorded. {one.problem}"
    return "Being recorded, after the notice." if one.asked_at else "They heard the notice."


def _objected(one: CallRecording) -> str:
    how = f", said to {one.objected_by.name}" if one.objected_by else ", by a key"
    return f"They do not want to be recorded{how}"


def _erased(one: CallRecording) -> str:
    if one.erased_at:
        return "What was recorded until then is deleted."
    if one.erase_from:
        return f"What was recorded until then is being deleted. {one.problem}".strip()
    return "Nothing was recorded."


def recording_in_words(one: Mapping[str, Any], moment: Callable[[str], str]) -> Iterator[str]:
    """As a row of an evidence file: what they were told, and how the carrier calls it."""
    if one["told_at"]:
        yield f"They heard to its end, {moment(one['told_at'])}: “{one['notice']}”"
    if one["objected_at"]:
        yield f"They objected to being recorded {moment(one['objected_at'])}."
    if one["erased_at"]:
        yield f"What was recorded was deleted {moment(one['erased_at'])}."
    elif one["carrier_id"]:
        length = "" if one["seconds"] is None else f", {one['seconds']} seconds"
        yield f"Recording {one['carrier_id']} at the carrier ({one['carrier']}){length}."
