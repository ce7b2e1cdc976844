"""Programmable Voice: place, list, read and end calls; inbound calls."""

from collections.abc import Generator
from urllib.parse import urlsplit

from rooftree_simulators.twilio import recording_api
from rooftree_simulators.twilio.call_leg import (
    ENDED_STATUSES,
    CallLeg,
    callee_behavior,
    change_status,
    end_leg,
    open_leg,
)
from rooftree_simulators.twilio.twilio_account import TwilioAccount, is_valid_number
from rooftree_simulators.twilio.twilio_errors import (
    list_reply,
    matches_day,
    read_form,
    reply_error,
)
from rooftree_simulators.twilio.twiml_runner import NextDocument, run_documents
from rooftree_simulators.vendor_base import Reply, Request, json_reply

_KNOWN_FIELDS = {
    "To",
    "From",
    "Url",
    "Method",
    "StatusCallback",
    "StatusCallbackEvent",
    "StatusCallbackMethod",
    "Timeout",
    "MachineDetection",
    "MachineDetectionTimeout",
    "AsyncAmd",
    "Record",
    "SendDigits",
    "FallbackUrl",
    "FallbackMethod",
    "TimeLimit",
    "CallReason",
    "Twiml",
    "CallerId",
    "CallToken",
    "MachineDetectionSpeechThreshold",
    "MachineDetectionSpeechEndThreshold",
    "MachineDetectionSilenceTimeout",
    "AsyncAmdStatusCallback",
    "AsyncAmdStatusCallbackMethod",
    *recording_api.KNOWN_FIELDS,
}
_FILTERS = {"To", "From", "Status", "ParentCallSid", "PageSize", "Page", "PageToken"}
_DAY_FILTERS = {f"{name}{sign}" for name in ("StartTime", "EndTime") for sign in ("", "<", ">")}
_EVENTS = {"initiated", "ringing", "answered", "completed"}
_MAX_RING_SECONDS = 600
_DETECTION_SECONDS = 2.0
_ACTIVE_STATUSES = {"queued", "initiated", "ringing", "in-progress"}


def create_call(account: TwilioAccount, request: Request) -> Reply:
    """Handle POST …/Calls.json."""
    fields = read_form(request, _KNOWN_FIELDS)
    to, sender, url = fields.get("To", ""), fields.get("From", ""), fields.get("Url", "")
    _check_call(account, to, sender, url, fields.get("Twiml", ""))
    events = frozenset(fields.get("StatusCallbackEvent", "completed").split())
    timeout = fields.get("Timeout", "60")
    if events - _EVENTS or not timeout.isdigit() or not 1 <= int(timeout) <= _MAX_RING_SECONDS:
        raise reply_error(20001)
    call = open_leg(account, to=to, sender=sender, direction="outbound-api")
    call.url, call.method = url, fields.get("Method", "POST")
    call.twiml = b"" if url else fields.get("Twiml", "").encode()
    if fields.get("Record", "").casefold() == "true":
        call.recording_fields = {
            name: fields[name] for name in recording_api.KNOWN_FIELDS if name in fields
        }
    call.callback = fields.get("StatusCallback", "")
    call.callback_method = fields.get("StatusCallbackMethod", "POST")
    call.events, call.timeout_s = events, float(timeout)
    call.detect_machine = bool(fields.get("MachineDetection"))
    shown = json_reply(201, call.as_json(account.sid))
    account.clock.run_process(_run_outbound(account, call))
    return shown


def _check_call(account: TwilioAccount, to: str, sender: str, url: str, twiml: str) -> None:
    if not to:
        raise reply_error(21201)
    if not sender:
        raise reply_error(21213)
    if not is_valid_number(to):
        raise reply_error(21211, f"The 'To' number {to} is not a valid phone number.")
    if sender not in account.lines:
        raise reply_error(21210 if is_valid_number(sender) else 21212)
    if not urlsplit(url).hostname and (url or not twiml):
        raise reply_error(21205)


