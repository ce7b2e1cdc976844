"""Texts and calls through Twilio. A send with an unknown outcome is looked up, never repeated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, NoReturn

from rooftree.core.http_client import ClientLimits, VendorClient, VendorRequest, VendorResponse
from rooftree.core.vendor_errors import Misconfigured, OutcomeUnknown, RequestRejected, RetryLater
from rooftree.outreach.media.carrier_types import (
    CarrierReceipt,
    CarrierRecording,
    DeliveryStatus,
    InboundContact,
    NoSuchNumber,
    OptedOut,
    StatusCallback,
)

LIMITS = ClientLimits(
    connect_timeout_seconds=4.0, read_timeout_seconds=12.0, total_timeout_seconds=15.0
)
API = "/2010-04-01/Accounts"
OPTED_OUT = "21610"  # this number sent STOP to this sender: record the opt-out
CONFIGURATION_ERRORS = frozenset(
    {"20003", "20403", "21212", "21606", "21659", "21660", "21701", "21703"}
)
INVALID_NUMBER_ERRORS = frozenset({"21211", "30005"})  # not a number, or no such handset
QUEUE_FULL_ERRORS = frozenset({"20429", "14107", "30001", "21611"})  # queues that are full
PAGE_SIZE = 100
CLOCK_SKEW = timedelta(seconds=30)  # allowed between our clock and Twilio's
DELIVERY_STATUSES = {
    "accepted": DeliveryStatus.ACCEPTED,
    "scheduled": DeliveryStatus.ACCEPTED,
    "queued": DeliveryStatus.ACCEPTED,
    "initiated": DeliveryStatus.ACCEPTED,
    "sending": DeliveryStatus.ACCEPTED,
    "sent": DeliveryStatus.SENT,
    "ringing": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.DELIVERED,
    "received": DeliveryStatus.DELIVERED,
    "in-progress": DeliveryStatus.DELIVERED,
    "completed": DeliveryStatus.DELIVERED,
    "undelivered": DeliveryStatus.FAILED,
    "failed": DeliveryStatus.FAILED,
    "canceled": DeliveryStatus.FAILED,
    "busy": DeliveryStatus.FAILED,
    "no-answer": DeliveryStatus.FAILED,
}
ONGOING_STATUSES = frozenset({"in-progress"})  # of a call
FINAL_RECORDING_STATUSES = frozenset(
    {"completed", "absent", "deleted"}
)  # no further callback follows
ANONYMOUS_CALLERS = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One Twilio account."""

    account_sid: str
    secret: str = field(repr=False)  # the auth token, or the API key's secret
    api_key: str = ""  # SK…; "" signs in as the account itself
    base_url: str = "https://api.twilio.com"


def send_text(
    settings: Settings, *, to: str, sender: str, body: str, status_callback: str, reference: str
) -> CarrierReceipt:
    """Send one text.

    Args:
        to: E.164.
        sender: our number in E.164, or a messaging service (MG…).
        status_callback: our public URL for status updates; "" for none.
        reference: our message id. Twilio has no field for it, so it is part of
            `status_callback`.

    Raises:
        OutcomeUnknown: Twilio might have sent it; look it up with `find_text`, never repeat.
        RequestRejected: with Twilio's code; `OptedOut` if the person sent STOP.
        Misconfigured, RetryLater: nothing was sent.
    """
    sender_field = "MessagingServiceSid" if sender.startswith("MG") else "From"
    form = [("To", to), (sender_field, sender), ("Body", body)]
    if status_callback:
        form.append(("StatusCallback", status_callback))
    return _build_receipt(_post_form(settings, "Messages.json", form))


def find_text(
    settings: Settings, *, to: str, sender: str, body: str, since: datetime
) -> CarrierReceipt | None:
    """Find a text with this body sent to `to` at `since` or later; None if there is none.

    Used for a send with an unknown outcome. Twilio filters by day only, so the time is compared
    here, with CLOCK_SKEW tolerance.
    """
    since = since.astimezone(UTC) - CLOCK_SKEW
    query = [("To", to), ("DateSent>", since.date().isoformat()), ("PageSize", str(PAGE_SIZE))]
    if not sender.startswith("MG"):
        query.append(("From", sender))
    path: str = f"{API}/{settings.account_sid}/Messages.json"
    while path:
        page = _get_json(settings, path, tuple(query))
        for row in page.get("messages") or []:
            if _is_same_text(row, body, since):
                return _build_receipt(row)
        path, query = str(page.get("next_page_uri") or ""), []
    return None


