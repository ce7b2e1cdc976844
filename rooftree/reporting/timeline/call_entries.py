"""Timeline entries for a lead's calls and their recordings."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from rooftree.db.prepared_queries import PreparedQuery
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
    "told_no": ("Declined: does not qualify", EntryMark.LATE),
}


CALLS_QUERY = PreparedQuery(
    lambda lead_id: ContactAttempt.objects.filter(
        lead=lead_id, medium__in=["call", "voicemail"]
    ).select_related("by", "recording__objected_by"),
    lead_id=UUID,
)


def build_entries(lead: Lead) -> Iterator[TimelineEntry]:
    """Build one entry for each call."""
    for attempt in loaded_calls(lead):
        title, mark = CALL_RESULTS.get(
            attempt.result,
            (attempt.result.replace("_", " ").capitalize() or "Call", EntryMark.PERSON),
        )
        staff = attempt.by.name if attempt.by else ""
        detail = f"by {staff}" if staff and title != "Spoke" else f"with {staff}" if staff else ""
        yield TimelineEntry(
            key=f"attempt:{attempt.pk}",
            at=attempt.at,
            group=EntryGroup.MESSAGES,
            icon="phone",
            mark=mark,
            title="Borrower called" if attempt.direction == "in" else title,
            detail=detail,
            body=_recording_text(getattr(attempt, "recording", None)),
        )


def load_calls(lead: Lead, *, has_any: bool) -> None:
    """Load the lead's calls, each with its recording; without a query if it has none."""
    vars(lead)["calls"] = CALLS_QUERY.all(lead_id=lead.pk) if has_any else []


def loaded_calls(lead: Lead) -> list[ContactAttempt]:
    """Return the calls that `load_calls` loaded with the lead."""
    calls: list[ContactAttempt] = vars(lead)["calls"]
    return calls


def is_being_recorded(lead: Lead, *, at: datetime) -> bool:
    """Return True if one of the lead's calls is being recorded now."""
    recordings = (getattr(call, "recording", None) for call in loaded_calls(lead))
    return any(
        recording and call_recordings.is_running(recording, at=at) for recording in recordings
    )


def _recording_text(recording: CallRecording | None) -> str:
    """Describe the state of a recording in a sentence; "" if there is nothing to say."""
    if recording is None or recording.notice_played_at is None and not recording.problem:
        return ""
    if recording.objected_at:
        listener = recording.objected_by
        channel = f"told {listener.name}" if listener else "pressed a key"
        return f"Borrower objected to recording ({channel}). {_erasure_text(recording)}"
    if recording.seconds is not None:
        length = f"{recording.seconds // 60} min {recording.seconds % 60} s"
        return f"Recorded after the notice, {length}. Carrier recording {recording.carrier_id}."
    if recording.problem:
        return f"Not recorded. {recording.problem}"
    return (
        "Recording, after the notice." if recording.requested_at else "Borrower heard the notice."
    )


def _erasure_text(recording: CallRecording) -> str:
    if recording.erased_at:
        return "The recording was deleted."
    if recording.erase_from:
        return f"The recording is being deleted. {recording.problem}".strip()
    return "Nothing was recorded."


def describe_recording(
    recording: Mapping[str, Any], format_moment: Callable[[str], str]
) -> Iterator[str]:
    """Describe a recording row of an evidence file: notice, objection, deletion, carrier id."""
    if recording["notice_played_at"]:
        played_at = format_moment(recording["notice_played_at"])
        yield f"Borrower heard the whole notice {played_at}: “{recording['notice']}”"
    if recording["objected_at"]:
        yield f"Borrower objected to recording {format_moment(recording['objected_at'])}."
    if recording["erased_at"]:
        yield f"Recording deleted {format_moment(recording['erased_at'])}."
    elif recording["carrier_id"]:
        length = "" if recording["seconds"] is None else f", {recording['seconds']} seconds"
        carrier = f"the carrier ({recording['carrier']})"
        yield f"Recording {recording['carrier_id']} at {carrier}{length}."
