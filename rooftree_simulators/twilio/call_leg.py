"""One call leg: its state, its JSON, its status callbacks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from rooftree_simulators.twilio.twilio_account import CalleeBehavior, TwilioAccount, http_date
from rooftree_simulators.twilio.twilio_errors import API_VERSION, format_date, new_sid
from rooftree_simulators.vendor_base import Json

ENDED_STATUSES = {"completed", "busy", "no-answer", "failed", "canceled"}


@dataclass(slots=True, kw_only=True)
class CallLeg:
    """One leg of a call. `digits` holds the keys the person will press, one entry per Gather."""

    sid: str
    to: str
    from_number: str
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
    spoken: list[Json] = field(default_factory=list)
    pressed: list[str] = field(default_factory=list)
    digits: list[str] = field(default_factory=list)
    redirect: str = ""
    redirect_twiml: bytes = b""
    twiml: bytes = b""  # written in the request that placed the call, in place of a URL
    recording_fields: dict[str, str] | None = None  # None: the call isn't recorded from its start
    at_end: list[Callable[[], None]] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return self.status in ENDED_STATUSES

    @property
    def person(self) -> str:
        """The number of the person at the far end."""
        return self.from_number if self.direction == "inbound" else self.to

    @property
    def seconds(self) -> int:
        if self.answered_at is None or self.ended_at is None:
            return 0
        return max(0, round((self.ended_at - self.answered_at).total_seconds()))

    def as_json(self, account_sid: str) -> Json:
        place = f"/{API_VERSION}/Accounts/{account_sid}/Calls/{self.sid}"
        return {
            "account_sid": account_sid,
            "answered_by": self.answered_by or None,
            "api_version": API_VERSION,
            "caller_name": None,
            "date_created": format_date(self.created_at),
            "date_updated": format_date(self.ended_at or self.answered_at or self.created_at),
            "direction": self.direction,
            "duration": str(self.seconds) if self.is_over else None,
            "end_time": format_date(self.ended_at),
            "forwarded_from": None,
            "from": self.from_number,
            "from_formatted": self.from_number,
            "group_sid": None,
            "parent_call_sid": self.parent or None,
            "phone_number_sid": None,
            "price": None,
            "price_unit": "USD",
            "queue_time": "0",
            "sid": self.sid,
            "start_time": format_date(self.answered_at),
            "status": self.status,
            "subresource_uris": {"recordings": f"{place}/Recordings.json"},
            "to": self.to,
            "to_formatted": self.to,
            "trunk_sid": None,
            "uri": f"{place}.json",
        }

    def as_state_json(self, account_sid: str) -> Json:
        """Return the JSON plus the words heard, the keys pressed and the bridged leg."""
        shown = self.as_json(account_sid)
        shown.update(heard=self.spoken, pressed=self.pressed, bridged_to=self.bridged_to)
        return shown


def open_leg(account: TwilioAccount, *, to: str, sender: str, direction: str) -> CallLeg:
    """Open and store a new leg, with the keys that the person will press."""
    call = CallLeg(
        sid=new_sid("CA"),
        to=to,
        from_number=sender,
        direction=direction,
        created_at=account.clock.now(),
    )
    call.digits = list(callee_behavior(account, call).digits)
    with account.lock:
        account.calls[call.sid] = call
    return call


def callee_behavior(account: TwilioAccount, call: CallLeg) -> CalleeBehavior:
    return account.behavior_of(call.person)


def request_fields(account: TwilioAccount, call: CallLeg) -> list[tuple[str, str]]:
    """Return the fields of every request Twilio makes about a call."""
    fields = [
        ("AccountSid", account.sid),
        ("ApiVersion", API_VERSION),
        ("CallSid", call.sid),
        ("CallStatus", call.status),
        ("Called", call.to),
        ("Caller", call.from_number),
        ("Direction", call.direction),
        ("From", call.from_number),
        ("To", call.to),
    ]
    if call.parent:
        fields.append(("ParentCallSid", call.parent))
    if call.answered_by:
        fields.append(("AnsweredBy", call.answered_by))
    return fields


def change_status(account: TwilioAccount, call: CallLeg, status: str, event: str) -> None:
    """Move a leg to a status and report the event if the caller subscribed to it."""
    with account.lock:
        if call.is_over:
            return
        call.status = status
        if status == "in-progress":
            call.answered_at = account.clock.now()
        if call.is_over:
            call.ended_at = account.clock.now()
    for act in call.at_end if call.is_over else ():
        act()
    if not call.callback or event not in call.events:
        return
    fields = [
        *request_fields(account, call),
        ("CallbackSource", "call-progress-events"),
        ("SequenceNumber", str(call.sequence)),
        ("Timestamp", http_date(account.clock.now())),
    ]
    call.sequence += 1
    if call.is_over:
        fields.append(("CallDuration", str(call.seconds)))
        fields.append(("Duration", str(-(-call.seconds // 60))))
    account.report_status(call.callback, fields, method=call.callback_method)


def end_leg(account: TwilioAccount, call: CallLeg, status: str = "completed") -> None:
    """End a leg; a second call changes nothing."""
    change_status(account, call, status, "completed")