def place_call(
    settings: Settings, *, to: str, sender: str, url: str, status_callback: str, seconds: int = 20
) -> CarrierReceipt:
    """Call `to` and follow the markup at `url`; used for calls to our own officers.

    Args:
        seconds: how long it rings, shorter than most voicemail boxes take to answer.

    Raises the same exceptions as `send_text`.
    """
    form = [
        ("To", to),
        ("From", sender),
        ("Url", url),
        ("Method", "POST"),
        ("Timeout", str(seconds)),
    ]
    if status_callback:
        # Only the end of the call matters to us, whatever the result.
        form += [("StatusCallback", status_callback), ("StatusCallbackEvent", "completed")]
    return _build_receipt(_post_form(settings, "Calls.json", form))


def find_call_end(settings: Settings, *, call_id: str) -> StatusCallback | None:
    """Look up how the call connected to `call_id` ended; None while it is in progress.

    If `call_id` itself ended without a connected call, the result is "no-answer".
    """
    path = f"{API}/{settings.account_sid}"
    query = (("ParentCallSid", call_id),)
    connected = _get_json(settings, f"{path}/Calls.json", query)
    for row in connected.get("calls") or []:
        return _build_call_end(call_id, str(row.get("status")), _parse_int(row.get("duration")))
    call = _get_json(settings, f"{path}/Calls/{call_id}.json")
    return _build_call_end(call_id, str(call.get("status")), 0, raw_status="no-answer")


def _build_call_end(
    call_id: str, status: str, seconds: int | None, raw_status: str = ""
) -> StatusCallback | None:
    delivery_status = DELIVERY_STATUSES.get(status, DeliveryStatus.UNKNOWN)
    if status in ONGOING_STATUSES or not delivery_status.is_final:
        return None
    return StatusCallback(
        carrier_id=call_id,
        status=delivery_status,
        raw_status=raw_status or status,
        duration_seconds=seconds,
    )


def start_recording(settings: Settings, *, call_id: str, status_callback: str) -> CarrierReceipt:
    """Start recording both sides of a call in progress.

    Raises the same exceptions as `send_text`. Look up an unknown outcome with
    `list_recordings`.
    """
    form = [
        ("RecordingChannels", "dual"),
        ("RecordingStatusCallback", status_callback),
        ("RecordingStatusCallbackEvent", "completed"),
        ("RecordingStatusCallbackEvent", "absent"),
    ]
    return _build_receipt(_post_form(settings, f"Calls/{call_id}/Recordings.json", form))


def list_recordings(settings: Settings, *, call_id: str) -> list[CarrierRecording]:
    """Return all recordings of a call, newest first."""
    path = f"{API}/{settings.account_sid}/Calls/{call_id}/Recordings.json"
    page = _get_json(settings, path)
    return [
        CarrierRecording(
            carrier_id=str(row["sid"]),
            is_over=row.get("status") in FINAL_RECORDING_STATUSES,
            seconds=_parse_int(row.get("duration")),
        )
        for row in page.get("recordings") or []
    ]


def erase_recordings(settings: Settings, *, call_id: str) -> None:
    """Stop recording a call and delete its recordings. Safe to repeat."""
    path = f"{API}/{settings.account_sid}"
    not_recording = frozenset({400, 404})  # nothing is recording, or the call is over
    _client(settings).send(
        VendorRequest(
            method="POST",
            path=f"{path}/Calls/{call_id}/Recordings/Twilio.CURRENT.json",
            is_idempotent=True,
            form=(("Status", "stopped"),),
            accepted_statuses=not_recording,
        )
    )
    for recording in list_recordings(settings, call_id=call_id):
        _client(settings).send(
            VendorRequest(
                method="DELETE",
                path=f"{path}/Recordings/{recording.carrier_id}.json",
                is_idempotent=True,
                accepted_statuses=frozenset({404}),
            )
        )


def parse_status(form: Mapping[str, str]) -> StatusCallback | None:
    """Parse a verified status callback of a text or call; None if it is neither."""
    carrier_id = form.get("MessageSid") or form.get("SmsSid") or form.get("CallSid") or ""
    raw_status = form.get("MessageStatus") or form.get("SmsStatus") or form.get("CallStatus") or ""
    if not carrier_id or not raw_status:
        return None
    return StatusCallback(
        carrier_id=carrier_id,
        status=DELIVERY_STATUSES.get(raw_status, DeliveryStatus.UNKNOWN),
        raw_status=raw_status,
        error_code=form.get("ErrorCode", ""),
        is_invalid_number=form.get("ErrorCode") in INVALID_NUMBER_ERRORS,
        sequence=_parse_int(form.get("SequenceNumber")),
        duration_seconds=_parse_int(form.get("CallDuration")),
    )


