"""Twilio Voice on a tracking number: the call as it comes in, and what became of it.

Wire format: docs/sources/phone_twilio.md.
"""

import re
from urllib.parse import parse_qsl
from xml.sax.saxutils import quoteattr

from rooftree.capture.amounts import count
from rooftree.capture.conclude import as_more, conclude
from rooftree.capture.consent import CAME_TO_US
from rooftree.capture.envelope import (
    RING,
    Answer,
    Credential,
    Envelope,
    Incoming,
    Outcome,
    Setting,
    SettingKind,
    ignored,
    refused,
)
from rooftree.capture.normalise import contact, phones, text
from rooftree.capture.notes import Fields, Notes
from rooftree.capture.wire import Unreadable, form_fields
from rooftree.core.twilio_signature import SETTINGS as SETTINGS_HEADER
from rooftree.core.twilio_signature import verify
from rooftree.leads.canonical import CanonicalLead, Interaction
from rooftree.leads.vocabulary import (
    Channel,
    Direction,
    InteractionKind,
    PhoneType,
    Source,
)

LABEL = "Phone calls to Twilio tracking numbers"
PATHS = ["phone_twilio/<token>"]
CHANNEL = Channel.PHONE
CREDENTIALS = (Credential(key="secret", label="Auth token", help="Twilio console, Account info"),)
SETTINGS = (
    Setting(
        key="ring",
        label="Ring this number",
        help="Empty: the caller's officer, else the company's main line",
        kind=SettingKind.PHONE,
    ),
    Setting(
        key="lines",
        label="Tracking numbers and their campaigns",
        help="As +18135550199 = October mailer, one a line",
        kind=SettingKind.PAIRS,
    ),
)
OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
# Numbers that spell ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE (KNOWN).
NOBODY = frozenset({"266696687", "7378742833", "2562533", "8656696", "86282452253"})
HINTS = ("CallerName", "StirVerstat", "ForwardedFrom", "ParentCallSid")
PLACES = ("FromCity", "FromState", "FromZip")  # of the area code, not of the caller
SORRY = "We are sorry, nobody can take your call right now. We will call you back."
_NOTHING = Answer(status=204)
_KEY = re.compile(r"key=([^,]+)")


def read(incoming: Incoming) -> Envelope:
    """One request about one call. Never raises."""
    if incoming.is_too_large():
        return refused(Outcome.REJECTED_TOO_LARGE, "too_large", Answer(status=413))
    if not incoming.is_verified and not _is_signed(incoming):
        answer = Answer(status=403, content_type="text/plain", body="forbidden")
        return refused(Outcome.REJECTED_AUTH, "bad_signature", answer)
    notes = Notes()
    answer = Answer(status=400, content_type="text/plain", body="no call")
    try:
        form = Fields(form_fields(incoming.masked.body, notes))
    except Unreadable as error:
        return refused(Outcome.REJECTED_MALFORMED, str(error), answer)
    if not text(form.get("CallSid")):
        return refused(Outcome.REJECTED_MALFORMED, "no_call", answer)
    notes.warn_of(incoming.masked.found)
    return _enveloped(form, incoming, notes)


def _is_signed(incoming: Incoming) -> bool:
    secret = incoming.endpoint.secret
    try:
        said = incoming.body.decode("utf-8", "replace")
        form = parse_qsl(said, keep_blank_values=True, max_num_fields=2_000)
    except ValueError:
        return False
    # The source's one secret is the account's token, or the shared key the header names.
    named = _KEY.search(incoming.header(SETTINGS_HEADER) or "")
    keys = dict.fromkeys(("", named[1].strip() if named else ""), secret or "")
    return bool(secret) and verify(
        incoming.headers, incoming.url, form, keys, raw_body=incoming.body
    )


def _enveloped(form: Fields, incoming: Incoming, notes: Notes) -> Envelope:
    status = (text(form.get("CallStatus")) or "").lower()
    ended = (text(form.get("DialCallStatus")) or "").lower()
    if (text(form.get("Direction")) or "inbound").startswith("outbound"):
        return ignored("outbound", _NOTHING)
    if not ended and status not in OVER and form.get("CallbackSource"):
        return ignored("call_not_over", _NOTHING)
    if not ended and status not in OVER:
        return conclude(_lead(form, incoming, notes), _put_through(incoming), notes)
    lead = _lead(form, incoming, notes, fate=ended or status)
    whole = conclude(lead, _farewell(ended) if ended else _NOTHING, notes)
    return as_more(whole, f"dial-{ended}" if ended else status)


def _lead(form: Fields, incoming: Incoming, notes: Notes, *, fate: str = "") -> CanonicalLead:
    """The caller and the number they chose.

    The name (CNAM) and the place are the carrier's guesses: hints that are kept, never
    the borrower's name or the home's state.
    """
    number, tracked = _caller(form, notes), contact(form.first("To", "Called"))
    for key in HINTS if number is None else (*HINTS, *PLACES):
        notes.keep(key, form.get(key))
    seconds = form.first("DialCallDuration", "CallDuration") if fate else None
    lines = incoming.endpoint.setup.get("lines")
    call_id = text(form.get("CallSid"), limit=64)
    return CanonicalLead(
        source=Source.PHONE_TWILIO,
        channel=CHANNEL,
        sub_source=text(incoming.query.get("line")),
        campaign=text(lines.get(tracked)) if isinstance(lines, dict) else None,
        vendor_lead_id=call_id,
        vendor_ids={"call_id": call_id} if call_id else {},
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
        phones=phones([(number, PhoneType.UNKNOWN)], notes),
        consent=CAME_TO_US,
        extras=notes.extras,
        interaction=Interaction(
            kind=InteractionKind.CALL,
            direction=Direction.INBOUND,
            tracking_number=tracked,
            duration_s=count(seconds, "interaction.duration", notes, low=0, high=86_400),
            answered=fate == "completed" if fate else None,
            recording_url=text(form.get("RecordingUrl")),
        ),
    )


def _caller(form: Fields, notes: Notes) -> str | None:
    number = text(form.first("From", "Caller")) or ""
    if not any(sign.isdigit() for sign in number) or number.lstrip("+") in NOBODY:
        notes.warn("anonymous_caller")
        return None
    return number


def _put_through(incoming: Incoming) -> Answer:
    """Ring somebody, whoever calls; what came of it is told to the same address."""
    setup = incoming.endpoint.setup
    action = f" action={quoteattr(incoming.url)}" if incoming.url else ""
    to = contact(setup.get("ring")) or RING
    body = (
        f'<Response><Dial answerOnBridge="true" timeout="25"{action}>'
        f"<Number>{to}</Number></Dial></Response>"
    )
    return Answer(status=200, content_type="text/xml", body=body)


def _farewell(fate: str) -> Answer:
    """A caller nobody answered is told so."""
    said = "" if fate in ("completed", "canceled") else f"<Say>{SORRY}</Say>"
    return Answer(status=200, content_type="text/xml", body=f"<Response>{said}</Response>")
