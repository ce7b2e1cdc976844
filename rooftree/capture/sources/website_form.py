"""The company's own forms: from a browser with or without script, or from its server.

Ours to define; docs/sources/website-form.md is what a website's maker reads.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from rooftree.capture.conclude import conclude
from rooftree.capture.consent import (
    certificate_url,
    follow_ups,
    leadid_token,
    named_channels,
    weighed,
)
from rooftree.capture.envelope import (
    REFERENCE,
    Answer,
    Envelope,
    Incoming,
    Outcome,
    ignored,
    json_answer,
    quarantined,
    refused,
)
from rooftree.capture.normalise import (
    emails,
    identifier,
    known,
    message,
    moment,
    person,
    phones,
    public_ip,
    text,
    yes_or_no,
)
from rooftree.capture.notes import Fields, Notes
from rooftree.capture.webhook import signed
from rooftree.capture.wire import Unreadable, charset, form_fields, json_object, merged
from rooftree.capture.wish import wish
from rooftree.capture.words import language
from rooftree.compliance import data_rights
from rooftree.compliance.verdict import Decision
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
FASTEST_FILL = timedelta(seconds=3)  # nobody types a name and a number in less
CLOCK_DRIFT = timedelta(minutes=10)  # a visitor's clock may run ahead by this
UTM = ("source", "medium", "campaign", "term", "content")
CLICK_IDS = ("gclid", "gbraid", "wbraid", "fbclid", "msclkid", "ttclid", "li_fat_id")
BOXES = {  # one box a medium, for forms that ask for each
    "consent_call": ConsentChannel.CALL,
    "consent_sms": ConsentChannel.TEXT,
    "consent_email": ConsentChannel.EMAIL,
}


def read(incoming: Incoming) -> Envelope:
    """One submission. Never raises: what cannot be used comes back as an outcome.

    A signed post proves its sender; a browser's must come from an allowed origin. A
    borrower never sees an error for our doubts: those are quarantined and answered well.
    """
    is_signed = _is_signed(incoming)
    if refusal := _refusal(incoming, is_signed=is_signed):
        return refusal
    notes = Notes()
    try:
        fields = _fields(incoming, notes)
    except Unreadable as error:
        status = 415 if str(error) == "unsupported_content_type" else 400
        answer = json_answer(status, error=str(error))
        return refused(Outcome.REJECTED_MALFORMED, str(error), answer)
    if any(text(fields.get(key)) for key in HONEYPOTS):
        return ignored("honeypot", json_answer(200, status="ok"))
    notes.warn_of(incoming.masked.found)
    answer = _answer(fields, incoming, notes)
    rendered_at, _ = moment(fields.get("rendered_at"), "rendered_at", notes, zone="UTC")
    lead = _lead(fields, incoming, notes, is_signed=is_signed)
    found = conclude(lead, answer, notes, actions=follow_ups(lead.consent))
    if rendered_at and _filled_at(lead, incoming) - rendered_at < FASTEST_FILL:
        key, leads = found.idempotency_key, found.leads
        return quarantined("too_fast", answer, key=key, leads=leads, warnings=found.warnings)
    return found


def _filled_at(lead: CanonicalLead, incoming: Incoming) -> datetime:
    return lead.submitted_at or incoming.received_at


def _is_signed(incoming: Incoming) -> bool | None:
    """None when there is no signature, False for a wrong one."""
    given = incoming.header(SIGNATURE)
    if given is None:
        return None
    return incoming.is_verified or signed(incoming, given.strip().removeprefix("sha256="))


def _refusal(incoming: Incoming, *, is_signed: bool | None) -> Envelope | None:
    endpoint, origin = incoming.endpoint, incoming.header("origin")
    if endpoint.token and not incoming.path_secret_matches():
        return refused(Outcome.REJECTED_AUTH, "bad_token", json_answer(403, error="forbidden"))
    if incoming.is_too_large():
        answer = json_answer(413, error="too_large")
        return refused(Outcome.REJECTED_TOO_LARGE, "too_large", answer)
    if is_signed is False or (endpoint.signed_only and not is_signed):
        answer = json_answer(401, error="unauthorized")
        return refused(Outcome.REJECTED_AUTH, "bad_signature", answer)
    if incoming.is_verified:
        return None
    allowed = {one.lower().rstrip("/") for one in endpoint.allowed_origins}
    if not is_signed and origin is not None and origin.lower().rstrip("/") not in allowed:
        answer = json_answer(403, error="origin not allowed")
        return refused(Outcome.REJECTED_AUTH, "bad_origin", answer)
    return None


def _is_form(incoming: Incoming) -> bool:
    """By its declared type; by its first sign where a browser declared none (a beacon)."""
    kind = (incoming.header("content-type") or "").split(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return True
    if kind.startswith(("multipart/", "image/", "audio/", "video/")) or kind.endswith("xml"):
        raise Unreadable("unsupported_content_type")
    first = incoming.body.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1]
    return "json" not in kind and first not in (b"{", b"[")


def _fields(incoming: Incoming, notes: Notes) -> Fields:
    told = charset(incoming.header("content-type"))
    if _is_form(incoming):
        found = form_fields(incoming.masked.body, notes, told=told)
    else:
        found = json_object(incoming.masked.body, notes, told=told)
    return Fields(_grouped(found, notes))


def _grouped(found: dict[str, Any], notes: Notes) -> dict[str, Any]:
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
    nested = {name: merged(pairs, notes) for name, pairs in groups.items() if pairs}
    return {**flat, **nested}


def _answer(fields: Fields, incoming: Incoming, notes: Notes) -> Answer:
    """A form without script is sent back to its site, and nowhere else."""
    back = text(fields.get("return_to"))
    if back and _is_form(incoming):
        if _may_return(back, incoming):
            return Answer(status=303, location=back)
        notes.warn("return_to_not_allowed")
    return json_answer(200, status="ok", reference=REFERENCE)


def _may_return(url: str, incoming: Incoming) -> bool:
    if not url.isascii() or not url.isprintable() or "\\" in url or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    allowed = {one.lower() for one in incoming.endpoint.return_hosts}
    return parts.scheme == "https" and not parts.username and host in allowed and not port


def _lead(
    fields: Fields, incoming: Incoming, notes: Notes, *, is_signed: bool | None
) -> CanonicalLead:
    said_at, precision = moment(fields.get("submitted_at"), "submitted_at", notes, zone="UTC")
    if said_at and said_at > incoming.received_at + CLOCK_DRIFT:
        notes.warn("submitted_at_in_future")
        said_at = incoming.received_at
    visitor = _attribution(fields, incoming, notes, is_signed=is_signed)
    co_name = person(fields.get("co_first_name"), fields.get("co_last_name"), notes)
    lead = CanonicalLead(
        source=Source.WEBSITE_FORM,
        channel=CHANNEL,
        sub_source=text(fields.get("form")),
        campaign=visitor.utm_campaign if visitor else None,
        vendor_lead_id=identifier(fields.get("submission_id")),
        submitted_at=said_at,
        submitted_at_precision=precision,
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test or yes_or_no(fields.get("is_test")) is True,
        message=message(fields.get("message"), notes),
        borrower=person(
            fields.get("first_name"), fields.get("last_name"), notes, full=fields.get("name")
        ),
        co_borrower=CoBorrower(first_name=co_name.first_name, last_name=co_name.last_name)
        if co_name
        else None,
        phones=phones([(fields.get("phone"), PhoneType.UNKNOWN)], notes),
        emails=emails([fields.get("email")], notes),
        preferred_language=language(fields.get("language")),
        consent=_consent(fields, said_at or incoming.received_at, visitor, notes),
        attribution=visitor,
        extras=notes.extras,
        **wish(fields, notes),
    )
    notes.keep_all(fields)
    return lead


def _attribution(
    fields: Fields, incoming: Incoming, notes: Notes, *, is_signed: bool | None
) -> Attribution | None:
    """A browser's address is the socket's, never a field; a signed server tells its visitor's."""
    told_ip, told_agent = fields.get("ip_address"), fields.get("user_agent")
    utm = fields.part("utm")
    marks: dict[str, Any] = {f"utm_{name}": text(utm.get(name)) for name in UTM}
    clicks: dict[str, Any] = {name: text(fields.get(name)) for name in CLICK_IDS}
    landing, referrer = text(fields.get("landing_page")), text(fields.get("referrer"))
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
        user_agent=text(told_agent if is_signed else incoming.header("user-agent")),
    )
    return known(found)