def parse_recording(form: Mapping[str, str]) -> CarrierRecording | None:
    """Parse a verified recording callback; None unless it reports the end of a recording."""
    if not form.get("RecordingSid") or form.get("RecordingStatus") not in FINAL_RECORDING_STATUSES:
        return None
    return CarrierRecording(
        carrier_id=form["RecordingSid"],
        is_over=True,
        seconds=_parse_int(form.get("RecordingDuration")),
    )


def parse_inbound(form: Mapping[str, str]) -> InboundContact | None:
    """Parse a verified inbound text or call, or a key pressed in one; None if it is neither."""
    carrier_id = form.get("MessageSid") or form.get("SmsSid") or form.get("CallSid") or ""
    sender = form.get("From", "").strip()
    if not carrier_id:
        return None
    return InboundContact(
        carrier_id=carrier_id,
        sender=sender,
        to=form.get("To", "").strip(),
        body=form.get("Body", ""),
        digits=form.get("Digits", ""),
        attachment_count=_parse_int(form.get("NumMedia")) or 0,
        opt_out=form.get("OptOutType", "").upper(),
        is_anonymous=not sender or sender in ANONYMOUS_CALLERS,
        raw_fields={name: form[name] for name in ("CallStatus", "Direction") if name in form},
    )


@cache
def _client(settings: Settings) -> VendorClient:
    user = settings.api_key or settings.account_sid
    return VendorClient(settings.base_url, limits=LIMITS, basic=(user, settings.secret))


def _get_json(
    settings: Settings, path: str, query: tuple[tuple[str, str], ...] = ()
) -> dict[str, Any]:
    data = (
        _client(settings)
        .send(VendorRequest(method="GET", path=path, is_idempotent=True, query=query))
        .json()
    )
    if not isinstance(data, dict):
        raise RetryLater("Twilio’s response is not a JSON object.")
    return data


def _post_form(settings: Settings, resource: str, form: list[tuple[str, str]]) -> dict[str, Any]:
    answer = _client(settings).send(
        VendorRequest(
            method="POST",
            path=f"{API}/{settings.account_sid}/{resource}",
            is_idempotent=False,
            form=tuple(form),
            accepted_statuses=frozenset({400, 401, 403, 404, 429}),
        )
    )
    if answer.status >= 400:
        _raise_refusal(answer)
    data = answer.json()
    if not isinstance(data, dict) or not data.get("sid"):
        raise OutcomeUnknown("Twilio accepted the request without returning an id.")
    return data


def _raise_refusal(answer: VendorResponse) -> NoReturn:
    data = answer.json()
    code = str(data.get("code") or "") if isinstance(data, dict) else ""
    if answer.status == 429 or code in QUEUE_FULL_ERRORS:
        raise RetryLater("Twilio is busy.", retry_after_seconds=answer.retry_after_seconds() or 1.0)
    # Twilio's own message often quotes the number, so only the code is kept.
    if answer.status in {401, 403} or code in CONFIGURATION_ERRORS:
        raise Misconfigured(f"Twilio rejected our account or number ({code or answer.status}).")
    if answer.status == 404 and not code:
        raise Misconfigured("Twilio doesn’t know this account.")
    if code == OPTED_OUT:
        raise OptedOut("Twilio reports that this person sent STOP.", code=code)
    if code in INVALID_NUMBER_ERRORS:
        raise NoSuchNumber(f"Twilio rejected the number ({code}).", code=code)
    raise RequestRejected(
        f"Twilio rejected the request ({code or answer.status}).", code=code or str(answer.status)
    )


def _build_receipt(data: Mapping[str, Any]) -> CarrierReceipt:
    return CarrierReceipt(
        carrier_id=str(data["sid"]),
        status=DELIVERY_STATUSES.get(str(data.get("status")), DeliveryStatus.UNKNOWN),
        segments=_parse_int(data.get("num_segments")),
        sent_at=_parse_time(data.get("date_created")),
    )


def _is_same_text(row: object, body: str, since: datetime) -> bool:
    if not isinstance(row, dict) or str(row.get("direction", "")).startswith("inbound"):
        return False
    created_at = _parse_time(row.get("date_created"))
    return row.get("body") == body and created_at is not None and created_at >= since


def _parse_time(value: object) -> datetime | None:
    try:
        return parsedate_to_datetime(str(value)).astimezone(UTC) if value else None
    except ValueError:
        return None


def _parse_int(value: object) -> int | None:
    text = str(value if value is not None else "")
    return int(text) if text.isdigit() else None
