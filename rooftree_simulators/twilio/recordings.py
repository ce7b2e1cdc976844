"""Recordings of calls: begun, stopped, listed and deleted over REST, and told when they are over.

As the public pages of the Recordings resource have it; that one which still runs is not
deleted is our reading.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from rooftree_simulators.frame import Json, Reply, Request, json_reply
from rooftree_simulators.twilio.account import Account, http_date
from rooftree_simulators.twilio.answers import API, date_text, new_sid, posted, refused
from rooftree_simulators.twilio.call import Call

CURRENT = "Twilio.CURRENT"
_KNOWN = {
    "RecordingStatusCallback",
    "RecordingStatusCallbackEvent",
    "RecordingStatusCallbackMethod",
    "RecordingChannels",
    "RecordingTrack",
    "Trim",
}
_EVENTS = frozenset({"in-progress", "completed", "absent"})


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
        place = f"/{API}/Accounts/{account_sid}/Calls/{self.call}/Recordings/{self.sid}.json"
        return {
            "account_sid": account_sid,
            "api_version": API,
            "call_sid": self.call,
            "channels": self.channels,
            "date_created": date_text(self.started_at),
            "date_updated": date_text(self.ended_at or self.started_at),
            "duration": None if self.seconds is None else str(self.seconds),
            "error_code": None,
            "price": None,
            "sid": self.sid,
            "source": "StartCallRecordingAPI",
            "start_time": date_text(self.started_at),
            "status": self.status,
            "track": "both",
            "uri": place,
        }


def create(account: Account, request: Request, call: Call) -> Reply:
    """POST …/Calls/{sid}/Recordings.json, of a call that is under way."""
    fields = posted(request, _KNOWN)
    events = frozenset(fields.get("RecordingStatusCallbackEvent", "completed").split())
    channels = {"mono": 1, "dual": 2}.get(fields.get("RecordingChannels", "mono"))
    if events - _EVENTS or channels is None:
        raise refused(20001)
    if call.status != "in-progress":
        raise refused(21220)
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
    call.at_end.append(partial(_over, account, made))
    _tell(account, made, "in-progress")
    return json_reply(201, made.as_json(account.sid))


def change(account: Account, request: Request, call: Call, sid: str) -> Reply:
    """POST …/Calls/{sid}/Recordings/{sid}.json: stop it. `Twilio.CURRENT` is the one that runs."""
    fields = posted(request, {"Status", "PauseBehavior"})
    one = _running(account, call) if sid == CURRENT else account.recordings.get(sid)
    if one is None or one.call != call.sid:
        raise refused(20404)
    if fields.get("Status") != "stopped":
        raise refused(20001)
    if one.ended_at is None:
        _over(account, one)
    return json_reply(200, one.as_json(account.sid))


def listed(account: Account, call: Call) -> Reply:
    """GET …/Calls/{sid}/Recordings.json, newest first."""
    rows = [one for one in account.recordings.values() if one.call == call.sid]
    rows.sort(key=lambda one: one.started_at, reverse=True)
    content: Json = {
        "recordings": [one.as_json(account.sid) for one in rows],
        "page": 0,
        "page_size": 50,
        "uri": f"/{API}/Accounts/{account.sid}/Calls/{call.sid}/Recordings.json",
    }
    return json_reply(200, content)


def delete(account: Account, sid: str) -> Reply:
    """DELETE …/Recordings/{sid}.json."""
    with account.lock:
        one = account.recordings.get(sid)
        if one is None:
            raise refused(20404)
        if one.ended_at is None:
            raise refused(20001, "A recording that is in progress cannot be deleted.")
        del account.recordings[sid]
    return Reply(status=204)


def _running(account: Account, call: Call) -> Recording | None:
    rows = account.recordings.values()
    return next((one for one in rows if one.call == call.sid and one.ended_at is None), None)


def _over(account: Account, one: Recording) -> None:
    with account.lock:
        if one.ended_at is not None:
            return
        one.ended_at = account.clock.now()
        one.status = "completed" if one.seconds else "absent"
    _tell(account, one, one.status)


def _tell(account: Account, one: Recording, event: str) -> None:
    if not one.callback or event not in one.events:
        return
    place = f"/{API}/Accounts/{account.sid}/Recordings/{one.sid}"
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
    account.report(one.callback, fields, method=one.method)
