"""Leads that staff type in: a walk-in, a caller, a friend of a client.

Only our own page delivers them; a post from outside is refused. Wire format:
docs/sources/staff_entry.md.
"""

from dataclasses import replace

from rooftree.capture.parsing.build_envelope import build_envelope
from rooftree.capture.parsing.build_lead import build_canonical_lead
from rooftree.capture.parsing.consent_evidence import with_evidence_level
from rooftree.capture.parsing.envelope import (
    Envelope,
    IncomingDelivery,
    Outcome,
    json_answer,
    rejected_envelope,
)
from rooftree.capture.parsing.normalize_values import (
    none_if_empty,
    parse_moment,
    short_text,
    yes_or_no,
)
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.wire_formats import UnreadableBody, parse_json_object
from rooftree.leads.canonical import CanonicalLead, Consent, Referral
from rooftree.leads.vocabulary import (
    Channel,
    ConsentChannel,
    ConsentMethod,
    ConsentStatus,
    PartnerType,
    Source,
)

LABEL = "Typed in by staff"
PATHS = ["staff_entry/<token>"]
CHANNEL = Channel.REFERRAL
IS_INTERNAL = True  # made by the product at first use, not set up by staff
ENTRY_METHOD = "ENTRY"  # of a delivery that our own page made
REACHED_BY = {  # how the borrower reached us: label, channel, kind of referrer
    "walk_in": ("Walk-in", Channel.PHONE, None),
    "called": ("Called us", Channel.PHONE, None),
    "client": ("Friend or family of a client", Channel.REFERRAL, PartnerType.PAST_CLIENT),
    "past_client": ("Past client", Channel.REFERRAL, None),
    "agent": ("Real estate agent", Channel.REFERRAL, PartnerType.REAL_ESTATE_AGENT),
    "other": ("Other", Channel.REFERRAL, PartnerType.OTHER),
}
_OWN_KEYS = frozenset({"reached_by", "referred_by", "agreed_to_call", "agreed_at"})


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one entry. Never raises."""
    if incoming.is_too_large():
        return rejected_envelope(
            Outcome.REJECTED_TOO_LARGE, "too_large", json_answer(413, error="too_large")
        )
    if incoming.method != ENTRY_METHOD and not incoming.is_verified:
        return rejected_envelope(
            Outcome.REJECTED_AUTH, "not_an_entry", json_answer(403, error="forbidden")
        )
    notes = ReadingNotes()
    try:
        entry = Fields(parse_json_object(incoming.masked.body, notes))
    except UnreadableBody as error:
        return rejected_envelope(
            Outcome.REJECTED_MALFORMED, str(error), json_answer(400, error=str(error))
        )
    notes.warn_of_secrets(incoming.masked.kinds)
    lead = _build_lead(entry, incoming, notes)
    return build_envelope(lead, json_answer(201, status="received"), notes)


def _build_lead(entry: Fields, incoming: IncomingDelivery, notes: ReadingNotes) -> CanonicalLead:
    label, channel, partner_type = REACHED_BY.get(str(entry.get("reached_by")), REACHED_BY["other"])
    fields = Fields({key: entry.get(key) for key in [*entry] if key not in _OWN_KEYS})
    lead = build_canonical_lead(
        fields,
        notes,
        source=Source.GENERIC,
        channel=channel,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=incoming.endpoint.is_test,
    )
    notes.keep_unread(fields)
    referrer = short_text(entry.get("referred_by"))
    referral = none_if_empty(Referral(name=referrer)) if partner_type else None
    return replace(
        lead,
        sub_source=label,
        campaign=label,
        referral=replace(referral, partner_type=partner_type) if referral else None,
        consent=_build_consent(entry, incoming.endpoint.zone, notes),
    )


def _build_consent(entry: Fields, zone: str, notes: ReadingNotes) -> Consent:
    """Read what the borrower said to staff: a spoken yes allows calls by hand and no more."""
    if yes_or_no(entry.get("agreed_to_call")) is not True:
        return Consent()
    at, _ = parse_moment(entry.get("agreed_at"), "agreed_at", notes, zone=zone)
    return with_evidence_level(
        Consent(
            status=ConsentStatus.GRANTED,
            channels=(ConsentChannel.CALL,),
            timestamp=at,
            method=ConsentMethod.VERBAL,
        )
    )
