"""Zillow lender contacts: one JSON object per POST. Wire format: docs/sources/zillow.md."""

from typing import Any

from rooftree.capture.parsing.amounts import parse_cents
from rooftree.capture.parsing.build_envelope import build_envelope
from rooftree.capture.parsing.envelope import (
    LEAD_ID_PLACEHOLDER,
    Envelope,
    IncomingDelivery,
    Outcome,
    json_answer,
    rejected_envelope,
)
from rooftree.capture.parsing.normalize_values import (
    borrower_name,
    consumer_message,
    email_addresses,
    none_if_empty,
    parse_moment,
    phone_numbers,
    short_text,
    squash_word,
    third_party_email,
    third_party_name,
    third_party_phone,
    vendor_identifier,
    yes_or_no,
)
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.vendor_words import (
    CONTACT_TIMES,
    MILITARY_STATUSES,
    match_choice,
    match_timeline,
)
from rooftree.capture.parsing.wire_formats import UnreadableBody, content_charset, parse_json_object
from rooftree.capture.sources.zillow_fields import (
    build_credit,
    build_income,
    build_loan,
    build_property,
)
from rooftree.leads.canonical import (
    Agent,
    CanonicalLead,
    CoBorrower,
    ContactPreference,
    Cost,
    Recipient,
    Suppression,
)
from rooftree.leads.vocabulary import Channel, ContactMethod, CostBasis, PhoneType, Source

LABEL = "Zillow"
EXAMPLE = """
{"id": "LC-TEST1", "type": "longForm", "price": 65.0,
 "sender": {"firstName": "Test", "lastName": "Borrower", "emailAddress": "test@example.com",
            "phoneNumber": "8135550142"},
 "details": {"loanPurpose": "Purchase", "loanAmount": 350000, "stateAbbreviation": "FL"}}
"""
PATHS = ["zillow/<token>"]  # Zillow signs nothing: the secret is in the path
CHANNEL = Channel.MARKETPLACE

