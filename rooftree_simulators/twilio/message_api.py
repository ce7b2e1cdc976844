"""Programmable Messaging: send, list, read, status callbacks, inbound texts, opt-out words."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from rooftree_simulators.twilio import twiml_reader
from rooftree_simulators.twilio.twilio_account import TwilioAccount, is_valid_number
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

STOP_WORDS = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"}
START_WORDS = {"START", "YES", "UNSTOP"}
HELP_WORDS = {"HELP", "INFO"}
_KEYWORD_REPLIES = {
    "STOP": "You will get no more messages from this number. Reply START to get them again.",
    "START": "You will get messages from this number again. Reply STOP to end them.",
    "HELP": "Reply STOP to end messages.",
}
# Numbers that always fail in a fixed way, as with Twilio's test credentials.
_MAGIC_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
_MAGIC_FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
_KNOWN_FIELDS = {
    "To",
    "From",
    "MessagingServiceSid",
    "Body",
    "MediaUrl",
    "StatusCallback",
    "MaxPrice",
    "ProvideFeedback",
    "ValidityPeriod",
    "SmartEncoded",
    "ShortenUrls",
    "ForceDelivery",
    "Attempt",
    "AddressRetention",
    "ContentRetention",
    "RiskCheck",
    "PersistentAction",
    "SendAsMms",
    "ScheduleType",
    "SendAt",
}
_SCHEDULE_FROM, _SCHEDULE_UNTIL = timedelta(minutes=15), timedelta(days=35)
_FILTERS = {"To", "From", "DateSent", "DateSent<", "DateSent>", "PageSize", "Page", "PageToken"}
_MAX_BODY_LENGTH = 1600
# Letters beyond ASCII that still fit the plain alphabet of text messages (GSM 03.38).
_GSM_LETTERS = set("£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉÄÖÑÜ§¿äöñüà¡¤€")


@dataclass(slots=True, kw_only=True)
class TwilioMessage:
    """One text message of the account, in either direction."""

    sid: str
    account_sid: str
    to: str
    sender: str
    body: str
    direction: str
    status: str
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None = None
    service: str = ""
    callback: str = ""
    error_code: int | None = None
    media: tuple[str, ...] = ()  # ids

    def as_json(self) -> Json:
        place = f"/{API_VERSION}/Accounts/{self.account_sid}/Messages/{self.sid}"
        return {
            "account_sid": self.account_sid,
            "api_version": API_VERSION,
            "body": self.body,
            "date_created": format_date(self.created_at),
            "date_sent": format_date(self.sent_at),
            "date_updated": format_date(self.updated_at),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": None,
            "from": self.sender or None,
            "messaging_service_sid": self.service or None,
            "num_media": str(len(self.media)),
            "num_segments": str(count_segments(self.body)),
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{place}/Media.json"},
            "to": self.to,
            "uri": f"{place}.json",
        }


def count_segments(body: str) -> int:
    """Count the billed segments of a text: 160 plain characters each, 70 of any other."""
    plain = all(letter.isascii() or letter in _GSM_LETTERS for letter in body)
    single, multiple = (160, 153) if plain else (70, 67)
    length = len(body) if plain else len(body.encode("utf-16-le")) // 2
    return 1 if length <= single else math.ceil(length / multiple)


def create_message(account: TwilioAccount, request: Request) -> Reply:
    """Handle POST …/Messages.json."""
    fields = read_form(request, _KNOWN_FIELDS)
    to, sender = fields.get("To", ""), fields.get("From", "")
    service, body = fields.get("MessagingServiceSid", ""), fields.get("Body", "")
    _check_parties(account, to, sender, service)
    if not body and not fields.get("MediaUrl"):
        raise reply_error(21602)
    if len(body) > _MAX_BODY_LENGTH:
        raise reply_error(21617)
    callback = fields.get("StatusCallback", "")
    if callback and not urlsplit(callback).hostname:
        raise reply_error(21609)
    wait_s = _read_schedule(account, fields)
    message = _store_message(account, to=to, sender=sender, body=body, direction="outbound-api")
    message.service, message.callback = service, callback
    message.media = tuple(new_sid("ME") for _ in fields.get("MediaUrl", "").split())
    message.status = "scheduled" if wait_s else "accepted" if service else "queued"
    shown = json_reply(201, message.as_json())
    account.clock.run_process(_run_scheduled(account, message, wait_s))
    return shown


def _read_schedule(account: TwilioAccount, fields: dict[str, str]) -> float:
    """Return the seconds until a scheduled message goes; 0 for one that goes now."""
    kind, text = fields.get("ScheduleType", ""), fields.get("SendAt", "")
    if not kind and not text:
        return 0.0
    if not fields.get("MessagingServiceSid"):
        raise reply_error(35118)
    try:
        wait = datetime.fromisoformat(text) - account.clock.now()
    except (ValueError, TypeError) as problem:
        raise reply_error(35114) from problem
    if kind != "fixed" or not _SCHEDULE_FROM <= wait <= _SCHEDULE_UNTIL:
        raise reply_error(35114)
    return wait.total_seconds()


def _run_scheduled(
    account: TwilioAccount, message: TwilioMessage, wait_s: float
) -> Iterator[float]:
    """Deliver after the wait, unless the message is canceled until then."""
    if wait_s:
        yield wait_s
    if message.status != "canceled":
        yield from _run_delivery(account, message)


def _check_parties(account: TwilioAccount, to: str, sender: str, service: str) -> None:
    if not to:
        raise reply_error(21604)
    if to in _MAGIC_TO:
        raise reply_error(_MAGIC_TO[to])
    if not is_valid_number(to):
        raise reply_error(21211, f"The 'To' number {to} is not a valid phone number.")
    _check_sender(account, sender, service)
    if to == sender:
        raise reply_error(21266)
    if any((to, number) in account.opted_out for number in account.senders(sender, service)):
        raise reply_error(21610)


def _check_sender(account: TwilioAccount, sender: str, service: str) -> None:
    if not sender and not service:
        raise reply_error(21603)
    if sender in _MAGIC_FROM:
        raise reply_error(_MAGIC_FROM[sender])
    if service and service not in account.services:
        raise reply_error(21701)
    if sender and sender not in account.lines:
        raise reply_error(21606 if is_valid_number(sender) else 21212)


def _store_message(
    account: TwilioAccount, *, to: str, sender: str, body: str, direction: str
) -> TwilioMessage:
    now = account.clock.now()
    message = TwilioMessage(
        sid=new_sid("SM"),
        account_sid=account.sid,
        to=to,
        sender=sender,
        body=body,
        direction=direction,
        status="queued",
        created_at=now,
        updated_at=now,
    )
    with account.lock:
        account.messages[message.sid] = message
    return message


def _run_delivery(account: TwilioAccount, message: TwilioMessage) -> Iterator[float]:
    """Report queued, then sent, then the result at the recipient's phone."""
    callee = account.behavior_of(message.to)
    if not message.sender:
        message.sender = account.services[message.service][0]
    _change_status(account, message, "queued")
    yield float(account.switches.values["queue_s"])
    if callee.sms == "failed":
        message.error_code = callee.error_code or 30008
        _change_status(account, message, "failed")
        return
    message.sent_at = account.clock.now()
    _change_status(account, message, "sent")
    if callee.sms == "stuck":
        return
    yield float(account.switches.values["delivery_s"])
    if callee.sms == "undelivered":
        message.error_code = callee.error_code or 30003
    _change_status(account, message, callee.sms)