def _asks_for_privacy(incoming: Incoming) -> bool:
    """The browser says that its visitor is not to be told of to others: no mark of an ad stays."""
    signal = incoming.header(PRIVACY_SIGNAL) == "1"
    return data_rights.sharing(has_opt_out_signal=signal).decision is Decision.BLOCK


def _consent(fields: Fields, at: datetime, visitor: Attribution | None, notes: Notes) -> Consent:
    """What was shown and what the visitor did; every other detail of it goes to extras."""
    shown = fields.part("consent")
    proof = Consent(
        certificate_url=certificate_url(
            fields.first("xxTrustedFormCertUrl", "trustedform_cert_url"), notes
        ),
        leadid_token=leadid_token(fields.first("leadid_token", "universal_leadid"), notes),
    )
    flag, wording = fields.get("consent_text"), text(shown.get("text"), limit=5_000)
    if yes_or_no(flag) is None:
        wording = wording or text(flag, limit=5_000)
    boxes = {medium for key, medium in BOXES.items() if yes_or_no(fields.get(key))}
    boxes |= {ConsentChannel.TEXT} if yes_or_no(flag) else set()
    checked = yes_or_no(shown.get("checked"))
    status = _status(checked, has_box=bool(boxes))
    if status is ConsentStatus.NOT_PROVIDED:
        return weighed(replace(proof, text=wording))
    if yes_or_no(shown.get("prechecked")):
        notes.warn("consent_prechecked")
    is_button = text(shown.get("method")) == "button"
    for key, value in [*shown.unread(), ("prechecked", shown.get("prechecked"))]:
        notes.keep(f"consent.{key}", value)
    if status is ConsentStatus.GRANTED:
        boxes |= set(named_channels(wording)) if checked else set()
        proof = replace(proof, channels=tuple(one for one in ConsentChannel if one in boxes))
    seen = visitor or Attribution()
    return weighed(
        replace(
            proof,
            status=status,
            text=wording,
            timestamp=at,
            ip=seen.ip,
            user_agent=seen.user_agent,
            page_url=seen.landing_page_url,
            method=ConsentMethod.BUTTON if is_button else ConsentMethod.CHECKBOX,
            seller_named=text(shown.get("seller")),
        )
    )


def _status(checked: bool | None, *, has_box: bool) -> ConsentStatus:
    if checked or has_box:
        return ConsentStatus.GRANTED
    return ConsentStatus.DENIED if checked is False else ConsentStatus.NOT_PROVIDED
