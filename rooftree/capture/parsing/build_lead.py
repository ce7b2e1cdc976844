"""Builds one canonical lead from our plainly named fields."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from rooftree.capture.parsing.amounts import parse_cents
from rooftree.capture.parsing.consent_evidence import (
    certificate_url,
    channels_in_wording,
    leadid_token,
    with_evidence_level,
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
from rooftree.capture.parsing.vendor_words import match_choice, match_language, word_table
from rooftree.leads.canonical import (
    Attribution,
    CanonicalLead,
    CoBorrower,
    Consent,
    Cost,
    Recipient,
    Suppression,
)
from rooftree.leads.vocabulary import (
    Channel,
    ConsentMethod,
    ConsentStatus,
    CostBasis,
    PhoneType,
    Source,
)

MAX_CLOCK_SKEW = timedelta(days=1)  # further ahead can't be explained by a fast clock
_PHONES = (
    ("mobile", PhoneType.MOBILE),
    ("phone", PhoneType.UNKNOWN),
    ("phone_2", PhoneType.UNKNOWN),
    ("phone_3", PhoneType.UNKNOWN),
    ("home_phone", PhoneType.HOME),
    ("work_phone", PhoneType.WORK),
)
_TRACKING_FIELDS = (
    *("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"),
    *("gclid", "fbclid", "msclkid", "user_agent"),
)
_METHODS = word_table(
    ConsentMethod,
    CHECKBOX="box tickbox ticked",
    BUTTON="submit click clicked",
    VERBAL="oral phone call",
    WRITTEN="paper signature signed esign",
)


def build_canonical_lead(  # noqa: PLR0913
    fields: Fields,
    notes: ReadingNotes,
    *,
    source: Source,
    channel: Channel,
    received_at: datetime,
    zone: str,
    is_test: bool = False,
    counts_bare_yes: bool = False,
) -> CanonicalLead:
    """Build a lead from the fields in TARGET_FIELDS; doubts go to the notes.

    Args:
        counts_bare_yes: the vendor's contract defines what its yes means, so a yes without the
            wording counts as consent to calls only.
    """
    submitted_at, precision = parse_moment(
        fields.get("submitted_at"), "submitted_at", notes, zone=zone
    )
    if submitted_at and submitted_at > received_at + MAX_CLOCK_SKEW:
        notes.warn("submitted_at_in_future")
    cost_cents = parse_cents(fields.get("cost"), "cost", notes)
    co_name = borrower_name(fields.get("co_first_name"), fields.get("co_last_name"), notes)
    return CanonicalLead(
        source=source,
        channel=channel,
        sub_source=short_text(fields.get("sub_source")),
        campaign=short_text(fields.get("campaign")),
        vendor_lead_id=vendor_identifier(fields.get("vendor_lead_id")),
        submitted_at=submitted_at,
        submitted_at_precision=precision,
        received_at=received_at,
        is_test=is_test or yes_or_no(fields.get("is_test")) is True,
        cost=None
        if cost_cents is None
        else Cost(amount_cents=cost_cents, basis=CostBasis.PER_LEAD),
        message=consumer_message(fields.get("message"), notes),
        borrower=borrower_name(
            fields.get("first_name"), fields.get("last_name"), notes, full=fields.get("name")
        ),
        co_borrower=CoBorrower(first_name=co_name.first_name, last_name=co_name.last_name)
        if co_name
        else None,
        phones=phone_numbers([(fields.get(key), kind) for key, kind in _PHONES], notes),
        emails=email_addresses([fields.get("email"), fields.get("email_2")], notes),
        preferred_language=match_language(fields.get("language")),
        vendor_status=short_text(fields.get("vendor_status")),
        recipient=_recipient(fields),
        suppression=_suppression(fields),
        consent=_consent(fields, submitted_at, zone, notes, counts_bare_yes=counts_bare_yes),
        attribution=_attribution(fields, notes),
        extras=notes.extras,
        **read_loan_request(fields, notes),
    )


def _recipient(fields: Fields) -> Recipient | None:
    """Read the loan officer whom a column names by name, email or NMLS ID."""
    text = short_text(fields.get("addressed_officer"))
    if not text:
        return None
    nmls_id = text.upper().removeprefix("NMLS").strip(" #:")
    if nmls_id.isdecimal():
        return Recipient(nmls_id=nmls_id)
    return Recipient(email=text.lower()) if "@" in text else Recipient(name=text)


def _suppression(fields: Fields) -> Suppression | None:
    """Read opt-outs; they always apply."""
    suppression = Suppression(
        do_not_call=yes_or_no(fields.get("do_not_call")) or None,
        do_not_text=yes_or_no(fields.get("do_not_text")) or None,
        do_not_email=yes_or_no(fields.get("do_not_email")) or None,
    )
    if not (suppression.do_not_call or suppression.do_not_text or suppression.do_not_email):
        return None
    return replace(suppression, reason=short_text(fields.get("opt_out_reason")))


def _attribution(fields: Fields, notes: ReadingNotes) -> Attribution | None:
    tracking: dict[str, Any] = {name: short_text(fields.get(name)) for name in _TRACKING_FIELDS}
    attribution = Attribution(
        **tracking,
        landing_page_url=short_text(fields.get("landing_page")),
        referrer_url=short_text(fields.get("referrer")),
        ip=public_ip(fields.get("ip_address"), notes),
    )
    return none_if_empty(attribution)


def _consent(
    fields: Fields,
    submitted_at: datetime | None,
    zone: str,
    notes: ReadingNotes,
    *,
    counts_bare_yes: bool,
) -> Consent:
    """Read consent; a yes without its wording leaves the status unknown."""
    proof = Consent(
        certificate_url=certificate_url(fields.get("certificate_url"), notes),
        leadid_token=leadid_token(fields.get("leadid_token"), notes),
        ip=public_ip(fields.get("consent_ip"), notes),
    )
    answer = fields.get("consent_checked")
    wording = short_text(fields.get("consent_text"), limit=5_000)
    checked = _consent_answer(answer, notes, can_be_yes=bool(wording) or counts_bare_yes)
    if checked is None:
        return with_evidence_level(replace(proof, text=wording) if answer is not None else proof)
    at, _ = parse_moment(fields.get("consent_at"), "consent_at", notes, zone=zone)
    method_text = fields.get("consent_method")
    proof = replace(
        proof,
        status=ConsentStatus.GRANTED if checked else ConsentStatus.DENIED,
        channels=channels_in_wording(wording) if checked else (),
        text=wording,
        timestamp=at or submitted_at,
        method=match_choice(method_text, _METHODS, "consent.method", "consent_method", notes),
        ip=proof.ip or public_ip(fields.get("ip_address"), notes),
        user_agent=short_text(fields.get("user_agent")),
        page_url=short_text(fields.get("consent_page") or fields.get("landing_page")),
        seller_named=short_text(fields.get("consent_seller")),
    )
    return with_evidence_level(proof)


def _consent_answer(answer: Any, notes: ReadingNotes, *, can_be_yes: bool) -> bool | None:
    """Parse the answer; return None, and keep it in the extras, when it can't count."""
    checked = yes_or_no(answer)
    if answer is not None and checked is None:
        notes.warn("consent_unclear")
        notes.keep_extra("consent_checked", answer)
    if checked and not can_be_yes:
        notes.warn("consent_without_wording")
        notes.keep_extra("consent_checked", answer)
        return None
    return checked
