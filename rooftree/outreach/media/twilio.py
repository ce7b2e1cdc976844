"""Texts and calls by Twilio. A send of unknown fate is looked up, never repeated."""

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

LIMITS = ClientLimits(connect_timeout_seconds=4.0, read_timeout_seconds=12.0, total_timeout_seconds=15.0)
API = "/2010-04-01/Accounts"
OPTED_OUT = "21610"  # this number said STOP to this sender: record the opt-out
CONFIGURATION_ERRORS = frozenset(
    {"20003", "20403", "21212", "21606", "21659", "21660", "21701", "21703"}
)
INVALID_NUMBER_ERRORS = frozenset({"21211", "30005"})  # not a number, or of no handset: KNOWN
QUEUE_FULL_ERRORS = frozenset({"20429", "14107", "30001", "21611"})  # queues that are full
PAGE_SIZE = 100
CLOCK_SKEW = timedelta(seconds=30)  # between our clock and theirs
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
ONGOING_STATUSES = frozenset({"in-progress"})  # of a call; a text is then read
FINAL_RECORDING_STATUSES = frozenset({"completed", "absent", "deleted"})  # nothing more comes of it
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
        sender: a number of ours in E.164, or a messaging service (MG…).
        status_callback: our public address for what becomes of it; "" for none.
        reference: our message id. Twilio has no field for it: it travels in
            `status_callback`.

    Raises:
        Uncertain: Twilio may have sent it; look with `find_text`, never repeat.
        Refused: with Twilio's code; `OptedOut` when the person said STOP.
        Misconfigured, TryLater: nothing was sent.
    """
    by = "MessagingServiceSid" if sender.startswith("MG") else "From"
    form = [("To", to), (by, sender), ("Body", body)]
    if status_callback:
        form.append(("StatusCallback", status_callback))
    told = _post_form(settings, "Messages.json", form)
    return _build_receipt(told)


def find_text(
    settings: Settings, *, to: str, sender: str, body: str, since: datetime
) -> CarrierReceipt | None:
    """The text with these words that went to `to` at `since` or later; None when there is none.

    For a send of unknown fate. Twilio lists by day, so the time is compared here,
    with `SKEW` for clocks that differ.
    """
    since = since.astimezone(UTC) - CLOCK_SKEW
    query = [("To", to), ("DateSent>", since.date().isoformat()), ("PageSize", str(PAGE_SIZE))]
    if not sender.startswith("MG"):
        query.append(("From", sender))
    path: str = f"{API}/{settings.account_sid}/Messages.json"
    while path:
        told = _get_json(settings, path, tuple(query))
        for row in told.get("messages") or []:
            if _is_same_text(row, body, since):
                return _build_receipt(row)
        path, query = str(told.get("next_page_uri") or ""), []
    return None


def place_call(
    settings: Settings, *, to: str, sender: str, url: str, status_callback: str, seconds: int = 20
) -> CarrierReceipt:
    """Call `to` and do what the markup at `url` says; for calls to our own officers.

    Args:
        seconds: how long it rings; under the time after which most voicemail
            boxes answer.

    Raises as `send_text`.
    """
    form = [
        ("To", to),
        ("From", sender),
        ("Url", url),
        ("Method", "POST"),
        ("Timeout", str(seconds)),
    ]
    if status_callback:
        # Told of its end alone, whatever that was: of the rest nothing follows.
        form += [("StatusCallback", status_callback), ("StatusCallbackEvent", "completed")]
    return _build_receipt(_post_form(settings, "Calls.json", form))


def find_call_end(settings: Settings, *, call_id: str) -> StatusCallback | None:
    """How the call that was connected to `call_id` ended; None while it goes on.

    Where none was, and that one is over, nobody was reached.
    """
    path = f"{API}/{settings.account_sid}"
    query = (("ParentCallSid", call_id),)
    told = _get_json(settings, f"{path}/Calls.json", query)
    for row in told.get("calls") or []:
        return _build_call_end(call_id, str(row.get("status")), _parse_int(row.get("duration")))
    told = _get_json(settings, f"{path}/Calls/{call_id}.json")
    return _build_call_end(call_id, str(told.get("status")), 0, said="no-answer")


def _build_call_end(
    call_id: str, status: str, seconds: int | None, said: str = ""
) -> StatusCallback | None:
    fate = DELIVERY_STATUSES.get(status, DeliveryStatus.UNKNOWN)
    if status in ONGOING_STATUSES or not fate.is_final:
        return None
    said = said or status
    return StatusCallback(carrier_id=call_id, status=fate, raw_status=said, duration_seconds=seconds)


def start_recording(settings: Settings, *, call_id: str, status_callback: str) -> CarrierReceipt:
    """Begin to record a call that is under way, both sides of it.

    Raises as `send_text`. One of unknown fate is looked up with `list_recordings`.
    """
    form = [
        ("RecordingChannels", "dual"),
        ("RecordingStatusCallback", status_callback),
        ("RecordingStatusCallbackEvent", "completed"),
        ("RecordingStatusCallbackEvent", "absent"),
    ]
    return _build_receipt(_post_form(settings, f"Calls/{call_id}/Recordings.json", form))


def list_recordings(settings: Settings, *, call_id: str) -> list[CarrierRecording]:
    """Every recording of a call, newest first."""
    path = f"{API}/{settings.account_sid}/Calls/{call_id}/Recordings.json"
    told = _get_json(settings, path)
    return [
        CarrierRecording(
            carrier_id=str(row["sid"]),
            is_over=row.get("status") in FINAL_RECORDING_STATUSES,
            seconds=_parse_int(row.get("duration")),
        )
        for row in told.get("recordings") or []
    ]


def erase_recordings(settings: Settings, *, call_id: str) -> None:
    """Stop recording a call, and delete what was recorded of it. May be repeated."""
    path = f"{API}/{settings.account_sid}"
    none_runs = frozenset({400, 404})  # or the call is over
    _client(settings).send(
        VendorRequest(
            method="POST",
            path=f"{path}/Calls/{call_id}/Recordings/Twilio.CURRENT.json",
            is_idempotent=True,
            form=(("Status", "stopped"),),
            accepted_statuses=none_runs,
        )
    )
    for list_recording in list_recordings(settings, call_id=call_id):
        _client(settings).send(
            VendorRequest(
                method="DELETE",
                path=f"{path}/Recordings/{list_recording.carrier_id}.json",
                is_idempotent=True,
                accepted_statuses=frozenset({404}),
            )
        )


def parse_status(form: Mapping[str, str]) -> StatusCallback | None:
    """A verified status callback of a text or a call; None when it names neither."""
    carrier_id = form.get("MessageSid") or form.get("SmsSid") or form.get("CallSid") or ""
    said = form.get("MessageStatus") or form.get("SmsStatus") or form.get("CallStatus") or ""
    if not carrier_id or not said:
        return None
    return StatusCallback(
        carrier_id=carrier_id,
        status=DELIVERY_STATUSES.get(said, DeliveryStatus.UNKNOWN),
        raw_status=said,
        error_code=form.get("ErrorCode", ""),
        is_invalid_number=form.get("ErrorCode") in INVALID_NUMBER_ERRORS,
        sequence=_parse_int(form.get("SequenceNumber")),
        duration_seconds=_parse_int(form.get("CallDuration")),
    )


def parse_recording(form: Mapping[str, str]) -> CarrierRecording | None:
    """A verified callback of a recording; None when it names none, or is about its beginning."""
    if not form.get("RecordingSid") or form.get("RecordingStatus") not in FINAL_RECORDING_STATUSES:
        return None
    return CarrierRecording(
        carrier_id=form["RecordingSid"],
        is_over=True,
        seconds=_parse_int(form.get("RecordingDuration")),
    )


def parse_inbound(form: Mapping[str, str]) -> InboundContact | None:
    """A verified inbound text or call, or a key pressed in one; None when it is neither."""
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
    told = (
        _client(settings)
        .send(VendorRequest(method="GET", path=path, is_idempotent=True, query=query))
        .json()
    )
    if not isinstance(told, dict):
        raise RetryLater("Twilio answered with something that is not data.")
    return told


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
    told = answer.json()
    if not isinstance(told, dict) or not told.get("sid"):
        raise OutcomeUnknown("Twilio took the request and did not say its id.")
    return told


def _raise_refusal(answer: VendorResponse) -> NoReturn:
    told = answer.json()
    code = str(told.get("code") or "") if isinstance(told, dict) else ""
    if answer.status == 429 or code in QUEUE_FULL_ERRORS:
        raise RetryLater("Twilio is busy.", retry_after_seconds=answer.retry_after_seconds() or 1.0)
    # Twilio's own sentence often quotes the number, so only its code is kept.
    if answer.status in {401, 403} or code in CONFIGURATION_ERRORS:
        raise Misconfigured(
            f"Twilio does not accept our account or number ({code or answer.status})."
        )
    if answer.status == 404 and not code:
        raise Misconfigured("Twilio does not know the account.")
    if code == OPTED_OUT:
        raise OptedOut("Twilio says that this person sent STOP.", code=code)
    if code in INVALID_NUMBER_ERRORS:
        raise NoSuchNumber(f"Twilio refused it ({code}).", code=code)
    raise RequestRejected(
        f"Twilio refused it ({code or answer.status}).", code=code or str(answer.status)
    )


def _build_receipt(told: Mapping[str, Any]) -> CarrierReceipt:
    return CarrierReceipt(
        carrier_id=str(told["sid"]),
        status=DELIVERY_STATUSES.get(str(told.get("status")), DeliveryStatus.UNKNOWN),
        segments=_parse_int(told.get("num_segments")),
        sent_at=_parse_time(told.get("date_created")),
    )


def _is_same_text(row: object, body: str, since: datetime) -> bool:
    if not isinstance(row, dict) or str(row.get("direction", "")).startswith("inbound"):
        return False
    made = _parse_time(row.get("date_created"))
    return row.get("body") == body and made is not None and made >= since


def _parse_time(value: object) -> datetime | None:
    try:
        return parsedate_to_datetime(str(value)).astimezone(UTC) if value else None
    except ValueError:
        return None


def _parse_int(value: object) -> int | None:
    text = str(value if value is not None else "")
    return int(text) if text.isdigit() else None
