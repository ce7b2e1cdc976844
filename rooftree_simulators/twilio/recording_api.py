"""Recordings of calls: begun, stopped, listed and deleted over REST, and told when they are over.

As the public pages of the Recordings resource have it; that one which still runs is not
deleted is our reading.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from rooftree_simulators.twilio.call_leg import CallLeg
from rooftree_simulators.twilio.twilio_account import TwilioAccount, http_date
from rooftree_simulators.twilio.twilio_errors import (
    API_VERSION,
    format_date,
    new_sid,
    read_form,
    reply_error,
)
from rooftree_simulators.vendor_base import Json, Reply, Request, json_reply

CURRENT_RECORDING = "Twilio.CURRENT"
_KNOWN_FIELDS = {
    "RecordingStatusCallback",
    "RecordingStatusCallbackEvent",
    "RecordingStatusCallbackMethod",
    "RecordingChannels",
    "RecordingTrack",
    "Trim",
}
_EVENT_TYPES = frozenset({"in-progress", "completed", "absent"})


@dataclass(slots=True, kw_only=True)
class Recording:
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
    """POST …/Calls/{sid}/Recordings.json, of a call that is under way."""
    fields = read_form(request, _KNOWN_FIELDS)
    events = frozenset(fields.get("RecordingStatusCallbackEvent", "completed").split())
    channels = {"mono": 1, "dual": 2}.get(fields.get("RecordingChannels", "mono"))
    if events - _EVENT_TYPES or channels is None:
        raise reply_error(20001)
    if call.status != "in-progress":
        raise reply_error(21220)
    made = Recording(
        sid=new_sid("RE"),
        call=call.sid,
        channels=channels,
        started_at=account.clock.now(),
        callback=fields.get("RecordingStatusCallback", ""),
        method=fields.get("RecordingStatusCallbackMethod", "POST"),
        events=events,
    )
    with account.lock:
        account.recordings[made.sid] = made
    call.at_end.append(partial(_end_recording, account, made))
    _report_status(account, made, "in-progress")
    return json_reply(201, made.as_json(account.sid))


def stop_recording(account: TwilioAccount, request: Request, call: CallLeg, sid: str) -> Reply:
    """POST …/Calls/{sid}/Recordings/{sid}.json: stop it. `Twilio.CURRENT` is the one that runs."""
    fields = read_form(request, {"Status", "PauseBehavior"})
    one = _find_running(account, call) if sid == CURRENT_RECORDING else account.recordings.get(sid)
    if one is None or one.call != call.sid:
        raise reply_error(20404)
    if fields.get("Status") != "stopped":
        raise reply_error(20001)
    if one.ended_at is None:
        _end_recording(account, one)
    return json_reply(200, one.as_json(account.sid))


def list_recordings(account: TwilioAccount, call: CallLeg) -> Reply:
    """GET …/Calls/{sid}/Recordings.json, newest first."""
    rows = [recording for recording in account.recordings.values() if recording.call == call.sid]
    rows.sort(key=lambda one: one.started_at, reverse=True)
    content: Json = {
        "recordings": [row.as_json(account.sid) for row in rows],
        "page": 0,
        "page_size": 50,
        "uri": f"/{API_VERSION}/Accounts/{account.sid}/Calls/{call.sid}/Recordings.json",
    }
    return json_reply(200, content)


def delete_recording(account: TwilioAccount, sid: str) -> Reply:
    """DELETE …/Recordings/{sid}.json."""
    with account.lock:
        one = account.recordings.get(sid)
        if one is None:
            raise reply_error(20404)
        if one.ended_at is None:
            raise reply_error(20001, "A recording that is in progress cannot be deleted.")
        del account.recordings[sid]
    return Reply(status=204)


def _find_running(account: TwilioAccount, call: CallLeg) -> Recording | None:
    rows = account.recordings.values()
    return next((row for row in rows if row.call == call.sid and row.ended_at is None), None)


def _end_recording(account: TwilioAccount, one: Recording) -> None:
    with account.lock:
        if one.ended_at is not None:
            return
        one.ended_at = account.clock.now()
        one.status = "completed" if one.seconds else "absent"
    _report_status(account, one, one.status)


def _report_status(account: TwilioAccount, one: Recording, event: str) -> None:
    if not one.callback or event not in one.events:
        return
    place = f"/{API_VERSION}/Accounts/{account.sid}/Recordings/{one.sid}"
    fields = [
        ("AccountSid", account.sid),
        ("CallSid", one.call),
        ("RecordingSid", one.sid),
        ("RecordingUrl", f"https://api.twilio.com{place}"),
        ("RecordingStatus", event),
        ("RecordingChannels", str(one.channels)),
        ("RecordingStartTime", http_date(one.started_at)),
        ("RecordingSource", "StartCallRecordingAPI"),
        ("RecordingTrack", "both"),
        ("ErrorCode", "0"),
    ]
    if event == "completed":
        fields.append(("RecordingDuration", str(one.seconds)))
    account.report_status(one.callback, fields, method=one.method)
