"""Referral partners: an introduction by an agent, a past client or another partner.

Wire format: docs/sources/referral_partner.md.
"""

from dataclasses import replace
from typing import Any

from rooftree.capture.parsing.build_envelope import build_envelope
from rooftree.capture.parsing.build_lead import build_canonical_lead
from rooftree.capture.parsing.consent_evidence import with_evidence_level
from rooftree.capture.parsing.envelope import (
    Envelope,
    IncomingDelivery,
    Outcome,
    Setting,
    SettingKind,
    json_answer,
    rejected_envelope,
)
from rooftree.capture.parsing.normalize_values import (
    none_if_empty,
    parse_moment,
    short_text,
    third_party_email,
    third_party_phone,
    yes_or_no,
)
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.vendor_words import match_choice, word_table
from rooftree.capture.parsing.wire_formats import UnreadableBody, content_charset, parse_json_object
from rooftree.core.email_addresses import comparison_key
from rooftree.leads.canonical import Agent, CanonicalLead, Consent, Referral
from rooftree.leads.vocabulary import (
    Channel,
    ConsentChannel,
    ConsentMethod,
    ConsentStatus,
    PartnerType,
    Source,
)

LABEL = "Referral partners"
EXAMPLE = """
{"referral_id": "test-1", "partner": {"name": "Test Partner", "email": "partner@example.com"},
 "client": {"first_name": "Test", "last_name": "Borrower", "phone": "8135550142"},
 "purpose": "purchase", "property_state": "FL"}
"""
PATHS = ["referral_partner/<token>"]  # one address per partner, or one for a portal with several
CHANNEL = Channel.REFERRAL
PARTNER_TYPES = word_table(
    PartnerType,
    REAL_ESTATE_AGENT="agent realtor broker realestatebroker listingagent buyersagent",
    BUILDER="homebuilder",
    CPA="accountant taxadviser taxadvisor",
    FINANCIAL_PLANNER="financialadviser financialadvisor planner wealthmanager",
    ATTORNEY="lawyer",
    PAST_CLIENT="client customer pastcustomer",
)
SETTINGS = (
    Setting(key="partner_name", label="Partner", help="Used when a post doesn't name the partner"),
    Setting(key="partner_company", label="Company"),
    Setting(key="partner_email", label="Email"),
    Setting(key="partner_phone", label="Phone", kind=SettingKind.PHONE),
    Setting(key="partner_license_no", label="License number"),
    Setting(
        key="partner_type",
        label="Partner type",
        help="Such as real estate agent, builder, CPA, attorney, past client",
    ),
)
_CLIENT_FIELDS = ("first_name", "last_name", "name", "phone", "email")
_FIELD_NAMES = {
    "purpose": "loan_purpose",
    "price": "purchase_price",
    "value": "property_value",
    "note": "message",
    "referral_id": "vendor_lead_id",
    "referred_at": "submitted_at",
}


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one introduction. Never raises."""
    forbidden = rejected_envelope(
        Outcome.REJECTED_AUTH, "bad_token", json_answer(403, error="forbidden")
    )
    if not incoming.path_secret_matches():
        return forbidden
    if incoming.is_too_large():
        return rejected_envelope(
            Outcome.REJECTED_TOO_LARGE, "too_large", json_answer(413, error="too_large")
        )
    notes = ReadingNotes()
    charset = content_charset(incoming.header("content-type"))
    try:
        introduction = Fields(
            parse_json_object(incoming.masked.body, notes, declared_charset=charset)
        )
    except UnreadableBody as error:
        return rejected_envelope(
            Outcome.REJECTED_MALFORMED, str(error), json_answer(400, error=str(error))
        )
    notes.warn_of_secrets(incoming.masked.kinds)
    partner = _build_partner(introduction, incoming, notes)
    if partner is None:  # without a partner, the address can't introduce anyone
        return forbidden
    lead = _build_lead(introduction, partner, incoming, notes)
    extra = {"referral_id": lead.vendor_lead_id} if lead.vendor_lead_id else {}
    return build_envelope(lead, json_answer(201, status="received", **extra), notes)


def _build_partner(
    introduction: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> Referral | None:
    """Identify the partner from the post, else from the source's settings."""
    setup = incoming.endpoint.setup
    configured = {
        setting.key.removeprefix("partner_"): setup.get(setting.key) for setting in SETTINGS
    }
    values = Fields({**configured, **introduction.nested("partner")})
    partner_type = match_choice(
        values.get("type"), PARTNER_TYPES, "referral.partner_type", "partner.type", notes
    )
    license_no = short_text(values.get("license_no"))
    if partner_type is None and license_no:
        partner_type = PartnerType.REAL_ESTATE_AGENT
    partner = none_if_empty(
        Referral(
            name=short_text(values.get("name")),
            email=third_party_email(values.get("email")),
            e164=third_party_phone(values.get("phone")),
            company=short_text(values.get("company")),
            license_no=license_no,
            partner_id=short_text(values.get("partner_id")),
            relationship_note=short_text(values.get("relationship")),
        )
    )
    return replace(partner, partner_type=partner_type) if partner else None


def _build_lead(
    introduction: Fields, partner: Referral, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    client = introduction.nested("client")
    zone = incoming.endpoint.zone
    fields = {key: client.get(key) for key in _CLIENT_FIELDS}
    fields |= {
        _FIELD_NAMES.get(key, key): introduction.get(key)
        for key in [*introduction]
        if key not in _HANDLED_KEYS
    }
    lead_fields = Fields(_drop_partner_contacts(fields, partner, notes))
    lead = build_canonical_lead(
        lead_fields,
        notes,
        source=Source.REFERRAL_PARTNER,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=zone,
        is_test=incoming.endpoint.is_test,
    )
    notes.keep_unread(lead_fields)
    is_agent = partner.partner_type is PartnerType.REAL_ESTATE_AGENT
    return replace(
        lead,
        sub_source=partner.company,
        referral=partner,
        has_agent=True if is_agent else lead.has_agent,
        agent=Agent(
            name=partner.name, email=partner.email, e164=partner.e164, company=partner.company
        )
        if is_agent
        else lead.agent,
        consent=_build_consent(introduction, zone, notes),
    )


_HANDLED_KEYS = frozenset({"partner", "client", "client_agreed_to_contact", "agreed_at"})


def _drop_partner_contacts(
    fields: dict[str, Any], partner: Referral, notes: ReadingNotes
) -> dict[str, Any]:
    """Drop client contacts equal to the partner's, so a partner never becomes the borrower."""
    email = third_party_email(fields.get("email"))
    is_partners = {
        "phone": bool(partner.e164) and third_party_phone(fields.get("phone")) == partner.e164,
        "email": bool(partner.email and email)
        and comparison_key(str(email)) == comparison_key(str(partner.email)),
    }
    for key in (key for key, is_same in is_partners.items() if is_same):
        notes.warn(f"partner_{key}_dropped")
        fields = {**fields, key: None}
    return fields


def _build_consent(introduction: Fields, zone: str, notes: ReadingNotes) -> Consent:
    """Read consent; a yes relayed by the partner is verbal, so it allows only manual calls."""
    agreed = yes_or_no(introduction.get("client_agreed_to_contact"))
    if agreed is None:
        return Consent()
    at, _ = parse_moment(introduction.get("agreed_at"), "agreed_at", notes, zone=zone)
    return with_evidence_level(
        Consent(
            status=ConsentStatus.GRANTED if agreed else ConsentStatus.DENIED,
            channels=(ConsentChannel.CALL,) if agreed else (),
            timestamp=at,
            method=ConsentMethod.VERBAL,
        )
    )
