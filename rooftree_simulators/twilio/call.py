"""One call leg: its state, its JSON, its status callbacks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from rooftree_simulators.frame import Json
from rooftree_simulators.twilio.account import Account, Callee, http_date
from rooftree_simulators.twilio.answers import API, date_text, new_sid

OVER = {"completed", "busy", "no-answer", "failed", "canceled"}


@dataclass(slots=True, kw_only=True)
class Call:
    sid: str
    to: str
    sender: str
    direction: str  # outbound-api | outbound-dial | inbound
    created_at: datetime
    url: str = ""
    method: str = "POST"
    callback: str = ""
    callback_method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})
    timeout_s: float = 60.0
    detect_machine: bool = False
    parent: str = ""
    status: str = "queued"
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    answered_by: str = ""
    sequence: int = 0
    bridged_to: str = ""
    heard: list[Json] = field(default_factory=list)
    pressed: list[str] = field(default_factory=list)
    digits: list[str] = field(default_factory=list)
    redirect: str = ""
    at_end: list[Callable[[], None]] = field(default_factory=list)

    @property
    def over(self) -> bool:
        return self.status in OVER

    @property
    def person(self) -> str:
        """The number at the far end."""
        return self.sender if self.direction == "inbound" else self.to

    @property
    def seconds(self) -> int:
        if self.answered_at is None or self.ended_at is None:
            return 0
        return max(0, round((self.ended_at - self.answered_at).total_seconds()))

    def as_json(self, account_sid: str) -> Json:
        place = f"/{API}/Accounts/{account_sid}/Calls/{self.sid}"
        return {
            "account_sid": account_sid,
            "answered_by": self.answered_by or None,
            "api_version": API,
            "caller_name": None,
            "date_created": date_text(self.created_at),
            "date_updated": date_text(self.ended_at or self.answered_at or self.created_at),
            "direction": self.direction,
            "duration": str(self.seconds) if self.over else None,
            "end_time": date_text(self.ended_at),
            "forwarded_from": None,
            "from": self.sender,
            "from_formatted": self.sender,
            "group_sid": None,
            "parent_call_sid": self.parent or None,
            "phone_number_sid": None,
            "price": None,
            "price_unit": "USD",
            "queue_time": "0",
            "sid": self.sid,
            "start_time": date_text(self.answered_at),
            "status": self.status,
            "subresource_uris": {"recordings": f"{place}/Recordings.json"},
            "to": self.to,
            "to_formatted": self.to,
            "trunk_sid": None,
            "uri": f"{place}.json",
        }

    def as_told(self, account_sid: str) -> Json:
        """The JSON plus what only a simulator knows: what was said and pressed."""
        shown = self.as_json(account_sid)
        shown.update(heard=self.heard, pressed=self.pressed, bridged_to=self.bridged_to)
        return shown


def open_call(account: Account, *, to: str, sender: str, direction: str) -> Call:
    """A leg as it begins, with the person's own plan of keys to press."""
    call = Call(
        sid=new_sid("CA"),
        to=to,
        sender=sender,
        direction=direction,
        created_at=account.clock.now(),
    )
    call.digits = list(behaviour(account, call).digits)
    with account.lock:
        account.calls[call.sid] = call
    return call


def behaviour(account: Account, call: Call) -> Callee:
    return account.callee(call.person)


def facts(account: Account, call: Call) -> list[tuple[str, str]]:
    """The fields of every request Twilio makes about a call."""
    fields = [
        ("AccountSid", account.sid),
        ("ApiVersion", API),
        ("CallSid", call.sid),
        ("CallStatus", call.status),
        ("Called", call.to),
        ("Caller", call.sender),
        ("Direction", call.direction),
        ("From", call.sender),
        ("To", call.to),
    ]
    if call.parent:
        fields.append(("ParentCallSid", call.parent))
    if call.answered_by:
        fields.append(("AnsweredBy", call.answered_by))
    return fields


def turn(account: Account, call: Call, status: str, event: str) -> None:
    """Move a leg to a status and report the event to whoever asked for it."""
    with account.lock:
        if call.over:
            return
        call.status = status
        if status == "in-progress":
            call.answered_at = account.clock.now()
        if call.over:
            call.ended_at = account.clock.now()
    for act in call.at_end if call.over else ():
        act()
    if not call.callback or event not in call.events:
        return
    fields = [
        *facts(account, call),
        ("CallbackSource", "call-progress-events"),
        ("SequenceNumber", str(call.sequence)),
        ("Timestamp", http_date(account.clock.now())),
    ]
    call.sequence += 1
    if call.over:
        fields.append(("CallDuration", str(call.seconds)))
        fields.append(("Duration", str(-(-call.seconds // 60))))
    account.report(call.callback, fields, method=call.callback_method)


def finish(account: Account, call: Call, status: str = "completed") -> None:
    """End a leg once; later calls change nothing."""
    turn(account, call, status, "completed")
