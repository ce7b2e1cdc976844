"""Texts and calls by Twilio. A send of unknown fate is looked up, never repeated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, NoReturn

from rooftree.core.failures import Misconfigured, Refused, TryLater, Uncertain
from rooftree.core.http import Answer, Ask, Client, Limits
from rooftree.outreach.media.shapes import (
    Accepted,
    Fate,
    Inbound,
    NoSuchNumber,
    OptedOut,
    Recorded,
    Status,
)

LIMITS = Limits(connect_seconds=4.0, silence_seconds=12.0, answer_seconds=15.0)
API = "/2010-04-01/Accounts"
OPTED_OUT = "21610"  # this number said STOP to this sender: record the opt-out
OURS_TO_MEND = frozenset({"20003", "20403", "21212", "21606", "21659", "21660", "21701", "21703"})
NOBODYS = frozenset({"21211", "30005"})  # not a number, or of no handset: KNOWN
FOR_NOW = frozenset({"20429", "14107", "30001", "21611"})  # queues that are full
PAGE = 100
SKEW = timedelta(seconds=30)  # between our clock and theirs
FATES = {
    "accepted": Fate.ACCEPTED,
    "scheduled": Fate.ACCEPTED,
    "queued": Fate.ACCEPTED,
    "initiated": Fate.ACCEPTED,
    "sending": Fate.ACCEPTED,
    "sent": Fate.SENT,
    "ringing": Fate.SENT,
    "delivered": Fate.DELIVERED,
    "read": Fate.DELIVERED,
    "received": Fate.DELIVERED,
    "in-progress": Fate.DELIVERED,
    "completed": Fate.DELIVERED,
    "undelivered": Fate.FAILED,
    "failed": Fate.FAILED,
    "canceled": Fate.FAILED,
    "busy": Fate.FAILED,
    "no-answer": Fate.FAILED,
}
GOES_ON = frozenset({"in-progress"})  # of a call; a text is then read
RECORDED = frozenset({"completed", "absent", "deleted"})  # nothing more comes of it
NO_CALLER = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One Twilio account."""

    account_sid: str
    secret: str = field(repr=False)  # the auth token, or the API key's secret
    api_key: str = ""  # SK…; "" signs in as the account itself
    base_url: str = "https://api.twilio.com"


def send_text(
    settings: Settings, *, to: str, sender: str, body: str, status_callback: str, reference: str
) -> Accepted:
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
    told = _posted(settings, "Messages.json", form)
    return _accepted(told)


def find_text(
    settings: Settings, *, to: str, sender: str, body: str, since: datetime
) -> Accepted | None:
    """The text with these words that went to `to` at `since` or later; None when there is none.

    For a send of unknown fate. Twilio lists by day, so the time is compared here,
    with `SKEW` for clocks that differ.
    """
    since = since.astimezone(UTC) - SKEW
    query = [("To", to), ("DateSent>", since.date().isoformat()), ("PageSize", str(PAGE))]
    if not sender.startswith("MG"):
        query.append(("From", sender))
    path: str = f"{API}/{settings.account_sid}/Messages.json"
    while path:
        told = _looked_up(settings, path, tuple(query))
        for row in told.get("messages") or []:
            if _is_that(row, body, since):
                return _accepted(row)
        path, query = str(told.get("next_page_uri") or ""), []
    return None


def place_call(
    settings: Settings, *, to: str, sender: str, url: str, status_callback: str, seconds: int = 20
) -> Accepted:
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
    return _accepted(_posted(settings, "Calls.json", form))


def end_of_call(settings: Settings, *, call_id: str) -> Status | None:
    """How the call that was connected to `call_id` ended; None while it goes on.

    Where none was, and that one is over, nobody was reached.
    """
    path = f"{API}/{settings.account_sid}"
    query = (("ParentCallSid", call_id),)
    told = _looked_up(settings, f"{path}/Calls.json", query)
    for row in told.get("calls") or []:
        return _ended(call_id, str(row.get("status")), _number(row.get("duration")))
    told = _looked_up(settings, f"{path}/Calls/{call_id}.json")
    return _ended(call_id, str(told.get("status")), 0, said="no-answer")


def _ended(call_id: str, status: str, seconds: int | None, said: str = "") -> Status | None:
    fate = FATES.get(status, Fate.UNKNOWN)
    if status in GOES_ON or not fate.final:
        return None
    said = said or status
    return Status(carrier_id=call_id, fate=fate, said=said, duration_seconds=seconds)


def start_recording(settings: Settings, *, call_id: str, status_callback: str) -> Accepted:
    """Begin to record a call that is under way, both sides of it.

    Raises as `send_text`. One of unknown fate is looked up with `recordings_of`.
    """
    form = [
        ("RecordingChannels", "dual"),
        ("RecordingStatusCallback", status_callback),
        ("RecordingStatusCallbackEvent", "completed"),
        ("RecordingStatusCallbackEvent", "absent"),
    ]
    return _accepted(_posted(settings, f"Calls/{call_id}/Recordings.json", form))


def recordings_of(settings: Settings, *, call_id: str) -> list[Recorded]:
    """Every recording of a call, newest first."""
    path = f"{API}/{settings.account_sid}/Calls/{call_id}/Recordings.json"
    told = _looked_up(settings, path)
    return [
        Recorded(
            carrier_id=str(row["sid"]),
            is_over=row.get("status") in RECORDED,
            seconds=_number(row.get("duration")),
        )
        for row in told.get("recordings") or []
    ]


