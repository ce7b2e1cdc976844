"""Referral partners: an introduction by an agent, a past client or another partner.

Wire format: docs/sources/referral_partner.md.
"""

from dataclasses import replace
from typing import Any

from rooftree.capture.conclude import conclude
from rooftree.capture.consent import weighed
from rooftree.capture.envelope import (
    Answer,
    Envelope,
    Incoming,
    Outcome,
    Setting,
    SettingKind,
    json_answer,
    refused,
)
from rooftree.capture.mapped import lead_of
from rooftree.capture.normalise import (
    contact,
    known,
    moment,
    text,
    third_party_email,
    yes_or_no,
)
from rooftree.capture.notes import Fields, Notes
from rooftree.capture.wire import Unreadable, charset, json_object
from rooftree.capture.words import choice, table
from rooftree.core.emails import comparison_key
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
PARTNER_TYPES = table(
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
_CLIENT = ("first_name", "last_name", "name", "phone", "email")
_WISH = {
    "purpose": "loan_purpose",
    "price": "purchase_price",
    "value": "property_value",
    "note": "message",
    "referral_id": "vendor_lead_id",
    "referred_at": "submitted_at",
}


def read(incoming: Incoming) -> Envelope:
    """One introduction. Never raises."""
    forbidden = refused(Outcome.REJECTED_AUTH, "bad_token", json_answer(403, error="forbidden"))
    if not incoming.path_secret_matches():
        return forbidden
    if incoming.is_too_large():
        return refused(Outcome.REJECTED_TOO_LARGE, "too_large", json_answer(413, error="too_large"))
    notes = Notes()
    told = charset(incoming.header("content-type"))
    try:
        found = Fields(json_object(incoming.masked.body, notes, told=told))
    except Unreadable as error:
        return refused(Outcome.REJECTED_MALFORMED, str(error), json_answer(400, error=str(error)))
    notes.warn_of(incoming.masked.found)
    partner = _partner(found, incoming, notes)
    if partner is None:  # an address that belongs to no partner introduces nobody
        return forbidden
    lead = _lead(found, partner, incoming, notes)
    return conclude(lead, _answer(lead), notes)


def _answer(lead: CanonicalLead) -> Answer:
    named = {"referral_id": lead.vendor_lead_id} if lead.vendor_lead_id else {}
    return json_answer(201, status="received", **named)


def _partner(found: Fields, incoming: Incoming, notes: Notes) -> Referral | None:
    """Who introduces: as the post says, else as the source was set up."""
    stored = incoming.endpoint.setup
    kept = {one.key.removeprefix("partner_"): stored.get(one.key) for one in SETTINGS}
    told = Fields({**kept, **found.part("partner")})
    kind = choice(told.get("type"), PARTNER_TYPES, "referral.partner_type", "partner.type", notes)
    license_no = text(told.get("license_no"))
    if kind is None and license_no:
        kind = PartnerType.REAL_ESTATE_AGENT
    partner = known(
        Referral(
            name=text(told.get("name")),
            email=third_party_email(told.get("email")),
            e164=contact(told.get("phone")),
            company=text(told.get("company")),
            license_no=license_no,
            partner_id=text(told.get("partner_id")),
            relationship_note=text(told.get("relationship")),
        )
    )
    return replace(partner, partner_type=kind) if partner else None


def _lead(found: Fields, partner: Referral, incoming: Incoming, notes: Notes) -> CanonicalLead:
    client = found.part("client")
    zone = incoming.endpoint.zone
    fields = {key: client.get(key) for key in _CLIENT}
    fields |= {_WISH.get(key, key): found.get(key) for key in [*found] if key not in _OURS}
    typed = Fields(_without_partner(fields, partner, notes))
    lead = lead_of(
        typed,
        notes,
        source=Source.REFERRAL_PARTNER,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=zone,
        is_test=incoming.endpoint.is_test,
    )
    notes.keep_all(typed)
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
        consent=_agreed(found, zone, notes),
    )


_OURS = frozenset({"partner", "client", "client_agreed_to_contact", "agreed_at"})


def _without_partner(fields: dict[str, Any], partner: Referral, notes: Notes) -> dict[str, Any]:
    """A partner who types their own number for the client's must not become the borrower."""
    email = third_party_email(fields.get("email"))
    is_theirs = {
        "phone": bool(partner.e164) and contact(fields.get("phone")) == partner.e164,
        "email": bool(partner.email and email)
        and comparison_key(str(email)) == comparison_key(str(partner.email)),
    }
    for key in (key for key, same in is_theirs.items() if same):
        notes.warn(f"partner_{key}_dropped")
        fields = {**fields, key: None}
    return fields


def _agreed(found: Fields, zone: str, notes: Notes) -> Consent:
    """A yes the partner passes on is spoken, not written: a person may call, nothing automated."""
    said = yes_or_no(found.get("client_agreed_to_contact"))
    if said is None:
        return Consent()
    at, _ = moment(found.get("agreed_at"), "agreed_at", notes, zone=zone)
    return weighed(
        Consent(
            status=ConsentStatus.GRANTED if said else ConsentStatus.DENIED,
            channels=(ConsentChannel.CALL,) if said else (),
            timestamp=at,
            method=ConsentMethod.VERBAL,
        )
    )
