"""Twilio Voice on a tracking number: the incoming call and its final status.

Wire format: docs/sources/phone_twilio.md.
"""

import re
from urllib.parse import parse_qsl

from twilio.twiml.voice_response import VoiceResponse

from rooftree.capture.parsing.amounts import parse_count
from rooftree.capture.parsing.build_envelope import as_conversation_update, build_envelope
from rooftree.capture.parsing.consent_evidence import INBOUND_CONSENT
from rooftree.capture.parsing.envelope import (
    RING_NUMBER_PLACEHOLDER,
    Answer,
    Credential,
    Envelope,
    IncomingDelivery,
    Outcome,
    Setting,
    SettingKind,
    ignored_envelope,
    rejected_envelope,
)
from rooftree.capture.parsing.normalize_values import phone_numbers, short_text, third_party_phone
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.wire_formats import UnreadableBody, parse_form
from rooftree.core.twilio_signature import SETTINGS_HEADER, is_signed_by_twilio
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
        help="Empty: the caller's loan officer, else the company's main line",
        kind=SettingKind.PHONE,
    ),
    Setting(
        key="lines",
        label="Tracking numbers and campaigns",
        help="Such as +18135550199 = October mailer, one per line",
        kind=SettingKind.PAIRS,
    ),
)
FINAL_STATUSES = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
# Numbers that spell ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE (KNOWN).
ANONYMOUS_NUMBERS = frozenset({"266696687", "7378742833", "2562533", "8656696", "86282452253"})
HINT_FIELDS = ("CallerName", "StirVerstat", "ForwardedFrom", "ParentCallSid")
PLACE_FIELDS = ("FromCity", "FromState", "FromZip")  # the area code's location, not the caller's
UNANSWERED_NOTICE = "Sorry, no one can take your call right now. We will call you back."
_NO_CONTENT_ANSWER = Answer(status=204)
_KEY_PATTERN = re.compile(r"key=([^,]+)")


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one request about one call. Never raises."""
    if incoming.is_too_large():
        return rejected_envelope(Outcome.REJECTED_TOO_LARGE, "too_large", Answer(status=413))
    if not incoming.is_verified and not _is_signed(incoming):
        answer = Answer(status=403, content_type="text/plain", body="forbidden")
        return rejected_envelope(Outcome.REJECTED_AUTH, "bad_signature", answer)
    notes = ReadingNotes()
    answer = Answer(status=400, content_type="text/plain", body="no call")
    try:
        form = Fields(parse_form(incoming.masked.body, notes))
    except UnreadableBody as error:
        return rejected_envelope(Outcome.REJECTED_MALFORMED, str(error), answer)
    if not short_text(form.get("CallSid")):
        return rejected_envelope(Outcome.REJECTED_MALFORMED, "no_call", answer)
    notes.warn_of_secrets(incoming.masked.kinds)
    return _build_envelope(form, incoming, notes)


def _is_signed(incoming: IncomingDelivery) -> bool:
    secret = incoming.endpoint.secret
    try:
        body = incoming.body.decode("utf-8", "replace")
        form = parse_qsl(body, keep_blank_values=True, max_num_fields=2_000)
    except ValueError:
        return False
    # The source's single secret is the account's token or the shared key named in the header.
    key_name = _KEY_PATTERN.search(incoming.header(SETTINGS_HEADER) or "")
    keys = dict.fromkeys(("", key_name[1].strip() if key_name else ""), secret or "")
    return bool(secret) and is_signed_by_twilio(
        incoming.headers, incoming.url, form, keys, raw_body=incoming.body
    )


def _build_envelope(form: Fields, incoming: IncomingDelivery, notes: ReadingNotes) -> Envelope:
    status = (short_text(form.get("CallStatus")) or "").lower()
    dial_status = (short_text(form.get("DialCallStatus")) or "").lower()
    if (short_text(form.get("Direction")) or "inbound").startswith("outbound"):
        return ignored_envelope("outbound", _NO_CONTENT_ANSWER)
    if not dial_status and status not in FINAL_STATUSES and form.get("CallbackSource"):
        return ignored_envelope("call_not_over", _NO_CONTENT_ANSWER)
    if not dial_status and status not in FINAL_STATUSES:
        return build_envelope(_build_lead(form, incoming, notes), _dial_answer(incoming), notes)
    lead = _build_lead(form, incoming, notes, fate=dial_status or status)
    answer = _NO_CONTENT_ANSWER
    if dial_status:  # an unanswered caller hears a notice
        response = VoiceResponse()
        if dial_status not in ("completed", "canceled"):
            response.say(UNANSWERED_NOTICE)
        answer = _xml_answer(response)
    envelope = build_envelope(lead, answer, notes)
    return as_conversation_update(envelope, f"dial-{dial_status}" if dial_status else status)


def _build_lead(
    form: Fields, incoming: IncomingDelivery, notes: ReadingNotes, *, fate: str = ""
) -> CanonicalLead:
    """Build the lead of a caller: phone number and tracking number.

    The name (CNAM) and the location are the carrier's guesses: kept as extras, never used as
    the borrower's name or the property's state.
    """
    number, tracking_number = (
        _caller_number(form, notes),
        third_party_phone(form.first_value("To", "Called")),
    )
    for key in HINT_FIELDS if number is None else (*HINT_FIELDS, *PLACE_FIELDS):
        notes.keep_extra(key, form.get(key))
    seconds = form.first_value("DialCallDuration", "CallDuration") if fate else None
    lines = incoming.endpoint.setup.get("lines")
    call_id = short_text(form.get("CallSid"), limit=64)
    return CanonicalLead(
        source=Source.PHONE_TWILIO,
        channel=CHANNEL,
        sub_source=short_text(incoming.query.get("line")),
        campaign=short_text(lines.get(tracking_number)) if isinstance(lines, dict) else None,
        vendor_lead_id=call_id,
        vendor_ids={"call_id": call_id} if call_id else {},
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
        phones=phone_numbers([(number, PhoneType.UNKNOWN)], notes),
        consent=INBOUND_CONSENT,
        extras=notes.extras,
        interaction=Interaction(
            kind=InteractionKind.CALL,
            direction=Direction.INBOUND,
            tracking_number=tracking_number,
            duration_s=parse_count(seconds, "interaction.duration", notes, low=0, high=86_400),
            answered=fate == "completed" if fate else None,
            recording_url=short_text(form.get("RecordingUrl")),
        ),
    )


def _caller_number(form: Fields, notes: ReadingNotes) -> str | None:
    number = short_text(form.first_value("From", "Caller")) or ""
    if (
        not any(character.isdigit() for character in number)
        or number.lstrip("+") in ANONYMOUS_NUMBERS
    ):
        notes.warn("anonymous_caller")
        return None
    return number


def _dial_answer(incoming: IncomingDelivery) -> Answer:
    """Build the TwiML that dials a person; Twilio reports the result to the same address."""
    to = third_party_phone(incoming.endpoint.setup.get("ring")) or RING_NUMBER_PLACEHOLDER
    response = VoiceResponse()
    dial = response.dial(answer_on_bridge=True, timeout=25, action=incoming.url or None)
    dial.number(to)
    return _xml_answer(response)


def _xml_answer(response: VoiceResponse) -> Answer:
    body = response.to_xml(xml_declaration=False)
    return Answer(status=200, content_type="text/xml", body=body)
