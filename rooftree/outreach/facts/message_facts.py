"""Gathering every fact the gate wants about one message to one borrower.

Production facts are total: what is not known here stays UNKNOWN and stops the
send. Only rows that were committed before `at` count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rooftree.compliance.consent import build_consent_record
from rooftree.compliance.do_not_call import load_list, number_lookup
from rooftree.compliance.gate import (
    effective_rules,
    person_places,
    quiet_hours,
    reassigned_number_check,
)
from rooftree.compliance.gate.facts import (
    Emergency,
    Facts,
    HumanDecision,
    Medium,
    NumberCheck,
    Place,
    PriorContact,
    Purpose,
    Relationship,
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
from rooftree.leads.models import Lead, Person
from rooftree.org.models import Company, LoanOfficer
from rooftree.outreach.facts import company_facts, lead_provenance
from rooftree.outreach.facts.lead_record_rows import (
    DncListing,
    LastInbound,
    StoredConsent,
    StoredRevocation,
)
from rooftree.outreach.facts.lead_records import LeadRecords
from rooftree.outreach.models import Message

UNSUBSCRIBE_DAYS = 3650  # the link is signed and does not expire; stated as ten years
CONTACT_MEDIA = {
    "text": Medium.TEXT,
    "call": Medium.CALL,
    "voicemail": Medium.VOICEMAIL,
    "email": Medium.EMAIL,
}
# Where whoever asks asks us and nobody else: our form, our numbers, our own site's chat.
DIRECT_ADAPTERS = frozenset(
    {"website_form", "phone_twilio", "phone_callrail"}
    | {"chat_intercom", "chat_drift", "chat_generic"}
)
RELATIONSHIP_KINDS = {"application": "application", "funded": "transaction"}
BUYER_PURPOSES = frozenset({"purchase", "construction"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingContact:
    """One message or call as it would go out."""

    medium: Medium
    purpose: Purpose
    is_automated: bool
    to: str  # E.164 or e-mail address
    text: str  # as rendered; empty for a call
    subject: str = ""
    officer: LoanOfficer | None = None  # None: in the company's name
    idempotency_key: str = ""  # its own attempt is not counted against it
    confirms: RevocationRow | None = None
    answers: tuple[HumanDecision, ...] = ()  # what a person decided about this very message
    is_owners: bool = True  # in nobody's name, or in that of the officer whose lead it is
    is_officers_own: bool = True  # where a person wrote it: the officer in whose name it goes
    content_facts: tuple[str, ...] = ()  # what the system proves of the wording
    approved_until: datetime | None = None  # the end of its approval; None: a person's own words


def gather_facts(
    outgoing: OutgoingContact,
    *,
    lead: Lead,
    company: Company,
    at: datetime,
    known: LeadRecords | None = None,
) -> Facts:
    """All that is known about this message at this moment, ready for the gate.

    Args:
        known: the rows of this lead at `at`, when they are read already.
    """
    known = known or LeadRecords(lead, keys=[address_key(outgoing.to)], at=at)
    return gather_facts_of_many([outgoing], lead=lead, company=company, at=at, known=known)[0]


def gather_facts_of_many(
    messages: Sequence[OutgoingContact],
    *,
    lead: Lead,
    company: Company,
    at: datetime,
    known: LeadRecords,
) -> list[Facts]:
    """The same about several messages to one borrower; what they share is gathered once."""
    today = property_local_date(lead, company, at)
    shared = {
        "at": at.astimezone(UTC),  # a day back is 24 hours, also where the clocks went back
        "rules_version": RULES_VERSION,
        "has_audit_row": True,
        **_lead_facts(lead, known),
        **company_facts.build_company_facts(company, known, lead.property_state, today),
        **_declared_facts(company, known),
    }
    officers = {
        one: company_facts.build_officer_facts(one, company, today)
        for one in {message.officer for message in messages}
    }
    return [
        Facts(
            **shared,
            **_message_facts(message, known),
            **_request_facts(message, known),
            **_address_facts(message, lead, known, at),
            provenance=lead_provenance.build_provenance(message.text, lead, company, known),
            officer=officers[message.officer],
        )
        for message in messages
    ]


def _lead_facts(lead: Lead, known: LeadRecords) -> dict[str, Any]:
    """Where they may be, and what passed between us."""
    inbound = known.newest_inbound
    where = possible_places(lead)
    states = {place.state for place in where}
    return {
        "places": where,
        "amendments": effective_rules.relevant_changes(known.rule_changes, states, known.at),
        "property_state": lead.property_state or None,
        "inquired_at": lead.warmed_at,
        "inbound_at": inbound.created_at if inbound else None,
        "inbound_meaning": _inbound_meaning(inbound),
        "credit_stop": known.credit_stop,
        "has_prior_thread": inbound is not None and inbound.medium == "email",
    }


def _address_facts(
    outgoing: OutgoingContact, lead: Lead, known: LeadRecords, at: datetime
) -> dict[str, Any]:
    """Whom it reaches, how often we tried, and what they and the lists say of that address."""
    key = address_key(outgoing.to)
    revocations = known.revocations(key)
    permitted = _permission_facts(revocations, known.consents(key), key)
    spoken_on = _last_confirmed_date(lead, known, key)
    since = reassigned_number_check.query_date(
        permitted["consents"], spoken_on=spoken_on, today=at.date()
    )
    return {
        "recipient": outgoing.to if outgoing.medium is Medium.EMAIL else key,
        "line_type": _line_type(lead.person, key),
        "contacts": tuple(
            PriorContact(at=contact.at, medium=CONTACT_MEDIA.get(contact.medium))
            for contact in known.outbound_attempts(but=outgoing.idempotency_key)
        ),
        "last_confirmed_on": spoken_on,
        "number_check": _number_check(known, key, since),
        **permitted,
        **_list_facts(known.listings(key), _internal_dnc_date(revocations, outgoing.medium), at),
    }


def _last_confirmed_date(lead: Lead, known: LeadRecords, key: str) -> date | None:
    """When they last asked, spoke or wrote: the number was theirs then."""
    asked = [touch.asked_on for touch in known.touches] or [lead.warmed_at.date()]
    return max((one for one in [*asked, known.confirmed_on(key)] if one), default=None)


def _number_check(known: LeadRecords, key: str, since: date | None) -> NumberCheck | None:
    """The newest answer that says something about the days since they were last known there."""
    for check in known.number_answers(key):
        if reassigned_number_check.does_answer_cover(
            since, asked=check.since, response=check.response
        ):
            return NumberCheck(
                response=check.response, checked_on=check.answered_on, since=check.since
            )
    return None


def _permission_facts(
    revocations: list[StoredRevocation], consents: list[StoredConsent], key: str
) -> dict[str, Any]:
    """What they allowed, what they took back, and what they gave again."""
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
        "is_held": any(one.kind == "review" for one in live),
        "is_wrong_person": any(one.kind == "wrong_person" and one.address == key for one in live),
    }


def _declared_facts(company: Company, known: LeadRecords) -> dict[str, Any]:
    """What is declared, and how our e-mail stands."""
    return {
        "relationships": _relationships(known),
        "emergencies": _emergencies(company),
        "emergencies_read_at": company.emergencies_checked_at,
        "postal_address": company.postal_address or None,
        "is_authenticated": company.mail_is_authenticated,
        "unsubscribe_days": UNSUBSCRIBE_DAYS,
        "unsubscribe_needs": None,
        "spam_percent": None,
    }


def _list_facts(
    listings: list[DncListing], internal_on: date | None, at: datetime
) -> dict[str, Any]:
    """What the do-not-contact lists say; of an area code that we do not hold, nothing.

    The gate treats a number of which nothing is known as listed (DNC-01). A
    litigator is on our own list as of today, so that no older consent answers it.
    """
    counting = number_lookup.newest_copies(listings)
    national = counting.get(load_list.NATIONAL)
    own = {listing.registry: listing.dated for listing in listings if listing.is_listed}
    since = [
        internal_on,
        own.get(load_list.INTERNAL),
        at.date() if load_list.LITIGATOR in own else None,
    ]
    return {
        "registry_date": national.dated if national else None,
        "is_on_registry": national is not None and national.is_listed,
        "state_lists": tuple(
            StateList(state=one.registry, version_date=one.dated, is_listed=one.is_listed)
            for one in counting.values()
            if one.registry in STATES_WITH_OWN_DNC_LIST
        ),
        "internal_dnc_on": max((one for one in since if one), default=None),
    }


def address_key(address: str) -> str:
    """The form consents and revocations are filed under: E.164, or the e-mail's key."""
    return comparison_key(address) if "@" in address else address


