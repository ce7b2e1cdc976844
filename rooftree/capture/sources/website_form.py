"""The company's own web forms, posted by a browser (with or without script) or by its server.

We define this format; docs/sources/website-form.md documents it for web developers.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from rooftree.capture.parsing.build_envelope import build_envelope
from rooftree.capture.parsing.consent_evidence import (
    certificate_url,
    channels_in_wording,
    evidence_actions,
    leadid_token,
    with_evidence_level,
)
from rooftree.capture.parsing.envelope import (
    REFERENCE_PLACEHOLDER,
    Answer,
    Envelope,
    IncomingDelivery,
    Outcome,
    Setting,
    SettingKind,
    ignored_envelope,
    json_answer,
    quarantined_envelope,
    rejected_envelope,
)
from rooftree.capture.parsing.loan_request_fields import read_loan_request
from rooftree.capture.parsing.multipart_forms import is_multipart_form, parse_multipart
from rooftree.capture.parsing.normalize_values import (
    borrower_name,
    consumer_message,
    email_addresses,
    none_if_empty,
    parse_moment,
    phone_numbers,
    public_ip,
    short_text,
    vendor_identifier,
    yes_or_no,
)
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.signed_webhooks import signature_matches
from rooftree.capture.parsing.vendor_words import match_language
from rooftree.capture.parsing.wire_formats import (
    UnreadableBody,
    content_charset,
    merge_pairs,
    parse_form,
    parse_json_object,
)
from rooftree.compliance.gate.verdict import Decision
from rooftree.compliance.privacy import data_rights_rules
from rooftree.leads.canonical import (
    Attribution,
    CanonicalLead,
    CoBorrower,
    Consent,
)
from rooftree.leads.vocabulary import (
    Channel,
    ConsentChannel,
    ConsentMethod,
    ConsentStatus,
    PhoneType,
    Source,
)

LABEL = "Website form"
EXAMPLE = """
{"submission_id": "test-1", "first_name": "Test", "last_name": "Borrower",
 "email": "test@example.com", "phone": "8135550142", "loan_purpose": "purchase",
 "property_state": "FL", "landing_page": "https://www.example.com/quote",
 "ip_address": "203.0.113.7", "user_agent": "Mozilla/5.0",
 "consent": {"checked": true, "prechecked": false, "text": "CONSENT_WORDING",
  "version": "your-form-1", "seller": "LEGAL_NAME"}}
"""
PATHS = ["form/<site>"]
CHANNEL = Channel.WEBSITE
PRIVACY_SIGNAL = "Sec-GPC"  # Global Privacy Control: "1" opts out of sharing (PRV-01)
SIGNATURE = "X-Rooftree-Signature"  # "sha256=" and the hex HMAC of the raw body

SETTINGS = (
    Setting(
        key="signed_only",
        label="Take signed posts only",
        help="For a form that your own server sends. Our hosted form keeps working",
        kind=SettingKind.YES_NO,
    ),
)

HONEYPOTS = ("hp_company", "hp_website", "hp_url")  # hidden fields: only a bot fills them
MIN_FILL_TIME = timedelta(seconds=3)  # no one types a name and a number faster
CLOCK_DRIFT = timedelta(minutes=10)  # how far ahead a visitor's clock can run
UTM_FIELDS = ("source", "medium", "campaign", "term", "content")
CLICK_IDS = ("gclid", "gbraid", "wbraid", "fbclid", "msclkid", "ttclid", "li_fat_id")
CONSENT_BOXES = {  # for forms with one checkbox per channel
    "consent_call": ConsentChannel.CALL,
    "consent_sms": ConsentChannel.TEXT,
    "consent_email": ConsentChannel.EMAIL,
}


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one submission. Never raises: an unusable delivery gets its own outcome.

    A signed post proves its sender; a browser post must come from an allowed origin. A
    borrower never sees an error because of our doubts: a doubtful submission is quarantined
    and answered as a success.
    """
    is_signed = _is_signed(incoming)
    if rejection := _find_rejection(incoming, is_signed=is_signed):
        return rejection
    notes = ReadingNotes()
    try:
        fields = _parse_fields(incoming, notes)
    except UnreadableBody as error:
        status = 415 if str(error) == "unsupported_content_type" else 400
        answer = json_answer(status, error=str(error))
        return rejected_envelope(Outcome.REJECTED_MALFORMED, str(error), answer)
    if any(short_text(fields.get(key)) for key in HONEYPOTS):
        return ignored_envelope("honeypot", json_answer(200, status="ok"))
    notes.warn_of_secrets(incoming.masked.kinds)
    answer = _submission_answer(fields, incoming, notes)
    rendered_at, _ = parse_moment(fields.get("rendered_at"), "rendered_at", notes, zone="UTC")
    lead = _build_lead(fields, incoming, notes, is_signed=is_signed)
    envelope = build_envelope(lead, answer, notes, actions=evidence_actions(lead.consent))
    completed_at = lead.submitted_at or incoming.received_at
    if rendered_at and completed_at - rendered_at < MIN_FILL_TIME:
        key, leads = envelope.idempotency_key, envelope.leads
        return quarantined_envelope(
            "too_fast", answer, key=key, leads=leads, warnings=envelope.warnings
        )
    return envelope