def erase_recordings(settings: Settings, *, call_id: str) -> None:
    """Stop recording a call, and delete what was recorded of it. May be repeated."""
    path = f"{API}/{settings.account_sid}"
    none_runs = frozenset({400, 404})  # or the call is over
    _client(settings).ask(
        Ask(
            method="POST",
            path=f"{path}/Calls/{call_id}/Recordings/Twilio.CURRENT.json",
            repeatable=True,
            form=(("Status", "stopped"),),
            wanted=none_runs,
        )
    )
    for one in recordings_of(settings, call_id=call_id):
        _client(settings).ask(
            Ask(
                method="DELETE",
                path=f"{path}/Recordings/{one.carrier_id}.json",
                repeatable=True,
                wanted=frozenset({404}),
            )
        )


def parse_status(form: Mapping[str, str]) -> Status | None:
    """A verified status callback of a text or a call; None when it names neither."""
    carrier_id = form.get("MessageSid") or form.get("SmsSid") or form.get("CallSid") or ""
    said = form.get("MessageStatus") or form.get("SmsStatus") or form.get("CallStatus") or ""
    if not carrier_id or not said:
        return None
    return Status(
        carrier_id=carrier_id,
        fate=FATES.get(said, Fate.UNKNOWN),
        said=said,
        error_code=form.get("ErrorCode", ""),
        is_nobodys=form.get("ErrorCode") in NOBODYS,
        sequence=_number(form.get("SequenceNumber")),
        duration_seconds=_number(form.get("CallDuration")),
    )


def parse_recording(form: Mapping[str, str]) -> Recorded | None:
    """A verified callback of a recording; None when it names none, or is about its beginning."""
    if not form.get("RecordingSid") or form.get("RecordingStatus") not in RECORDED:
        return None
    return Recorded(
        carrier_id=form["RecordingSid"],
        is_over=True,
        seconds=_number(form.get("RecordingDuration")),
    )


def parse_inbound(form: Mapping[str, str]) -> Inbound | None:
    """A verified inbound text or call, or a key pressed in one; None when it is neither."""
    carrier_id = form.get("MessageSid") or form.get("SmsSid") or form.get("CallSid") or ""
    sender = form.get("From", "").strip()
    if not carrier_id:
        return None
    return Inbound(
        carrier_id=carrier_id,
        sender=sender,
        to=form.get("To", "").strip(),
        body=form.get("Body", ""),
        digits=form.get("Digits", ""),
        media=_number(form.get("NumMedia")) or 0,
        opt_out=form.get("OptOutType", "").upper(),
        anonymous=not sender or sender in NO_CALLER,
        said={name: form[name] for name in ("CallStatus", "Direction") if name in form},
    )


@cache
def _client(settings: Settings) -> Client:
    user = settings.api_key or settings.account_sid
    return Client(settings.base_url, limits=LIMITS, basic=(user, settings.secret))


def _looked_up(
    settings: Settings, path: str, query: tuple[tuple[str, str], ...] = ()
) -> dict[str, Any]:
    told = _client(settings).ask(Ask(method="GET", path=path, repeatable=True, query=query)).json()
    if not isinstance(told, dict):
        raise TryLater("Twilio answered with something that is not data.")
    return told


def _posted(settings: Settings, resource: str, form: list[tuple[str, str]]) -> dict[str, Any]:
    answer = _client(settings).ask(
        Ask(
            method="POST",
            path=f"{API}/{settings.account_sid}/{resource}",
            repeatable=False,
            form=tuple(form),
            wanted=frozenset({400, 401, 403, 404, 429}),
        )
    )
    if answer.status >= 400:
        _raise(answer)
    told = answer.json()
    if not isinstance(told, dict) or not told.get("sid"):
        raise Uncertain("Twilio took the request and did not say its id.")
    return told


def _raise(answer: Answer) -> NoReturn:
    told = answer.json()
    code = str(told.get("code") or "") if isinstance(told, dict) else ""
    if answer.status == 429 or code in FOR_NOW:
        raise TryLater("Twilio is busy.", after=answer.wait_seconds() or 1.0)
    # Twilio's own sentence often quotes the number, so only its code is kept.
    if answer.status in {401, 403} or code in OURS_TO_MEND:
        raise Misconfigured(
            f"Twilio does not accept our account or number ({code or answer.status})."
        )
    if answer.status == 404 and not code:
        raise Misconfigured("Twilio does not know the account.")
    if code == OPTED_OUT:
        raise OptedOut("Twilio says that this person sent STOP.", code=code)
    if code in NOBODYS:
        raise NoSuchNumber(f"Twilio refused it ({code}).", code=code)
    raise Refused(f"Twilio refused it ({code or answer.status}).", code=code or str(answer.status))


def _accepted(told: Mapping[str, Any]) -> Accepted:
    return Accepted(
        carrier_id=str(told["sid"]),
        fate=FATES.get(str(told.get("status")), Fate.UNKNOWN),
        segments=_number(told.get("num_segments")),
        sent_at=_moment(told.get("date_created")),
    )


def _is_that(row: object, body: str, since: datetime) -> bool:
    if not isinstance(row, dict) or str(row.get("direction", "")).startswith("inbound"):
        return False
    made = _moment(row.get("date_created"))
    return row.get("body") == body and made is not None and made >= since


def _moment(value: object) -> datetime | None:
    try:
        return parsedate_to_datetime(str(value)).astimezone(UTC) if value else None
    except ValueError:
        return None


def _number(value: object) -> int | None:
    text = str(value if value is not None else "")
    return int(text) if text.isdigit() else None
