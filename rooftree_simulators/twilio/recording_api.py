"""Recordings of calls: start, stop, list and delete over REST, and status callbacks.

After the public pages of the Recordings resource. That a recording in progress cannot be
deleted is our reading of them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from rooftree_simulators.twilio.call_leg import CallLeg
from rooftree_simulators.twilio.twilio_account import TwilioAccount, http_date
from rooftree_simulators.twilio.twilio_errors import (
    API_VERSION,
    format_date,
    list_reply,
    matches_day,
    new_sid,
    read_form,
    reply_error,
)
from rooftree_simulators.vendor_base import Json, Reply, Request, json_reply

CURRENT_RECORDING = "Twilio.CURRENT"
KNOWN_FIELDS = {
    "RecordingStatusCallback",
    "RecordingStatusCallbackEvent",
    "RecordingStatusCallbackMethod",
    "RecordingChannels",
    "RecordingTrack",
    "Trim",
}
_FILTERS = {
    *("CallSid", "PageSize", "Page", "PageToken"),
    *("DateCreated", "DateCreated<", "DateCreated>"),
}
_EVENT_TYPES = frozenset({"in-progress", "completed", "absent"})


@dataclass(slots=True, kw_only=True)
class Recording:
    """One recording of a call."""

    sid: str
    call: str
    channels: int
    started_at: datetime
    callback: str = ""
    method: str = "POST"
    events: frozenset[str] = field(default_factory=frozenset)
    status: str = "in-progress"
    ended_at: datetime | None = None

    @property
    def seconds(self) -> int | None:
        if self.ended_at is None:
            return None
        return max(0, round((self.ended_at - self.started_at).total_seconds()))

    def as_json(self, account_sid: str) -> Json:
        place = (
            f"/{API_VERSION}/Accounts/{account_sid}/Calls/{self.call}/Recordings/{self.sid}.json"
        )
        return {
            "account_sid": account_sid,
            "api_version": API_VERSION,
            "call_sid": self.call,
            "channels": self.channels,
            "date_created": format_date(self.started_at),
            "date_updated": format_date(self.ended_at or self.started_at),
            "duration": None if self.seconds is None else str(self.seconds),
            "error_code": None,
            "price": None,
            "sid": self.sid,
            "source": "StartCallRecordingAPI",
            "start_time": format_date(self.started_at),
            "status": self.status,
            "track": "both",
            "uri": place,
        }


def create_recording(account: TwilioAccount, request: Request, call: CallLeg) -> Reply:
    """Handle POST …/Calls/{sid}/Recordings.json: record a call in progress."""
    fields = read_form(request, KNOWN_FIELDS)
    if call.status != "in-progress":
        raise reply_error(21220)
    recording = begin_recording(account, call, fields)
    return json_reply(201, recording.as_json(account.sid))


def begin_recording(account: TwilioAccount, call: CallLeg, fields: dict[str, str]) -> Recording:
    """Record a call from now to its end. Raises `ReplyError` for a setting Twilio lacks."""
    events = frozenset(fields.get("RecordingStatusCallbackEvent", "completed").split())
    channels = {"mono": 1, "dual": 2}.get(fields.get("RecordingChannels", "mono"))
    if events - _EVENT_TYPES or channels is None:
        raise reply_error(20001)
    recording = Recording(
        sid=new_sid("RE"),
        call=call.sid,
        channels=channels,
        started_at=account.clock.now(),
        callback=fields.get("RecordingStatusCallback", ""),
        method=fields.get("RecordingStatusCallbackMethod", "POST"),
        events=events,
    )
    with account.lock:
        account.recordings[recording.sid] = recording
    call.at_end.append(partial(_end_recording, account, recording))
    _report_status(account, recording, "in-progress")
    return recording


def stop_recording(account: TwilioAccount, request: Request, call: CallLeg, sid: str) -> Reply:
    """Handle POST …/Calls/{sid}/Recordings/{sid}.json: stop a recording.

    `Twilio.CURRENT` names the recording in progress.
    """
    fields = read_form(request, {"Status", "PauseBehavior"})
    recording = account.recordings.get(sid)
    if sid == CURRENT_RECORDING:
        rows = account.recordings.values()
        running = (row for row in rows if row.call == call.sid and row.ended_at is None)
        recording = next(running, None)
    if recording is None or recording.call != call.sid:
        raise reply_error(20404)
    if fields.get("Status") != "stopped":
        raise reply_error(20001)
    if recording.ended_at is None:
        _end_recording(account, recording)
    return json_reply(200, recording.as_json(account.sid))


def list_recordings(account: TwilioAccount, request: Request, call_sid: str = "") -> Reply:
    """Handle GET …/Recordings.json of a call, or of the account: newest first."""
    query = dict(request.query)
    if query.keys() - _FILTERS:
        raise reply_error(20001)
    wanted = call_sid or query.get("CallSid", "")
    rows = [
        recording
        for recording in account.recordings.values()
        if wanted in ("", recording.call)
        and matches_day(query, "DateCreated", recording.started_at)
    ]
    rows.sort(key=lambda row: row.started_at, reverse=True)
    return list_reply(request, "recordings", [row.as_json(account.sid) for row in rows])


def read_recording(account: TwilioAccount, sid: str, call_sid: str = "") -> Reply:
    """Handle GET …/Recordings/{sid}.json of a call, or of the account."""
    recording = account.recordings.get(sid)
    if recording is None or call_sid not in ("", recording.call):
        raise reply_error(20404)
    return json_reply(200, recording.as_json(account.sid))


def delete_recording(account: TwilioAccount, sid: str) -> Reply:
    """Handle DELETE …/Recordings/{sid}.json."""
    with account.lock:
        recording = account.recordings.get(sid)
        if recording is None:
            raise reply_error(20404)
        if recording.ended_at is None:
            raise reply_error(20001, "A recording that is in progress cannot be deleted.")
        del account.recordings[sid]
    return Reply(status=204)


def _end_recording(account: TwilioAccount, recording: Recording) -> None:
    with account.lock:
        if recording.ended_at is not None:
            return
        recording.ended_at = account.clock.now()
        recording.status = "completed" if recording.seconds else "absent"
    _report_status(account, recording, recording.status)


def _report_status(account: TwilioAccount, recording: Recording, event: str) -> None:
    if not recording.callback or event not in recording.events:
        return
    place = f"/{API_VERSION}/Accounts/{account.sid}/Recordings/{recording.sid}"
    fields = [
        ("AccountSid", account.sid),
        ("CallSid", recording.call),
        ("RecordingSid", recording.sid),
        ("RecordingUrl", f"https://api.twilio.com{place}"),
        ("RecordingStatus", event),
        ("RecordingChannels", str(recording.channels)),
        ("RecordingStartTime", http_date(recording.started_at)),
        ("RecordingSource", "StartCallRecordingAPI"),
        ("RecordingTrack", "both"),
        ("ErrorCode", "0"),
    ]
    if event == "completed":
        fields.append(("RecordingDuration", str(recording.seconds)))
    account.report_status(recording.callback, fields, method=recording.method)
