"""The company's own forms: from a browser with or without script, or from its server.

Ours to define; docs/sources/website-form.md is what a website's maker reads.
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
    ignored_envelope,
    json_answer,
    quarantined_envelope,
    rejected_envelope,
)
from rooftree.capture.parsing.loan_request_fields import read_loan_request
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
 "property_state": "FL", "consent": {"checked": true, "text": "The wording that was shown."}}
"""
PATHS = ["form/<site>"]
CHANNEL = Channel.WEBSITE
PRIVACY_SIGNAL = "Sec-GPC"  # Global Privacy Control: "1" opts out of sharing (PRV-01)
SIGNATURE = "X-Rooftree-Signature"  # "sha256=" and the hex HMAC of the raw body

HONEYPOTS = ("hp_company", "hp_website", "hp_url")  # hidden: only a robot fills them
MIN_FILL_TIME = timedelta(seconds=3)  # nobody types a name and a number in less
CLOCK_DRIFT = timedelta(minutes=10)  # a visitor's clock may run ahead by this
UTM_FIELDS = ("source", "medium", "campaign", "term", "content")
CLICK_IDS = ("gclid", "gbraid", "wbraid", "fbclid", "msclkid", "ttclid", "li_fat_id")
CONSENT_BOXES = {  # one box a medium, for forms that ask for each
    "consent_call": ConsentChannel.CALL,
    "consent_sms": ConsentChannel.TEXT,
    "consent_email": ConsentChannel.EMAIL,
}


def read(incoming: IncomingDelivery) -> Envelope:
    """One submission. Never raises: what cannot be used comes back as an outcome.

    A signed post proves its sender; a browser's must come from an allowed origin. A
    borrower never sees an error for our doubts: those are quarantined and answered well.
    """
    is_signed = _is_signed(incoming)
    if refusal := _find_refusal(incoming, is_signed=is_signed):
        return refusal
    notes = ReadingNotes()
    try:
        fields = _parse_fields(incoming, notes)
    except UnreadableBody as error:
        status = 415 if str(error) == "unsupported_content_type" else 400
        answer = json_answer(status, error=str(error))
        return rejected_envelope(Outcome.REJECTED_MALFORMED, str(error), answer)
    if any(short_text(fields.get(key)) for key in HONEYPOTS):
        return ignored_envelope("honeypot", json_answer(200, status="ok"))
    notes.warn_of_secrets(incoming.masked.found)
    answer = _submission_answer(fields, incoming, notes)
    rendered_at, _ = parse_moment(fields.get("rendered_at"), "rendered_at", notes, zone="UTC")
    lead = _build_lead(fields, incoming, notes, is_signed=is_signed)
    found = build_envelope(lead, answer, notes, actions=evidence_actions(lead.consent))
    if rendered_at and _fill_time(lead, incoming) - rendered_at < MIN_FILL_TIME:
        key, leads = found.idempotency_key, found.leads
        return quarantined_envelope(
            "too_fast", answer, key=key, leads=leads, warnings=found.warnings
        )
    return found


def _fill_time(lead: CanonicalLead, incoming: IncomingDelivery) -> datetime:
    return lead.submitted_at or incoming.received_at


def _is_signed(incoming: IncomingDelivery) -> bool | None:
    """None when there is no signature, False for a wrong one."""
    given = incoming.header(SIGNATURE)
    if given is None:
        return None
    return incoming.is_verified or signature_matches(
        incoming, given.strip().removeprefix("sha256=")
    )


def _find_refusal(incoming: IncomingDelivery, *, is_signed: bool | None) -> Envelope | None:
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
    """By its declared type; by its first sign where a browser declared none (a beacon)."""
    kind = (incoming.header("content-type") or "").split(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return True
    if kind.startswith(("multipart/", "image/", "audio/", "video/")) or kind.endswith("xml"):
        raise UnreadableBody("unsupported_content_type")
    first = incoming.body.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1]
    return "json" not in kind and first not in (b"{", b"[")


def _parse_fields(incoming: IncomingDelivery, notes: ReadingNotes) -> Fields:
    told = content_charset(incoming.header("content-type"))
    if _is_form_encoded(incoming):
        found = parse_form(incoming.masked.body, notes, told=told)
    else:
        found = parse_json_object(incoming.masked.body, notes, told=told)
    return Fields(_group_fields(found, notes))