def _is_signed(incoming: IncomingDelivery) -> bool | None:
    """Check the signature; return None when there is none, False for a wrong one."""
    signature = incoming.header(SIGNATURE)
    if signature is None:
        return None
    return incoming.is_verified or signature_matches(
        incoming, signature.strip().removeprefix("sha256=")
    )


def _find_rejection(incoming: IncomingDelivery, *, is_signed: bool | None) -> Envelope | None:
    endpoint, origin = incoming.endpoint, incoming.header("origin")
    if endpoint.token and not incoming.path_secret_matches():
        return rejected_envelope(
            Outcome.REJECTED_AUTH, "bad_token", json_answer(403, error="forbidden")
        )
    if incoming.is_too_large():
        answer = json_answer(413, error="too_large")
        return rejected_envelope(Outcome.REJECTED_TOO_LARGE, "too_large", answer)
    if is_signed is False or (endpoint.signed_only and not is_signed):
        answer = json_answer(401, error="unauthorized")
        return rejected_envelope(Outcome.REJECTED_AUTH, "bad_signature", answer)
    if incoming.is_verified:
        return None
    allowed = {allowed_origin.lower().rstrip("/") for allowed_origin in endpoint.allowed_origins}
    if not is_signed and origin is not None and origin.lower().rstrip("/") not in allowed:
        answer = json_answer(403, error="origin not allowed")
        return rejected_envelope(Outcome.REJECTED_AUTH, "bad_origin", answer)
    return None


def _is_form_encoded(incoming: IncomingDelivery) -> bool:
    """Decide by the declared type, or by the first byte where none is declared (a beacon)."""
    kind = (incoming.header("content-type") or "").split(";")[0].strip().lower()
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return True
    if kind.startswith(("multipart/", "image/", "audio/", "video/")) or kind.endswith("xml"):
        raise UnreadableBody("unsupported_content_type")
    first_byte = incoming.body.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1]
    return "json" not in kind and first_byte not in (b"{", b"[")


def _parse_fields(incoming: IncomingDelivery, notes: ReadingNotes) -> Fields:
    content_type = incoming.header("content-type")
    charset = content_charset(content_type)
    if is_multipart_form(content_type):
        fields = parse_multipart(incoming.masked.body, content_type, notes)
    elif _is_form_encoded(incoming):
        fields = parse_form(incoming.masked.body, notes, declared_charset=charset)
    else:
        fields = parse_json_object(incoming.masked.body, notes, declared_charset=charset)
    return Fields(_group_fields(fields, notes))


def _group_fields(fields: dict[str, Any], notes: ReadingNotes) -> dict[str, Any]:
    """Nest a form's `consent.text`, `consent[text]` and `utm_source` as JSON does."""
    flat: dict[str, Any] = {}
    groups: dict[str, list[tuple[str, Any]]] = {"consent": [], "utm": []}
    for key, value in fields.items():
        group, _, inner = key.replace("[", ".").replace("]", "").partition(".")
        if key.startswith("utm_"):
            group, inner = "utm", key.removeprefix("utm_")
        if group in groups and inner:
            groups[group].append((inner, value))
        elif group in groups and isinstance(value, dict):
            groups[group] += value.items()
        elif group == "consent":
            groups[group].append(("checked", value))
        else:
            flat[key] = value
    nested = {name: merge_pairs(pairs, notes) for name, pairs in groups.items() if pairs}
    return {**flat, **nested}


def _submission_answer(fields: Fields, incoming: IncomingDelivery, notes: ReadingNotes) -> Answer:
    """Redirect a form without script back to its own site; answer all others in JSON."""
    return_url = short_text(fields.get("return_to"))
    if return_url and _is_form_encoded(incoming):
        if _is_allowed_return_url(return_url, incoming):
            return Answer(status=303, location=return_url)
        notes.warn("return_to_not_allowed")
    return json_answer(200, status="ok", reference=REFERENCE_PLACEHOLDER)


def _is_allowed_return_url(url: str, incoming: IncomingDelivery) -> bool:
    if not url.isascii() or not url.isprintable() or "\\" in url or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    allowed = {return_host.lower() for return_host in incoming.endpoint.return_hosts}
    return parts.scheme == "https" and not parts.username and host in allowed and not port


