"""Every fact the gate needs about one message to one borrower.

A fact that is not set here stays UNKNOWN, and an unknown fact stops the send. Only rows
committed before `at` count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rooftree.compliance.consent import build_consent_record
from rooftree.compliance.do_not_call import load_list
from rooftree.compliance.gate import (
    do_not_call_check,
    effective_rules,
    license_checks,
    person_places,
    reassigned_number_check,
)
from rooftree.compliance.gate.facts import (
    Facts,
    HumanDecision,
    Medium,
    NumberCheck,
    Place,
    PriorContact,
    Purpose,
    Restart,
    Revocation,
    StateList,
    StopConfirmation,
    Voice,
)
from rooftree.compliance.gate.rulebook import GUARD_MINUTES, RULES_VERSION, STATES_WITH_OWN_DNC_LIST
from rooftree.compliance.models import Revocation as RevocationRow
from rooftree.compliance.wording_rules import wording_check
from rooftree.core.email_addresses import comparison_key
from rooftree.leads.models import Lead
from rooftree.org.models import Company, LoanOfficer
from rooftree.outreach.facts import contact_facts
from rooftree.outreach.facts.lead_records import LeadRecords
from rooftree.outreach.facts.stored_rows import DncListing, StoredConsent, StoredRevocation
from rooftree.outreach.models import Message

UNSUBSCRIBE_DAYS = 3650  # the link is signed and never expires; stated as ten years
CONTACT_MEDIA = {
    "text": Medium.TEXT,
    "call": Medium.CALL,
    "voicemail": Medium.VOICEMAIL,
    "email": Medium.EMAIL,
}
BUYER_PURPOSES = frozenset({"purchase", "construction"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingContact:
    """One message or call as it would go out."""

    medium: Medium
    purpose: Purpose
    is_automated: bool
    to: str  # E.164 or email address
    text: str  # as rendered; empty for a call
    subject: str = ""
    officer: LoanOfficer | None = None  # None: sent in the company's name
    idempotency_key: str = ""  # the attempt with this key is not counted against the caps
    confirms: RevocationRow | None = None
    answers: tuple[HumanDecision, ...] = ()  # staff decisions about this very message
    is_owners: bool = True  # sent in the company's name or that of the lead's own officer
    is_officers_own: bool = True  # if a person typed it: the officer whose name it carries
    content_facts: tuple[str, ...] = ()  # proofs the system holds about the wording
    approved_until: datetime | None = None  # end of its approval; None: typed by a person


def build_contact_by_hand(
    medium: Medium, lead: Lead, to: str, records: LeadRecords, *, text: str = "", cause: str = ""
) -> OutgoingContact:
    """Build a contact that the lead's officer makes by hand at `records.at`, with its purpose."""
    return OutgoingContact(
        medium=medium,
        purpose=contact_facts.judge_purpose(medium, records, at=records.at),
        is_automated=False,
        to=to,
        text=text,
        officer=lead.officer,
        idempotency_key=cause,
    )


def gather_facts(
    outgoing: OutgoingContact,
    *,
    lead: Lead,
    company: Company,
    at: datetime,
    records: LeadRecords | None = None,
) -> Facts:
    """Return all facts about this message at `at`, ready for the gate.

    Args:
        records: the lead's records at `at`, if already loaded.
    """
    records = records or LeadRecords(lead, keys=[address_key(outgoing.to)], at=at)
    return gather_facts_of_many([outgoing], lead=lead, company=company, at=at, records=records)[0]


def gather_facts_of_many(
    messages: Sequence[OutgoingContact],
    *,
    lead: Lead,
    company: Company,
    at: datetime,
    records: LeadRecords,
) -> list[Facts]:
    """Return the facts of several messages to one borrower, gathering shared facts only once."""
    today = property_local_date(lead, company, at)
    shared = {
        "at": at.astimezone(UTC),  # a day back is 24 hours, even across a clock change
        "rules_version": RULES_VERSION,
        "has_audit_row": True,
        **_lead_facts(lead, records),
        **contact_facts.build_company_facts(company, records, lead.property_state, today),
        **_email_facts(company),
    }
    officers = {
        officer: contact_facts.build_officer_facts(officer, company, today)
        for officer in {message.officer for message in messages}
    }
    return [
        Facts(
            **shared,
            **_message_facts(message, lead, records),
            **contact_facts.build_request_facts(
                message.medium,
                records,
                is_automated=message.is_automated,
                answers=message.answers,
                excluding=message.idempotency_key,
                at=at,
            ),
            **_address_facts(message, lead, records, at),
            provenance=contact_facts.build_provenance(message.text, lead, company, records),
            officer=officers[message.officer],
        )
        for message in messages
    ]


def address_key(address: str) -> str:
    """Return the form consents and revocations are stored under: E.164, or the email's key."""
    return comparison_key(address) if "@" in address else address