def _change_status(account: TwilioAccount, message: TwilioMessage, status: str) -> None:
    message.status, message.updated_at = status, account.clock.now()
    if not message.callback:
        return
    fields = [
        ("AccountSid", account.sid),
        ("ApiVersion", API_VERSION),
        ("From", message.sender),
        ("MessageSid", message.sid),
        ("MessageStatus", status),
        ("SmsSid", message.sid),
        ("SmsStatus", status),
        ("To", message.to),
    ]
    if message.service:
        fields.append(("MessagingServiceSid", message.service))
    if message.error_code:
        fields.append(("ErrorCode", str(message.error_code)))
    account.report_status(message.callback, fields)


def list_messages(account: TwilioAccount, request: Request) -> Reply:
    """Handle GET …/Messages.json: newest first, filtered by To, From and DateSent."""
    query = dict(request.query)
    if unknown := query.keys() - _FILTERS:
        raise reply_error(20001, f"Unknown parameter: {', '.join(sorted(unknown))}")
    with account.lock:
        rows = [row for row in account.messages.values() if _matches_query(row, query)]
    rows.sort(key=lambda row: row.created_at, reverse=True)
    return list_reply(request, "messages", [row.as_json() for row in rows])


def _matches_query(message: TwilioMessage, query: dict[str, str]) -> bool:
    if query.get("To", message.to) != message.to:
        return False
    if query.get("From", message.sender) != message.sender:
        return False
    return matches_day(query, "DateSent", message.sent_at or message.created_at)