def _build_lead(
    fields: Fields, incoming: IncomingDelivery, notes: ReadingNotes, *, is_signed: bool | None
) -> CanonicalLead:
    submitted_at, precision = parse_moment(
        fields.get("submitted_at"), "submitted_at", notes, zone="UTC"
    )
    if submitted_at and submitted_at > incoming.received_at + CLOCK_DRIFT:
        notes.warn("submitted_at_in_future")
        submitted_at = incoming.received_at
    attribution = _build_attribution(fields, incoming, notes, is_signed=is_signed)
    co_name = borrower_name(fields.get("co_first_name"), fields.get("co_last_name"), notes)
    lead = CanonicalLead(
        source=Source.WEBSITE_FORM,
        channel=CHANNEL,
        sub_source=short_text(fields.get("form")),
        campaign=attribution.utm_campaign if attribution else None,
        vendor_lead_id=vendor_identifier(fields.get("submission_id")),
        submitted_at=submitted_at,
        submitted_at_precision=precision,
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test or yes_or_no(fields.get("is_test")) is True,
        message=consumer_message(fields.get("message"), notes),
        borrower=borrower_name(
            fields.get("first_name"), fields.get("last_name"), notes, full=fields.get("name")
        ),
        co_borrower=CoBorrower(first_name=co_name.first_name, last_name=co_name.last_name)
        if co_name
        else None,
        phones=phone_numbers([(fields.get("phone"), PhoneType.UNKNOWN)], notes),
        emails=email_addresses([fields.get("email")], notes),
        preferred_language=match_language(fields.get("language")),
        consent=_build_consent(fields, submitted_at or incoming.received_at, attribution, notes),
        attribution=attribution,
        extras=notes.extras,
        **read_loan_request(fields, notes),
    )
    notes.keep_unread(fields)
    return lead


def _build_attribution(
    fields: Fields, incoming: IncomingDelivery, notes: ReadingNotes, *, is_signed: bool | None
) -> Attribution | None:
    """Read attribution. Only a signed server can state the visitor's IP address.

    For a browser the address comes from the socket, never from a field.
    """
    stated_ip, stated_agent = fields.get("ip_address"), fields.get("user_agent")
    utm = fields.nested("utm")
    utm_values: dict[str, Any] = {f"utm_{name}": short_text(utm.get(name)) for name in UTM_FIELDS}
    click_ids: dict[str, Any] = {name: short_text(fields.get(name)) for name in CLICK_IDS}
    landing, referrer = short_text(fields.get("landing_page")), short_text(fields.get("referrer"))
    # A browser that opts out of sharing (GPC) keeps its ad identifiers.
    has_opt_out = incoming.header(PRIVACY_SIGNAL) == "1"
    sharing = data_rights_rules.check_sharing(has_opt_out_signal=has_opt_out)
    if sharing.decision is Decision.BLOCK:
        notes.keep_extra("privacy_signal", "gpc")
        click_ids = {}
        landing, referrer = (url and url.partition("?")[0] for url in (landing, referrer))
    attribution = Attribution(
        **utm_values,
        **click_ids,
        landing_page_url=landing,
        referrer_url=referrer,
        ip=public_ip(stated_ip if is_signed else incoming.remote_addr, notes),
        user_agent=short_text(stated_agent if is_signed else incoming.header("user-agent")),
    )
    return none_if_empty(attribution)


def _build_consent(
    fields: Fields, at: datetime, attribution: Attribution | None, notes: ReadingNotes
) -> Consent:
    """Read the wording shown and the visitor's choice; all other details go to the extras."""
    consent = fields.nested("consent")
    proof = Consent(
        certificate_url=certificate_url(
            fields.first_value("xxTrustedFormCertUrl", "trustedform_cert_url"), notes
        ),
        leadid_token=leadid_token(fields.first_value("leadid_token", "universal_leadid"), notes),
    )
    flag, wording = fields.get("consent_text"), short_text(consent.get("text"), limit=5_000)
    if yes_or_no(flag) is None:
        wording = wording or short_text(flag, limit=5_000)
    boxes = {channel for key, channel in CONSENT_BOXES.items() if yes_or_no(fields.get(key))}
    boxes |= {ConsentChannel.TEXT} if yes_or_no(flag) else set()
    checked = yes_or_no(consent.get("checked"))
    if checked is None and not boxes:
        return with_evidence_level(replace(proof, text=wording))
    is_granted = bool(checked or boxes)
    if yes_or_no(consent.get("prechecked")):
        notes.warn("consent_prechecked")
    is_button = short_text(consent.get("method")) == "button"
    for key, value in [*consent.unread_items(), ("prechecked", consent.get("prechecked"))]:
        notes.keep_extra(f"consent.{key}", value)
    boxes |= set(channels_in_wording(wording)) if checked else set()
    origin = attribution or Attribution()
    return with_evidence_level(
        replace(
            proof,
            status=ConsentStatus.GRANTED if is_granted else ConsentStatus.DENIED,
            channels=tuple(channel for channel in ConsentChannel if channel in boxes),
            text=wording,
            timestamp=at,
            ip=origin.ip,
            user_agent=origin.user_agent,
            page_url=origin.landing_page_url,
            method=ConsentMethod.BUTTON if is_button else ConsentMethod.CHECKBOX,
            seller_named=short_text(consent.get("seller")),
        )
    )
