"""A lead's calls in its history, and what of them the carrier recorded."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Prefetch

from rooftree.leads.models import ContactAttempt, Lead
from rooftree.outreach.calls import call_recordings
from rooftree.outreach.models import CallRecording
from rooftree.reporting.timeline.timeline_entry import EntryGroup, EntryMark, TimelineEntry

CALL_RESULTS = {
    "spoken": ("Spoke", EntryMark.OK),
    "voicemail": ("Left a voicemail", EntryMark.PERSON),
    "no_answer": ("No answer", EntryMark.PERSON),
    "call_back": ("Asked to be called back", EntryMark.PERSON),
    "wrong_number": ("Wrong number", EntryMark.LATE),
    "bad_number": ("Number not in service", EntryMark.LATE),
    "not_interested": ("Not interested", EntryMark.LATE),
    "told_no": ("Told: does not qualify", EntryMark.LATE),
}


CALLS_PREFETCH = Prefetch(
    "attempts",
    ContactAttempt.objects.filter(medium__in=["call", "voicemail"]).select_related(
        "by", "recording__objected_by"
    ),
    to_attr="calls",
)


def build_entries(lead: Lead) -> Iterator[TimelineEntry]:
    """One entry a call."""
    for attempt in loaded_calls(lead):
        title, mark = CALL_RESULTS.get(
            attempt.result,
            (attempt.result.replace("_", " ").capitalize() or "Call", EntryMark.PERSON),
        )
        who = attempt.by.name if attempt.by else ""
        yield TimelineEntry(
            key=f"attempt:{attempt.pk}",
            at=attempt.at,
            group=EntryGroup.MESSAGES,
            icon="phone",
            mark=mark,
            title="They called us" if attempt.direction == "in" else title,
            detail=f"by {who}" if who and title != "Spoke" else f"with {who}" if who else "",
            body=_recording_text(getattr(attempt, "recording", None)),
        )


def loaded_calls(lead: Lead) -> list[ContactAttempt]:
    """The calls that `CALLED` has loaded with the lead, each with its recording."""
    found: list[ContactAttempt] = vars(lead)["calls"]
    return found


def is_being_recorded(lead: Lead, *, at: datetime) -> bool:
    """Whether one of them is being recorded."""
    held = (getattr(loaded_call, "recording", None) for loaded_call in loaded_calls(lead))
    return any(one and call_recordings.is_running(one, at=at) for one in held)


def _recording_text(one: CallRecording | None) -> str:
    """What became of its recording, in a sentence; "" where there is nothing to say."""
    if one is None or one.told_at is None and not one.problem:
        return ""
    if one.objected_at:
        return f"{_objection_text(one)}. {_erasure_text(one)}"
    if one.seconds is not None:
        length = f"{one.seconds // 60} min {one.seconds % 60} s"
        return f"Recorded after the notice, {length}. The carrier keeps it as {one.carrier_id}."
    if one.problem:
        return f"Not recorded. {one.problem}"
    return "Being recorded, after the notice." if one.asked_at else "They heard the notice."


def _objection_text(one: CallRecording) -> str:
    how = f", said to {one.objected_by.name}" if one.objected_by else ", by a key"
    return f"They do not want to be recorded{how}"


def _erasure_text(one: CallRecording) -> str:
    if one.erased_at:
        return "What was recorded until then is deleted."
    if one.erase_from:
        return f"What was recorded until then is being deleted. {one.problem}".strip()
    return "Nothing was recorded."


def describe_recording(one: Mapping[str, Any], moment: Callable[[str], str]) -> Iterator[str]:
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