def read_message(account: TwilioAccount, sid: str) -> Reply:
    """Handle GET …/Messages/{sid}.json."""
    message = account.messages.get(sid)
    if message is None:
        raise reply_error(20404)
    return json_reply(200, message.as_json())


def receive_message(account: TwilioAccount, *, sender: str, to: str, body: str) -> Json:
    """Deliver a person's text: opt-out keywords, the webhook, and the TwiML answer."""
    message = _store_message(account, to=to, sender=sender, body=body, direction="inbound")
    message.status, message.sent_at = "received", message.created_at
    keyword = _apply_keyword(account, message)
    line = account.line(to)
    if not line.sms_url:
        account.record_warning(11200, "no URL for messages on this number", number=to)
        return {"message_sid": message.sid, "status": 0, "replies": []}
    answer = account.post_signed(line.sms_url, _inbound_fields(account, message, keyword))
    replies = []
    if answer.status == 200 and answer.body.strip():
        replies = _send_twiml_replies(account, message, answer.body)
    elif not 200 <= answer.status < 300:
        account.record_warning(11200, f"the message URL answered {answer.status}", url=line.sms_url)
    return {"message_sid": message.sid, "status": answer.status, "replies": replies}


def _inbound_fields(
    account: TwilioAccount, message: TwilioMessage, keyword: str
) -> list[tuple[str, str]]:
    fields = [
        ("AccountSid", account.sid),
        ("ApiVersion", API_VERSION),
        ("Body", message.body),
        ("From", message.sender),
        ("FromCountry", "US"),
        ("MessageSid", message.sid),
        ("NumMedia", "0"),
        ("NumSegments", str(count_segments(message.body))),
        ("SmsMessageSid", message.sid),
        ("SmsSid", message.sid),
        ("SmsStatus", "received"),
        ("To", message.to),
        ("ToCountry", "US"),
    ]
    if keyword:
        fields.append(("OptOutType", keyword))
    return fields


def _apply_keyword(account: TwilioAccount, message: TwilioMessage) -> str:
    """Apply STOP, START or HELP as the carrier does; "" without a keyword or when turned off."""
    word = message.body.strip().upper()
    kinds = (("STOP", STOP_WORDS), ("START", START_WORDS), ("HELP", HELP_WORDS))
    kind = next((name for name, words in kinds if word in words), "")
    if not kind or not account.switches.values["opt_out_handling"]:
        return ""
    pair = (message.sender, message.to)
    with account.lock:
        was_out = pair in account.opted_out
        if kind == "STOP":
            account.opted_out.add(pair)
        if kind == "START":
            account.opted_out.discard(pair)
    if not (kind == "STOP" and was_out):
        _send_reply(account, message, _KEYWORD_REPLIES[kind])
    return kind


def _send_reply(account: TwilioAccount, to_message: TwilioMessage, body: str) -> TwilioMessage:
    reply = _store_message(
        account,
        to=to_message.sender,
        sender=to_message.to,
        body=body,
        direction="outbound-reply",
    )
    account.clock.run_process(_run_delivery(account, reply))
    return reply


def _send_twiml_replies(
    account: TwilioAccount, message: TwilioMessage, document: bytes
) -> list[Json]:
    """Send the replies of the TwiML answer, except to a person who opted out (21610)."""
    try:
        root = twiml_reader.parse_twiml(document)
    except twiml_reader.InvalidTwiml as problem:
        account.record_warning(12100, str(problem))
        return []
    sent: list[Json] = []
    for verb in root:
        if verb.tag != "Message":
            account.record_warning(12200, f"unexpected verb {verb.tag}")
            continue
        if (message.sender, message.to) in account.opted_out:
            account.record_warning(21610, "a reply to an unsubscribed recipient was dropped")
            continue
        inner = verb.find("Body")
        text = (inner.text if inner is not None else verb.text) or ""
        sent.append(_send_reply(account, message, text.strip()).as_json())
    return sent