def possible_places(lead: Lead) -> tuple[Place, ...]:
    """Every place the person may be: their numbers, their home, the property."""
    person = lead.person
    home = person_places.address_places("residence", person.state, person.zip)
    is_rented_out = lead.property_use == "investment" and lead.purpose not in BUYER_PURPOSES
    is_home = False if is_rented_out else None  # a buyer may be there already, or nearby
    there = person_places.address_places(
        "property", lead.property_state, lead.property_zip, is_home=is_home
    )
    numbers = [phone.e164 for phone in person.phones.all() if phone.unlinked_at is None]
    by_number = tuple(
        place for number in numbers for place in person_places.area_code_places(number)
    )
    return person_places.narrow_area_codes(by_number + home + there)


def _message_facts(outgoing: OutgoingContact, known: LeadRecords) -> dict[str, Any]:
    is_call, draft = outgoing.medium is Medium.CALL, _build_lint_draft(outgoing)
    return {
        "medium": outgoing.medium,
        "purpose": outgoing.purpose,
        "is_automated": outgoing.is_automated,
        "voice": Voice.HUMAN if is_call else Voice.NONE,
        "has_promo": outgoing.purpose is Purpose.MARKETING
        or wording_check.is_promotional(wording_check.find_wording_issues(draft)),
        "is_first_message": outgoing.medium is Medium.TEXT and not known.was_texted,
        "subject": outgoing.subject,
        "text": outgoing.text,
        "activity": _activity(outgoing, draft),
        "content_facts": outgoing.content_facts,
        "wording_until": outgoing.approved_until,
        "is_owners": outgoing.is_owners,
        "confirmation": _confirmation(outgoing.confirms),
        "actor": _actor(outgoing),
        "guard_minutes": GUARD_MINUTES.get(outgoing.medium.value, 0),
        "has_one_click": outgoing.medium is Medium.EMAIL,  # every e-mail of ours carries it
    }