def _group_fields(found: dict[str, Any], notes: ReadingNotes) -> dict[str, Any]:
    """A form's `consent.text`, `consent[text]` and `utm_source` as JSON would nest them."""
    flat: dict[str, Any] = {}
    groups: dict[str, list[tuple[str, Any]]] = {"consent": [], "utm": []}
    for key, value in found.items():
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
    """A form without script is sent back to its site, and nowhere else."""
    back = short_text(fields.get("return_to"))
    if back and _is_form_encoded(incoming):
        if _is_allowed_return_url(back, incoming):
            return Answer(status=303, location=back)
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
    said_at, precision = parse_moment(fields.get("submitted_at"), "submitted_at", notes, zone="UTC")
    if said_at and said_at > incoming.received_at + CLOCK_DRIFT:
        notes.warn("submitted_at_in_future")
        said_at = incoming.received_at
    visitor = _build_attribution(fields, incoming, notes, is_signed=is_signed)
    co_name = borrower_name(fields.get("co_first_name"), fields.get("co_last_name"), notes)
    lead = CanonicalLead(
        source=Source.WEBSITE_FORM,
        channel=CHANNEL,
        sub_source=short_text(fields.get("form")),
        campaign=visitor.utm_campaign if visitor else None,
        vendor_lead_id=vendor_identifier(fields.get("submission_id")),
        submitted_at=said_at,
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
        consent=_build_consent(fields, said_at or incoming.received_at, visitor, notes),
        attribution=visitor,
        extras=notes.extras,
        **read_loan_request(fields, notes),
    )
    notes.keep_unread(fields)
    return lead


def _build_attribution(
    fields: Fields, incoming: IncomingDelivery, notes: ReadingNotes, *, is_signed: bool | None
) -> Attribution | None:
    """A browser's address is the socket's, never a field; a signed server tells its visitor's."""
    told_ip, told_agent = fields.get("ip_address"), fields.get("user_agent")
    utm = fields.part("utm")
    marks: dict[str, Any] = {f"utm_{name}": short_text(utm.get(name)) for name in UTM_FIELDS}
    clicks: dict[str, Any] = {name: short_text(fields.get(name)) for name in CLICK_IDS}
    landing, referrer = short_text(fields.get("landing_page")), short_text(fields.get("referrer"))
    if _asks_for_privacy(incoming):
        notes.keep("privacy_signal", "gpc")
        clicks = {}
        landing, referrer = (one and one.partition("?")[0] for one in (landing, referrer))
    found = Attribution(
        **marks,
        **clicks,
        landing_page_url=landing,
        referrer_url=referrer,
        ip=public_ip(told_ip if is_signed else incoming.remote_addr, notes),
        user_agent=short_text(told_agent if is_signed else incoming.header("user-agent")),
    )
    return none_if_empty(found)


def _asks_for_privacy(incoming: IncomingDelivery) -> bool:
    """The browser says that its visitor is not to be told of to others: no mark of an ad stays."""
    signal = incoming.header(PRIVACY_SIGNAL) == "1"
    return data_rights_rules.check_sharing(has_opt_out_signal=signal).decision is Decision.BLOCK


def _build_consent(
    fields: Fields, at: datetime, visitor: Attribution | None, notes: ReadingNotes
) -> Consent:
    """What was shown and what the visitor did; every other detail of it goes to extras."""
    shown = fields.part("consent")
    proof = Consent(
        certificate_url=certificate_url(
            fields.first("xxTrustedFormCertUrl", "trustedform_cert_url"), notes
        ),
        leadid_token=leadid_token(fields.first("leadid_token", "universal_leadid"), notes),
    )
    flag, wording = fields.get("consent_text"), short_text(shown.get("text"), limit=5_000)
    if yes_or_no(flag) is None:
        wording = wording or short_text(flag, limit=5_000)
    boxes = {medium for key, medium in CONSENT_BOXES.items() if yes_or_no(fields.get(key))}
    boxes |= {ConsentChannel.TEXT} if yes_or_no(flag) else set()
    checked = yes_or_no(shown.get("checked"))
    status = _consent_status(checked, has_box=bool(boxes))
    if status is ConsentStatus.NOT_PROVIDED:
        return with_evidence_level(replace(proof, text=wording))
    if yes_or_no(shown.get("prechecked")):
        notes.warn("consent_prechecked")
    is_button = short_text(shown.get("method")) == "button"
    for key, value in [*shown.unread(), ("prechecked", shown.get("prechecked"))]:
        notes.keep(f"consent.{key}", value)
    if status is ConsentStatus.GRANTED:
        boxes |= set(channels_in_wording(wording)) if checked else set()
        proof = replace(proof, channels=tuple(one for one in ConsentChannel if one in boxes))
    seen = visitor or Attribution()
    return with_evidence_level(
        replace(
            proof,
            status=status,
            text=wording,
            timestamp=at,
            ip=seen.ip,
            user_agent=seen.user_agent,
            page_url=seen.landing_page_url,
            method=ConsentMethod.BUTTON if is_button else ConsentMethod.CHECKBOX,
            seller_named=short_text(shown.get("seller")),
        )
    )


def _consent_status(checked: bool | None, *, has_box: bool) -> ConsentStatus:
    if checked or has_box:
        return ConsentStatus.GRANTED
    return ConsentStatus.DENIED if checked is False else ConsentStatus.NOT_PROVIDED