def _run_outbound(account: TwilioAccount, call: CallLeg) -> Generator[float, None, None]:
    """Ring the person; when the person answers, run the product's TwiML document."""
    callee = callee_behavior(account, call)
    change_status(account, call, "initiated", "initiated")
    yield float(account.switches.values["ring_s"])
    if callee.voice in {"busy", "failed"}:
        end_leg(account, call, callee.voice)
        return
    change_status(account, call, "ringing", "ringing")
    if callee.voice == "no-answer" or callee.answer_after_s > call.timeout_s:
        yield call.timeout_s
        end_leg(account, call, "no-answer")
        return
    yield callee.answer_after_s
    if call.is_over:
        return
    change_status(account, call, "in-progress", "answered")
    if call.recording_fields is not None:
        recording_api.begin_recording(account, call, call.recording_fields)
    if call.detect_machine:
        yield _DETECTION_SECONDS
        call.answered_by = callee.answered_by
    yield from _run_conversation(account, call)


def _run_conversation(account: TwilioAccount, call: CallLeg) -> Generator[float, None, None]:
    patience = callee_behavior(account, call).hang_up_after_s
    if patience is not None:
        account.clock.schedule_job(patience, lambda: end_leg(account, call))
    first = NextDocument(url=call.url, written=call.twiml, method=call.method)
    yield from run_documents(account, call, first)
    end_leg(account, call)


def receive_call(account: TwilioAccount, *, sender: str, to: str) -> CallLeg:
    """Start an inbound call to one of the account's numbers; the clock runs the rest."""
    call = open_leg(account, to=to, sender=sender, direction="inbound")
    line = account.line(to)
    call.url, call.callback, call.status = line.voice_url, line.status_callback, "ringing"
    if not call.url:
        account.record_warning(11200, "no URL for calls on this number", number=to)
        end_leg(account, call, "failed")
        return call

    def run_inbound() -> Generator[float, None, None]:
        yield 0.0
        call.answered_at = account.clock.now()
        yield from _run_conversation(account, call)

    account.clock.run_process(run_inbound())
    return call


def update_call(account: TwilioAccount, request: Request, sid: str) -> Reply:
    """Handle POST …/Calls/{sid}.json: end the call, or redirect it to another document."""
    call = get_call(account, sid)
    fields = read_form(request, {"Status", "Url", "Method", "Twiml"})
    status = fields.get("Status", "")
    if call.is_over:
        raise reply_error(21220)
    if status and status not in {"canceled", "completed"}:
        raise reply_error(20001)
    if status == "canceled" and call.status == "in-progress":
        raise reply_error(21220)
    if status:
        end_leg(account, call, status)
    if fields.get("Url"):
        call.redirect = fields["Url"]
    elif fields.get("Twiml"):
        call.redirect_twiml = fields["Twiml"].encode()
    return json_reply(200, call.as_json(account.sid))


def delete_call(account: TwilioAccount, sid: str) -> Reply:
    """Handle DELETE …/Calls/{sid}.json."""
    if not get_call(account, sid).is_over:
        raise reply_error(21220, "A call that is in progress cannot be deleted.")
    with account.lock:
        account.calls.pop(sid, None)
    return Reply(status=204)


def read_call(account: TwilioAccount, sid: str) -> Reply:
    """Handle GET …/Calls/{sid}.json."""
    return json_reply(200, get_call(account, sid).as_json(account.sid))


def get_call(account: TwilioAccount, sid: str) -> CallLeg:
    """Return the call with this id. Raises `ReplyError` (404) for an unknown one."""
    call: CallLeg | None = account.calls.get(sid)
    if call is None:
        raise reply_error(20404)
    return call


def list_calls(account: TwilioAccount, request: Request) -> Reply:
    """Handle GET …/Calls.json: newest first, filtered by party, status, parent and day."""
    query = dict(request.query)
    unknown = query.keys() - _FILTERS - _DAY_FILTERS
    if unknown or query.get("Status", "completed") not in ENDED_STATUSES | _ACTIVE_STATUSES:
        raise reply_error(20001)
    with account.lock:
        rows: list[CallLeg] = list(account.calls.values())
    rows = [row for row in rows if _matches_query(row, query)]
    rows.sort(key=lambda row: row.created_at, reverse=True)
    return list_reply(request, "calls", [row.as_json(account.sid) for row in rows])


def _matches_query(call: CallLeg, query: dict[str, str]) -> bool:
    facts = {
        "To": call.to,
        "From": call.from_number,
        "Status": call.status,
        "ParentCallSid": call.parent,
    }
    return (
        all(query.get(name, value) == value for name, value in facts.items())
        and matches_day(query, "StartTime", call.answered_at or call.created_at)
        and matches_day(query, "EndTime", call.ended_at)
    )