def possible_places(lead: Lead) -> tuple[Place, ...]:
    """Return every place the person may be: their numbers, their home, the property."""
    person = lead.person
    home = person_places.address_places("residence", person.state, person.zip)
    is_rented_out = lead.property_use == "investment" and lead.purpose not in BUYER_PURPOSES
    is_home = False if is_rented_out else None  # a buyer may be there already, or nearby
    property_places = person_places.address_places(
        "property", lead.property_state, lead.property_zip, is_home=is_home
    )
    numbers = [phone.e164 for phone in person.phones.all() if phone.unlinked_at is None]
    by_number = tuple(
        place for number in numbers for place in person_places.area_code_places(number)
    )
    return person_places.narrow_area_codes(by_number + home + property_places)


def property_local_date(lead: Lead, company: Company, at: datetime) -> date:
    """Return the date at the property, or the company's own date if that is unknown."""
    places = person_places.address_places("property", lead.property_state, lead.property_zip)
    zone = places[0].zone if places else company.zone
    return at.astimezone(ZoneInfo(zone)).date()


def _lead_facts(lead: Lead, records: LeadRecords) -> dict[str, Any]:
    """Return where the borrower may be, and our history with them."""
    inbound = records.newest_inbound
    places = possible_places(lead)
    states = {place.state for place in places}
    return {
        "places": places,
        "amendments": effective_rules.relevant_changes(records.rule_changes, states, records.at),
        "property_state": lead.property_state or None,
        "inquired_at": lead.last_inquiry_at,
        "inbound_at": inbound.created_at if inbound else None,
        "inbound_meaning": (inbound.problem if inbound else "") or "none",
        "credit_stop": records.credit_stop,
        "has_prior_thread": inbound is not None and inbound.medium == "email",
        "relationships": contact_facts.build_relationships(records),
    }


def _email_facts(company: Company) -> dict[str, Any]:
    """Return the standing of our email: postal address, authentication, unsubscribing."""
    return {
        "postal_address": company.postal_address or None,
        "is_authenticated": company.mail_is_authenticated,
        "unsubscribe_days": UNSUBSCRIBE_DAYS,
        "unsubscribe_needs": None,
        "spam_percent": None,
    }


def _message_facts(outgoing: OutgoingContact, lead: Lead, records: LeadRecords) -> dict[str, Any]:
    draft = wording_check.Draft(
        body=outgoing.text,
        subject=outgoing.subject,
        channel=wording_check.CHANNEL_BY_MEDIUM.get(outgoing.medium, ""),
        facts=frozenset(outgoing.content_facts),
    )
    return {
        "medium": outgoing.medium,
        "purpose": outgoing.purpose,
        "is_automated": outgoing.is_automated,
        "voice": Voice.HUMAN if outgoing.medium is Medium.CALL else Voice.NONE,
        "has_promo": outgoing.purpose is Purpose.MARKETING
        or wording_check.is_promotional(wording_check.find_wording_issues(draft)),
        "is_first_message": outgoing.medium is Medium.TEXT and not records.was_texted,
        "subject": outgoing.subject,
        "text": outgoing.text,
        "activity": _activity(outgoing, lead, draft),
        "content_facts": outgoing.content_facts,
        "wording_until": outgoing.approved_until,
        "is_owners": outgoing.is_owners,
        "confirmation": _confirmation(outgoing.confirms),
        "actor": "bot"
        if outgoing.is_automated
        else "officer"
        if outgoing.is_officers_own
        else "staff",  # on the officer's behalf
        "guard_minutes": GUARD_MINUTES.get(outgoing.medium.value, 0),
        "has_one_click": outgoing.medium is Medium.EMAIL,  # all our email carries it
    }


def _activity(outgoing: OutgoingContact, lead: Lead, draft: wording_check.Draft) -> str:
    """Return what the contact is about, as the gate judges licenses.

    Approved wording is an advertisement to anyone; only typed words can quote a rate. A call about
    a lead without a property state begins with the question for it.
    """
    if outgoing.is_automated:
        return "general"
    if outgoing.medium is Medium.CALL and not lead.property_state:
        return license_checks.ASK_STATE
    return "quote_rate" if wording_check.is_about_terms(draft) else "general"


def _confirmation(stop: RevocationRow | None) -> StopConfirmation | None:
    if stop is None:
        return None
    live_stops = RevocationRow.objects.filter(address=stop.address, kind="stop", ended_at=None)
    other_ids = live_stops.exclude(pk=stop.pk).values_list("pk", flat=True)
    earlier = Message.objects.filter(
        idempotency_key__in=[f"stop:{pk}" for pk in other_ids],
        state__in=["claimed", "sent", "delivered", "uncertain"],
    )
    return StopConfirmation(stop_at=stop.at, earlier=earlier.count())


