"""Referral partners: an introduction by an agent, a past client or another partner.

Wire format: docs/sources/referral_partner.md.
"""

from dataclasses import replace
from typing import Any

from rooftree.capture.parsing.build_envelope import build_envelope
from rooftree.capture.parsing.build_lead import build_canonical_lead
from rooftree.capture.parsing.consent_evidence import with_evidence_level
from rooftree.capture.parsing.envelope import (
    Answer,
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
PATHS = ["referral_partner/<token>"]  # one address a partner, or one for a portal of several
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
    Setting(key="partner_name", label="Partner", help="Where a post does not name them"),
    Setting(key="partner_company", label="Company"),
    Setting(key="partner_email", label="E-mail"),
    Setting(key="partner_phone", label="Phone", kind=SettingKind.PHONE),
    Setting(key="partner_license_no", label="License number"),
    Setting(
        key="partner_type",
        label="What they are",
        help="As real estate agent, builder, CPA, attorney, past client",
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
    """One introduction. Never raises."""
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
    told = content_charset(incoming.header("content-type"))
    try:
        found = Fields(parse_json_object(incoming.masked.body, notes, told=told))
    except UnreadableBody as error:
        return rejected_envelope(
            Outcome.REJECTED_MALFORMED, str(error), json_answer(400, error=str(error))
        )
    notes.warn_of_secrets(incoming.masked.found)
    partner = _build_partner(found, incoming, notes)
    if partner is None:  # an address that belongs to no partner introduces nobody
        return forbidden
    lead = _build_lead(found, partner, incoming, notes)
    return build_envelope(lead, _received_answer(lead), notes)


def _received_answer(lead: CanonicalLead) -> Answer:
    named = {"referral_id": lead.vendor_lead_id} if lead.vendor_lead_id else {}
    return json_answer(201, status="received", **named)


def _build_partner(
    found: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> Referral | None:
    """Who introduces: as the post says, else as the source was set up."""
    stored = incoming.endpoint.setup
    kept = {setting.key.removeprefix("partner_"): stored.get(setting.key) for setting in SETTINGS}
    told = Fields({**kept, **found.part("partner")})
    kind = match_choice(
        told.get("type"), PARTNER_TYPES, "referral.partner_type", "partner.type", notes
    )
    license_no = short_text(told.get("license_no"))
    if kind is None and license_no:
        kind = PartnerType.REAL_ESTATE_AGENT
    partner = none_if_empty(
        Referral(
            name=short_text(told.get("name")),
            email=third_party_email(told.get("email")),
            e164=third_party_phone(told.get("phone")),
            company=short_text(told.get("company")),
            license_no=license_no,
            partner_id=short_text(told.get("partner_id")),
            relationship_note=short_text(told.get("relationship")),
        )
    )
    return replace(partner, partner_type=kind) if partner else None


def _build_lead(
    found: Fields, partner: Referral, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    client = found.part("client")
    zone = incoming.endpoint.zone
    fields = {key: client.get(key) for key in _CLIENT_FIELDS}
    fields |= {
        _FIELD_NAMES.get(key, key): found.get(key) for key in [*found] if key not in _HANDLED_KEYS
    }
    typed = Fields(_drop_partner_contacts(fields, partner, notes))
    lead = build_canonical_lead(
        typed,
        notes,
        source=Source.REFERRAL_PARTNER,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=zone,
        is_test=incoming.endpoint.is_test,
    )
    notes.keep_unread(typed)
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
        consent=_build_consent(found, zone, notes),
    )


_HANDLED_KEYS = frozenset({"partner", "client", "client_agreed_to_contact", "agreed_at"})


def _drop_partner_contacts(
    fields: dict[str, Any], partner: Referral, notes: ReadingNotes
) -> dict[str, Any]:
    """A partner who types their own number for the client's must not become the borrower."""
    email = third_party_email(fields.get("email"))
    is_theirs = {
        "phone": bool(partner.e164) and third_party_phone(fields.get("phone")) == partner.e164,
        "email": bool(partner.email and email)
        and comparison_key(str(email)) == comparison_key(str(partner.email)),
    }
    for key in (key for key, same in is_theirs.items() if same):
        notes.warn(f"partner_{key}_dropped")
        fields = {**fields, key: None}
    return fields


def _build_consent(found: Fields, zone: str, notes: ReadingNotes) -> Consent:
    """A yes the partner passes on is spoken, not written: a person may call, nothing automated."""
    said = yes_or_no(found.get("client_agreed_to_contact"))
    if said is None:
        return Consent()
    at, _ = parse_moment(found.get("agreed_at"), "agreed_at", notes, zone=zone)
    return with_evidence_level(
        Consent(
            status=ConsentStatus.GRANTED if said else ConsentStatus.DENIED,
            channels=(ConsentChannel.CALL,) if said else (),
            timestamp=at,
            method=ConsentMethod.VERBAL,
        )
    )
