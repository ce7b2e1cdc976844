"""Programmable Voice: place, list, read and end calls; inbound calls."""

from collections.abc import Generator
from urllib.parse import urlsplit

from rooftree_simulators.frame import Json, Reply, Request, json_reply
from rooftree_simulators.twilio.account import Account, is_number
from rooftree_simulators.twilio.answers import API, page_of, posted, refused
from rooftree_simulators.twilio.call import OVER, Call, behaviour, finish, open_call, turn
from rooftree_simulators.twilio.conversation import Next, perform

_KNOWN = {
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
}
_EVENTS = {"initiated", "ringing", "answered", "completed"}
_LONGEST_RING_S = 600
_DETECTION_S = 2.0
_UNDER_WAY = {"queued", "initiated", "ringing", "in-progress"}


def create(account: Account, request: Request) -> Reply:
    """POST …/Calls.json."""
    fields = posted(request, _KNOWN)
    to, sender, url = fields.get("To", ""), fields.get("From", ""), fields.get("Url", "")
    _check(account, to, sender, url)
    events = frozenset(fields.get("StatusCallbackEvent", "completed").split())
    timeout = fields.get("Timeout", "60")
    if events - _EVENTS or not timeout.isdigit() or not 1 <= int(timeout) <= _LONGEST_RING_S:
        raise refused(20001)
    call = open_call(account, to=to, sender=sender, direction="outbound-api")
    call.url, call.method = url, fields.get("Method", "POST")
    call.callback = fields.get("StatusCallback", "")
    call.callback_method = fields.get("StatusCallbackMethod", "POST")
    call.events, call.timeout_s = events, float(timeout)
    call.detect_machine = bool(fields.get("MachineDetection"))
    shown = json_reply(201, call.as_json(account.sid))
    account.clock.process(_outbound(account, call))
    return shown


def _check(account: Account, to: str, sender: str, url: str) -> None:
    if not to:
        raise refused(21201)
    if not sender:
        raise refused(21213)
    if not is_number(to):
        raise refused(21211, f"The 'To' number {to} is not a valid phone number.")
    if sender not in account.lines:
        raise refused(21210 if is_number(sender) else 21212)
    if not urlsplit(url).hostname:
        raise refused(21205)


def _outbound(account: Account, call: Call) -> Generator[float, None, None]:
    """Ring the person; when they answer, do what our document says."""
    person = behaviour(account, call)
    turn(account, call, "initiated", "initiated")
    yield float(account.switches.values["ring_s"])
    if person.voice in {"busy", "failed"}:
        finish(account, call, person.voice)
        return
    turn(account, call, "ringing", "ringing")
    if person.voice == "no-answer" or person.answer_after_s > call.timeout_s:
        yield call.timeout_s
        finish(account, call, "no-answer")
        return
    yield person.answer_after_s
    if call.over:
        return
    turn(account, call, "in-progress", "answered")
    if call.detect_machine:
        yield _DETECTION_S
        call.answered_by = person.answered_by
    yield from _talk(account, call)


def _talk(account: Account, call: Call) -> Generator[float, None, None]:
    patience = behaviour(account, call).hang_up_after_s
    if patience is not None:
        account.clock.after(patience, lambda: finish(account, call))
    yield from perform(account, call, Next(url=call.url, method=call.method))
    finish(account, call)


def arrive(account: Account, *, sender: str, to: str) -> Call:
    """A person calls one of our numbers; what follows runs on the clock."""
    call = open_call(account, to=to, sender=sender, direction="inbound")
    call.url, call.status = account.line(to).voice_url, "ringing"
    if not call.url:
        account.warn(11200, "no URL for calls on this number", number=to)
        finish(account, call, "failed")
        return call
    account.clock.process(_inbound(account, call))
    return call


def _inbound(account: Account, call: Call) -> Generator[float, None, None]:
    yield 0.0
    call.answered_at = account.clock.now()
    yield from _talk(account, call)


def change(account: Account, request: Request, sid: str) -> Reply:
    """POST …/Calls/{sid}.json: end the call, or send it to another document."""
    call = known(account, sid)
    fields = posted(request, {"Status", "Url", "Method"})
    status = fields.get("Status", "")
    if call.over:
        raise refused(21220)
    if status and status not in {"canceled", "completed"}:
        raise refused(20001)
    if status == "canceled" and call.status == "in-progress":
        raise refused(21220)
    if status:
        finish(account, call, status)
    if fields.get("Url"):
        call.redirect = fields["Url"]
    return json_reply(200, call.as_json(account.sid))


def shown(account: Account, sid: str) -> Reply:
    """GET …/Calls/{sid}.json."""
    return json_reply(200, known(account, sid).as_json(account.sid))


def known(account: Account, sid: str) -> Call:
    """The call with this id. Refuses one that nobody knows."""
    call: Call | None = account.calls.get(sid)
    if call is None:
        raise refused(20404)
    return call


def listed(account: Account, request: Request) -> Reply:
    """GET …/Calls.json, newest first, filtered by To, From, Status and ParentCallSid."""
    query = dict(request.query)
    unknown = query.keys() - {"To", "From", "Status", "ParentCallSid", "PageSize", "Page"}
    if unknown or query.get("Status", "completed") not in OVER | _UNDER_WAY:
        raise refused(20001)
    with account.lock:
        rows: list[Call] = list(account.calls.values())
    rows = [row for row in rows if _wanted(row, query)]
    rows.sort(key=lambda row: row.created_at, reverse=True)
    size, page = page_of(query)
    content: Json = {
        "calls": [row.as_json(account.sid) for row in rows[page * size : (page + 1) * size]],
        "page": page,
        "page_size": size,
        "uri": f"/{API}/Accounts/{account.sid}/Calls.json?PageSize={size}&Page={page}",
    }
    return json_reply(200, content)


def _wanted(call: Call, query: dict[str, str]) -> bool:
    facts = {
        "To": call.to,
        "From": call.sender,
        "Status": call.status,
        "ParentCallSid": call.parent,
    }
    return all(query.get(name, value) == value for name, value in facts.items())