def _request_facts(outgoing: OutgoingContact, known: LeadRecords) -> dict[str, Any]:
    """That they asked for this call, at which time, and what a supervisor said of the hour.

    Who asks to be called is called, not written to (CON-04).
    """
    agreed = known.agreed_callback if outgoing.medium is Medium.CALL else None
    if agreed is None:
        return {"invited_at": None, "requested_at": None, "answers": outgoing.answers}
    approved: tuple[HumanDecision, ...] = ()
    if agreed.approved_at:
        approved = (
            HumanDecision(
                rule=quiet_hours.REQ_01.id,
                reason=quiet_hours.STATE_LAW_SILENT,
                by=f"user:{agreed.approved_by}",
                at=agreed.approved_at,
            ),
        )
    return {
        "invited_at": agreed.asked_at,
        "requested_at": agreed.due_at,
        "answers": outgoing.answers + approved,
    }


def _build_lint_draft(outgoing: OutgoingContact) -> wording_check.Draft:
    return wording_check.Draft(
        body=outgoing.text,
        subject=outgoing.subject,
        channel=wording_check.CHANNEL_BY_MEDIUM.get(outgoing.medium, ""),
        facts=frozenset(outgoing.content_facts),
    )


def _actor(outgoing: OutgoingContact) -> str:
    """Who speaks: a program, the officer, or somebody else on the officer's behalf."""
    if outgoing.is_automated:
        return "bot"
    return "officer" if outgoing.is_officers_own else "staff"


def _activity(outgoing: OutgoingContact, draft: wording_check.Draft) -> str:
    """What the words do. Standing wording is approved as an advertisement, to whomever it goes."""
    talks = not outgoing.is_automated and wording_check.is_about_terms(draft)
    return "quote_rate" if talks else "general"


def property_local_date(lead: Lead, company: Company, at: datetime) -> date:
    """The date where the property is (the company's own when that is not known)."""
    there = person_places.address_places("property", lead.property_state, lead.property_zip)
    zone = there[0].zone if there else company.zone
    return at.astimezone(ZoneInfo(zone)).date()


def _confirmation(stop: RevocationRow | None) -> StopConfirmation | None:
    if stop is None:
        return None
    same = RevocationRow.objects.filter(address=stop.address, kind="stop", ended_at=None)
    earlier = Message.objects.filter(
        cause__in=[f"stop:{one}" for one in same.exclude(pk=stop.pk).values_list("pk", flat=True)],
        state__in=["claimed", "sent", "delivered", "uncertain"],
    )
    return StopConfirmation(stop_at=stop.at, earlier=earlier.count())


def _had_written_consent(consents: list[StoredConsent], before: datetime) -> bool:
    return any(
        consent.record.get("type") == "written"
        for consent in consents
        if consent.recorded_at <= before
    )


def _inbound_meaning(inbound: LastInbound | None) -> str:
    return inbound.problem if inbound and inbound.problem else "none"


def _line_type(person: Person, key: str) -> str:
    kind = next((phone.kind for phone in person.phones.all() if phone.e164 == key), "unknown")
    return {"mobile": "mobile", "home": "landline"}.get(kind, "unknown")


def _relationships(known: LeadRecords) -> tuple[Relationship, ...]:
    """The inquiries that name us, applications to us and loans with us (47 CFR 64.1200(f)(5)).

    An aggregator's own inquiries are none, nor one of which nobody knows the day.
    """
    asked = [
        Relationship(
            kind="inquiry",
            on=touch.asked_on,
            with_us=touch.adapter in DIRECT_ADAPTERS
            or known.form_names_us(touch.source_id, touch.asked_on),
        )
        for touch in known.touches
        if touch.asked_on is not None
    ]
    dealt = [
        Relationship(
            kind=RELATIONSHIP_KINDS[loan_milestone.code], on=loan_milestone.on, with_us=True
        )
        for loan_milestone in known.loan_milestones
    ]
    return (*asked, *dealt)


def _internal_dnc_date(revocations: list[StoredRevocation], medium: Medium) -> date | None:
    for revocation in revocations:
        is_ours = revocation.kind in ("do_not_contact", "vendor") and revocation.ended_at is None
        if is_ours and any(CONTACT_MEDIA.get(name) is medium for name in revocation.media):
            return revocation.at.date()
    return None


def _emergencies(company: Company) -> tuple[Emergency, ...]:
    return tuple(
        Emergency(
            state=emergency["state"],
            county=emergency.get("county", "*"),
            from_date=date.fromisoformat(emergency["from"]),
            until_date=date.fromisoformat(emergency["until"]) if emergency.get("until") else None,
        )
        for emergency in company.emergencies
    )