def _address_facts(
    outgoing: OutgoingContact, lead: Lead, records: LeadRecords, at: datetime
) -> dict[str, Any]:
    """Return the address, our attempts to reach it, its permissions and its list entries."""
    key = address_key(outgoing.to)
    revocations = records.revocations(key)
    permissions = _permission_facts(revocations, records.consents(key), key)
    # The borrower last inquired, spoke or wrote on this day: the number was theirs then.
    inquired_on = [touch.asked_on for touch in records.touches] or [lead.last_inquiry_at.date()]
    confirmed_dates = filter(None, [*inquired_on, records.confirmed_on(key)])
    confirmed_on = max(confirmed_dates, default=None)
    since = reassigned_number_check.query_date(
        permissions["consents"], spoken_on=confirmed_on, today=at.date()
    )
    kind = next((phone.kind for phone in lead.person.phones.all() if phone.e164 == key), "unknown")
    return {
        "recipient": outgoing.to if outgoing.medium is Medium.EMAIL else key,
        "line_type": {"mobile": "mobile", "home": "landline"}.get(kind, "unknown"),
        "contacts": tuple(
            PriorContact(
                at=contact.at,
                medium=CONTACT_MEDIA.get(contact.medium),
                is_automated=contact.is_automated,
            )
            for contact in records.outbound_attempts(excluding=outgoing.idempotency_key)
        ),
        "last_confirmed_on": confirmed_on,
        "number_check": _number_check(records, key, since),
        **permissions,
        **_list_facts(records.listings(key), _internal_dnc_date(revocations, outgoing.medium), at),
    }


def _number_check(records: LeadRecords, key: str, since: date | None) -> NumberCheck | None:
    """Return the newest answer that covers the days since the number was last known theirs."""
    for check in records.number_answers(key):
        if reassigned_number_check.does_answer_cover(
            since, query_day=check.since, response=check.response
        ):
            return NumberCheck(
                response=check.response, checked_on=check.answered_on, since=check.since
            )
    return None


def _permission_facts(
    revocations: list[StoredRevocation], consents: list[StoredConsent], key: str
) -> dict[str, Any]:
    """Return their consents, their revocations, and the permissions they gave again."""
    live = [revocation for revocation in revocations if revocation.ended_at is None]
    return {
        "consents": tuple(
            build_consent_record.consent_fact(consent.record) for consent in consents
        ),
        "revocations": tuple(
            Revocation(
                at=revocation.at,
                media=tuple(CONTACT_MEDIA[m] for m in revocation.media if m in CONTACT_MEDIA),
                about=Purpose(revocation.reply_to_purpose) if revocation.reply_to_purpose else None,
                by_text=revocation.origin.startswith(("message:", "carrier:")),
            )
            for revocation in revocations
            if revocation.kind in ("stop", "unsubscribe")
        ),
        "restarts": tuple(
            Restart(
                at=revocation.ended_at,
                has_prior_written_consent=_had_written_consent(consents, revocation.at),
            )
            for revocation in revocations
            if revocation.ended_at and revocation.ended_by.startswith("start:")
        ),
        "is_held": any(revocation.kind == "review" for revocation in live),
        "is_wrong_person": any(
            revocation.kind == "wrong_person" and revocation.address == key for revocation in live
        ),
    }


def _had_written_consent(consents: list[StoredConsent], before: datetime) -> bool:
    return any(
        consent.record.get("type") == "written"
        for consent in consents
        if consent.recorded_at <= before
    )


def _internal_dnc_date(revocations: list[StoredRevocation], medium: Medium) -> date | None:
    for revocation in revocations:
        is_live_dnc = (
            revocation.kind in ("do_not_contact", "vendor") and revocation.ended_at is None
        )
        if is_live_dnc and any(CONTACT_MEDIA.get(name) is medium for name in revocation.media):
            return revocation.at.date()
    return None


def _list_facts(
    listings: list[DncListing], internal_on: date | None, at: datetime
) -> dict[str, Any]:
    """Return the do-not-call entries; an area code whose list we don't hold has none.

    The gate treats a number without any entry as listed (DNC-01). A known litigator is on
    our internal list as of today, so that no older consent overrides it.
    """
    newest = do_not_call_check.newest_copies(listings)
    national = newest.get(load_list.NATIONAL)
    listed_on = {listing.registry: listing.dated for listing in listings if listing.is_listed}
    internal_dates = [
        internal_on,
        listed_on.get(load_list.INTERNAL),
        at.date() if load_list.LITIGATOR in listed_on else None,
    ]
    return {
        "registry_date": national.dated if national else None,
        "is_on_registry": national is not None and national.is_listed,
        "state_lists": tuple(
            StateList(
                state=listing.registry, version_date=listing.dated, is_listed=listing.is_listed
            )
            for listing in newest.values()
            if listing.registry in STATES_WITH_OWN_DNC_LIST
        ),
        "internal_dnc_on": max((day for day in internal_dates if day), default=None),
    }