PREAPPROVAL_TYPE = "propertypreapproval"
# What is read of each part; the rest is kept in the extras.
KNOWN_PARTS = {
    "quote": {"rate", "apr", "termMonths", "lockDays", "jumbo"},
    "sender": {"firstName", "lastName", "emailAddress", "phoneNumber"},
    "recipient": {"lenderId", "firstName", "lastName", "emailAddress", "phoneNumber",
                  "nmlsLicense"},
}  # fmt: skip
# Set when a concierge has already spoken with the borrower.
SUPPRESSIONS = {
    "donotcall": Suppression(do_not_call=True, reason="DoNotCall"),
    "transferred": Suppression(do_not_text=True, reason="Transferred"),
}


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one contact. Never raises: an unusable delivery gets its own outcome.

    Source: Zillow lender contact notification (SEEN 2026-11-23). Zillow treats a non-2xx
    answer as a failure, so every authentic and readable contact gets 200.
    """
    if not incoming.path_secret_matches():
        return rejected_envelope(
            Outcome.REJECTED_AUTH, "bad_token", json_answer(403, error="forbidden")
        )
    if incoming.is_too_large():
        return rejected_envelope(
            Outcome.REJECTED_TOO_LARGE, "too_large", json_answer(413, error="too_large")
        )
    notes = ReadingNotes()
    charset = content_charset(incoming.header("content-type"))
    try:
        contact = Fields(parse_json_object(incoming.masked.body, notes, declared_charset=charset))
    except UnreadableBody as error:
        return rejected_envelope(
            Outcome.REJECTED_MALFORMED, str(error), json_answer(400, error=str(error))
        )
    notes.warn_of_secrets(incoming.masked.kinds)
    details = contact.nested("details")
    if squash_word(short_text(contact.get("type")) or "") == PREAPPROVAL_TYPE:
        # It names a home that the sender wants to buy.
        details["loanPurpose"] = short_text(details.get("loanPurpose")) or "Purchase"
    lead = _build_lead(contact, details, incoming, notes)
    notes.keep_unread(contact)
    notes.keep_unread(details)
    for part in ("quote", "sender", "recipient"):
        known = KNOWN_PARTS[part]
        unread = ((key, value) for key, value in contact.nested(part).items() if key not in known)
        notes.keep_extras((f"{part}.{key}", value) for key, value in unread)
    url = incoming.endpoint.application_url
    extra = {"applicationURL": url} if url else {}
    answer = json_answer(200, externalContactReference=LEAD_ID_PLACEHOLDER, **extra)
    return build_envelope(lead, answer, notes)


def _build_lead(
    contact: Fields, details: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    sender, zone = contact.nested("sender"), incoming.endpoint.zone
    submitted_at, precision = parse_moment(contact.get("created"), "created", notes, zone=zone)
    status = short_text(contact.get("conciergeStatus"))
    price = parse_cents(contact.get("price"), "cost", notes)
    return CanonicalLead(
        source=Source.ZILLOW,
        channel=CHANNEL,
        sub_source=short_text(contact.get("source")),
        vendor_lead_id=vendor_identifier(contact.get("id")),
        vendor_ids=_build_vendor_ids(contact, details),
        submitted_at=submitted_at,
        submitted_at_precision=precision,
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
        cost=None if price is None else Cost(amount_cents=price, basis=CostBasis.PER_LEAD),
        message=consumer_message(details.get("message"), notes),
        borrower=borrower_name(sender.get("firstName"), sender.get("lastName"), notes),
        co_borrower=_build_co_borrower(details, notes),
        phones=phone_numbers([(sender.get("phoneNumber"), PhoneType.UNKNOWN)], notes),
        emails=email_addresses([sender.get("emailAddress")], notes),
        contact_pref=_build_contact_preference(contact, zone, notes),
        property=build_property(details, notes),
        loan=build_loan(contact, details, notes),
        credit=build_credit(details, notes),
        income=build_income(details, notes),
        recipient=_build_recipient(contact.nested("recipient")),
        vendor_status=status,
        suppression=SUPPRESSIONS.get(squash_word(status or "")),
        extras=notes.extras,
        **_build_situation(contact, details, notes),
    )


def _build_vendor_ids(contact: Fields, details: Fields) -> dict[str, str]:
    ids = {
        "type": vendor_identifier(contact.get("type")),
        "quote_id": vendor_identifier(details.get("quoteId")),
        "request_id": vendor_identifier(details.get("requestId")),
    }
    return {name: value for name, value in ids.items() if value}


def _build_situation(contact: Fields, details: Fields, notes: ReadingNotes) -> dict[str, Any]:
    is_preapproval = squash_word(short_text(contact.get("type")) or "") == PREAPPROVAL_TYPE
    agent = _build_agent(details)
    veteran = match_choice(
        details.get("veteranType"), MILITARY_STATUSES, "military_status", "veteranType", notes
    )
    has_agent = yes_or_no(details.get("hasAgent"))
    return {
        "military": True if veteran else None,
        "military_status": veteran,
        "found_home": True if is_preapproval and details.get("propertyAddress") else None,
        "first_time_buyer": yes_or_no(details.get("firstTimeBuyer")),
        "has_agent": True if has_agent is None and agent else has_agent,
        "agent": agent,
        "timeline": match_timeline(
            details.get("closingTimelineDays"), "closingTimelineDays", notes
        ),
    }


def _build_agent(details: Fields) -> Agent | None:
    """Read the agent from flat `agentFirstName` or nested `agent.FirstName`; both were seen."""
    nested = {key.lower(): value for key, value in details.nested("agent").items()}

    def agent_value(key: str) -> Any:
        return details.get(f"agent{key}") or nested.get(key.lower())

    return none_if_empty(
        Agent(
            name=third_party_name(agent_value("FirstName"), agent_value("LastName")),
            email=third_party_email(agent_value("EmailAddress")),
            e164=third_party_phone(agent_value("PhoneNumber")),
            company=short_text(agent_value("BusinessName")),
            vendor_id=short_text(agent_value("Id")),
        )
    )


def _build_recipient(recipient: Fields) -> Recipient | None:
    return none_if_empty(
        Recipient(
            vendor_lender_id=short_text(recipient.get("lenderId")),
            name=third_party_name(recipient.get("firstName"), recipient.get("lastName")),
            email=third_party_email(recipient.get("emailAddress")),
            e164=third_party_phone(recipient.get("phoneNumber")),
            nmls_id=short_text(recipient.get("nmlsLicense")),
        )
    )


def _build_co_borrower(details: Fields, notes: ReadingNotes) -> CoBorrower | None:
    name = borrower_name(
        details.get("coborrowerFirstName"), details.get("coborrowerLastName"), notes
    )
    if name is None:
        return None
    return CoBorrower(first_name=name.first_name, last_name=name.last_name, suffix=name.suffix)


def _build_contact_preference(
    contact: Fields, zone: str, notes: ReadingNotes
) -> ContactPreference | None:
    """Read a time of day, or an exact time the concierge agreed on with the borrower."""
    preference = short_text(contact.get("preferredContactTime"))
    asks_for_email = squash_word(short_text(contact.get("conciergeStatus")) or "")
    method = ContactMethod.EMAIL if asks_for_email == "emailrequested" else None
    if preference is None:
        return none_if_empty(ContactPreference(method=method))
    if part := CONTACT_TIMES.get(squash_word(preference)):
        return ContactPreference(time=part, method=method)
    at, _ = parse_moment(preference, "preferredContactTime", notes, zone=zone)
    return none_if_empty(ContactPreference(at=at, method=method))
