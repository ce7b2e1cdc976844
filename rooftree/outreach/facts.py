"""Gathering every fact the gate wants about one message to one borrower.

Production facts are total: what is not known here stays UNKNOWN and stops the
send. Only rows that were committed before `at` count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rooftree.compliance import (
    consent_record,
    law,
    lint,
    listed,
    load_dnc,
    places,
    quiet_hours,
    reassigned,
)
from rooftree.compliance.facts import (
    Answer,
    Confirmation,
    Contact,
    Emergency,
    Facts,
    Medium,
    NumberCheck,
    Place,
    Purpose,
    Relationship,
    Restart,
    Revocation,
    StateList,
    Voice,
)
from rooftree.compliance.models import Revocation as RevocationRow
from rooftree.compliance.rulebook import GUARD_MINUTES, SEPARATE_LISTS, VERSION
from rooftree.core.emails import comparison_key
from rooftree.leads.models import Lead, Person
from rooftree.org.models import Company, LoanOfficer
from rooftree.outreach import our_facts, provenance
from rooftree.outreach.known import Known
from rooftree.outreach.known_rows import Heard, Listing, Permission, Stop
from rooftree.outreach.models import Message

UNSUBSCRIBE_DAYS = 3650  # the link is signed and does not expire; stated as ten years
CONTACT_MEDIA = {
    "text": Medium.TEXT,
    "call": Medium.CALL,
    "voicemail": Medium.VOICEMAIL,
    "email": Medium.EMAIL,
}
# Where whoever asks asks us and nobody else: our form, our numbers, our own site's chat.
ASKED_US = frozenset(
    {"website_form", "phone_twilio", "phone_callrail"}
    | {"chat_intercom", "chat_drift", "chat_generic"}
)
DEALINGS = {"application": "application", "funded": "transaction"}
BUYING = frozenset({"purchase", "construction"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message or call as it would go out."""

    medium: Medium
    purpose: Purpose
    is_automated: bool
    to: str  # E.164 or e-mail address
    text: str  # as rendered; empty for a call
    subject: str = ""
    officer: LoanOfficer | None = None  # None: in the company's name
    cause: str = ""  # its own attempt is not counted against it
    confirms: RevocationRow | None = None
    answers: tuple[Answer, ...] = ()  # what a person decided about this very message
    is_owners: bool = True  # in nobody's name, or in that of the officer whose lead it is
    is_officers_own: bool = True  # where a person wrote it: the officer in whose name it goes
    content_facts: tuple[str, ...] = ()  # what the system proves of the wording
    wording_until: datetime | None = None  # the end of its approval; None: a person's own words


def gather(
    outgoing: Outgoing, *, lead: Lead, company: Company, at: datetime, known: Known | None = None
) -> Facts:
    """All that is known about this message at this moment, ready for the gate.

    Args:
        known: the rows of this lead at `at`, when they are read already.
    """
    known = known or Known(lead, keys=[address_key(outgoing.to)], at=at)
    return gather_all([outgoing], lead=lead, company=company, at=at, known=known)[0]


def gather_all(
    messages: Sequence[Outgoing], *, lead: Lead, company: Company, at: datetime, known: Known
) -> list[Facts]:
    """The same about several messages to one borrower; what they share is gathered once."""
    today = local_day(lead, company, at)
    shared = {
        "at": at.astimezone(UTC),  # a day back is 24 hours, also where the clocks went back
        "rules_version": VERSION,
        "has_audit_row": True,
        **_lead_facts(lead, known),
        **our_facts.of_company(company, known, lead.property_state, today),
        **_standing_facts(company, known),
    }
    officers = {
        one: our_facts.of_officer(one, company, today) for one in {one.officer for one in messages}
    }
    return [
        Facts(
            **shared,
            **_message_facts(one, known),
            **_request_facts(one, known),
            **_address_facts(one, lead, known, at),
            provenance=provenance.of(one.text, lead, company, known),
            officer=officers[one.officer],
        )
        for one in messages
    ]


def _lead_facts(lead: Lead, known: Known) -> dict[str, Any]:
    """Where they may be, and what passed between us."""
    inbound = known.newest_inbound
    where = whereabouts(lead)
    states = {one.state for one in where}
    return {
        "places": where,
        "amendments": law.concerning(known.rule_changes, states, known.at),
        "property_state": lead.property_state or None,
        "inquired_at": lead.warmed_at,
        "inbound_at": inbound.created_at if inbound else None,
        "inbound_meaning": _meaning(inbound),
        "credit_stop": known.credit_stop,
        "has_prior_thread": inbound is not None and inbound.medium == "email",
    }


def _address_facts(outgoing: Outgoing, lead: Lead, known: Known, at: datetime) -> dict[str, Any]:
    """Whom it reaches, how often we tried, and what they and the lists say of that address."""
    key = address_key(outgoing.to)
    revocations = known.revocations(key)
    permitted = _permission_facts(revocations, known.consents(key), key)
    spoken_on = _last_confirmed(lead, known, key)
    since = reassigned.query_date(permitted["consents"], spoken_on=spoken_on, today=at.date())
    return {
        "recipient": outgoing.to if outgoing.medium is Medium.EMAIL else key,
        "line_type": _line_type(lead.person, key),
        "contacts": tuple(
            Contact(at=one.at, medium=CONTACT_MEDIA.get(one.medium))
            for one in known.contacts(but=outgoing.cause)
        ),
        "last_confirmed_on": spoken_on,
        "number_check": _number_check(known, key, since),
        **permitted,
        **_list_facts(known.listings(key), _internal_dnc(revocations, outgoing.medium), at),
    }


def _last_confirmed(lead: Lead, known: Known, key: str) -> date | None:
    """When they last asked, spoke or wrote: the number was theirs then."""
    asked = [one.asked_on for one in known.touches] or [lead.warmed_at.date()]
    return max((one for one in [*asked, known.confirmed_on(key)] if one), default=None)


def _number_check(known: Known, key: str, since: date | None) -> NumberCheck | None:
    """The newest answer that says something about the days since they were last known there."""
    for one in known.checks(key):
        if reassigned.speaks_for(since, asked=one.since, response=one.response):
            return NumberCheck(response=one.response, checked_on=one.answered_on, since=one.since)
    return None


def _permission_facts(
    revocations: list[Stop], consents: list[Permission], key: str
) -> dict[str, Any]:
    """What they allowed, what they took back, and what they gave again."""
    live = [one for one in revocations if one.ended_at is None]
    return {
        "consents": tuple(consent_record.as_facts(one.record) for one in consents),
        "revocations": tuple(
            Revocation(
                at=one.at,
                media=tuple(CONTACT_MEDIA[m] for m in one.media if m in CONTACT_MEDIA),
                about=Purpose(one.reply_to_purpose) if one.reply_to_purpose else None,
                by_text=one.origin.startswith(("message:", "carrier:")),
            )
            for one in revocations
            if one.kind in ("stop", "unsubscribe")
        ),
        "restarts": tuple(
            Restart(at=one.ended_at, has_prior_written_consent=_had_written(consents, one.at))
            for one in revocations
            if one.ended_at and one.ended_by.startswith("start:")
        ),
        "is_held": any(one.kind == "review" for one in live),
        "is_wrong_person": any(one.kind == "wrong_person" and one.address == key for one in live),
    }


def _standing_facts(company: Company, known: Known) -> dict[str, Any]:
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


def _list_facts(listings: list[Listing], internal_on: date | None, at: datetime) -> dict[str, Any]:
    """What the do-not-contact lists say; of an area code that we do not hold, nothing.

    The gate treats a number of which nothing is known as listed (DNC-01). A
    litigator is on our own list as of today, so that no older consent answers it.
    """
    counting = listed.newest(listings)
    national = counting.get(load_dnc.NATIONAL)
    own = {one.registry: one.dated for one in listings if one.is_listed}
    since = [
        internal_on,
        own.get(load_dnc.INTERNAL),
        at.date() if load_dnc.LITIGATOR in own else None,
    ]
    return {
        "registry_date": national.dated if national else None,
        "is_on_registry": national is not None and national.is_listed,
        "state_lists": tuple(
            StateList(state=one.registry, version_date=one.dated, is_listed=one.is_listed)
            for one in counting.values()
            if one.registry in SEPARATE_LISTS
        ),
        "internal_dnc_on": max((one for one in since if one), default=None),
    }


def address_key(address: str) -> str:
    """The form consents and revocations are filed under: E.164, or the e-mail's key."""
    return comparison_key(address) if "@" in address else address


def whereabouts(lead: Lead) -> tuple[Place, ...]:
    """Every place the person may be: their numbers, their home, the property."""
    person = lead.person
    home = places.of_address("residence", person.state, person.zip)
    is_rented_out = lead.property_use == "investment" and lead.purpose not in BUYING
    is_home = False if is_rented_out else None  # a buyer may be there already, or nearby
    there = places.of_address("property", lead.property_state, lead.property_zip, is_home=is_home)
    numbers = [one.e164 for one in person.phones.all() if one.unlinked_at is None]
    by_number = tuple(place for number in numbers for place in places.of_number(number))
    return places.narrowed(by_number + home + there)


def _message_facts(outgoing: Outgoing, known: Known) -> dict[str, Any]:
    is_call, draft = outgoing.medium is Medium.CALL, _draft(outgoing)
    return {
        "medium": outgoing.medium,
        "purpose": outgoing.purpose,
        "is_automated": outgoing.is_automated,
        "voice": Voice.HUMAN if is_call else Voice.NONE,
        "has_promo": outgoing.purpose is Purpose.MARKETING or lint.promotes(lint.check(draft)),
        "is_first_message": outgoing.medium is Medium.TEXT and not known.was_texted,
        "subject": outgoing.subject,
        "text": outgoing.text,
        "activity": _activity(outgoing, draft),
        "content_facts": outgoing.content_facts,
        "wording_until": outgoing.wording_until,
        "is_owners": outgoing.is_owners,
        "confirmation": _confirmation(outgoing.confirms),
        "actor": _actor(outgoing),
        "guard_minutes": GUARD_MINUTES.get(outgoing.medium.value, 0),
        "has_one_click": outgoing.medium is Medium.EMAIL,  # every e-mail of ours carries it
    }


def _request_facts(outgoing: Outgoing, known: Known) -> dict[str, Any]:
    """That they asked for this call, at which time, and what a supervisor said of the hour.

    Who asks to be called is called, not written to (CON-04).
    """
    agreed = known.agreed if outgoing.medium is Medium.CALL else None
    if agreed is None:
        return {"invited_at": None, "requested_at": None, "answers": outgoing.answers}
    approved: tuple[Answer, ...] = ()
    if agreed.approved_at:
        approved = (
            Answer(
                rule=quiet_hours.REQ_01.id,
                reason=quiet_hours.STATE_SILENT,
                by=f"user:{agreed.approved_by}",
                at=agreed.approved_at,
            ),
        )
    return {
        "invited_at": agreed.asked_at,
        "requested_at": agreed.due_at,
        "answers": outgoing.answers + approved,
    }


def _draft(outgoing: Outgoing) -> lint.Draft:
    return lint.Draft(
        body=outgoing.text,
        subject=outgoing.subject,
        channel=lint.CHANNELS.get(outgoing.medium, ""),
        facts=frozenset(outgoing.content_facts),
    )


def _actor(outgoing: Outgoing) -> str:
    """Who speaks: a program, the officer, or somebody else on the officer's behalf."""
    if outgoing.is_automated:
        return "bot"
    return "officer" if outgoing.is_officers_own else "staff"


def _activity(outgoing: Outgoing, draft: lint.Draft) -> str:
    """What the words do. Standing wording is approved as an advertisement, to whomever it goes."""
    talks = not outgoing.is_automated and lint.talks_terms(draft)
    return "quote_rate" if talks else "general"


def local_day(lead: Lead, company: Company, at: datetime) -> date:
    """The date where the property is (the company's own when that is not known)."""
    there = places.of_address("property", lead.property_state, lead.property_zip)
    zone = there[0].zone if there else company.zone
    return at.astimezone(ZoneInfo(zone)).date()


def _confirmation(stop: RevocationRow | None) -> Confirmation | None:
    if stop is None:
        return None
    same = RevocationRow.objects.filter(address=stop.address, kind="stop", ended_at=None)
    earlier = Message.objects.filter(
        cause__in=[f"stop:{one}" for one in same.exclude(pk=stop.pk).values_list("pk", flat=True)],
        state__in=["claimed", "sent", "delivered", "uncertain"],
    )
    return Confirmation(stop_at=stop.at, earlier=earlier.count())


def _had_written(consents: list[Permission], before: datetime) -> bool:
    return any(one.record.get("type") == "written" for one in consents if one.recorded_at <= before)


def _meaning(inbound: Heard | None) -> str:
    return inbound.problem if inbound and inbound.problem else "none"


def _line_type(person: Person, key: str) -> str:
    kind = next((one.kind for one in person.phones.all() if one.e164 == key), "unknown")
    return {"mobile": "mobile", "home": "landline"}.get(kind, "unknown")


def _relationships(known: Known) -> tuple[Relationship, ...]:
    """The inquiries that name us, applications to us and loans with us (47 CFR 64.1200(f)(5)).

    An aggregator's own inquiries are none, nor one of which nobody knows the day.
    """
    asked = [
        Relationship(
            kind="inquiry",
            on=one.asked_on,
            with_us=one.adapter in ASKED_US or known.names_us(one.source_id, one.asked_on),
        )
        for one in known.touches
        if one.asked_on is not None
    ]
    dealt = [
        Relationship(kind=DEALINGS[one.code], on=one.on, with_us=True) for one in known.dealings
    ]
    return (*asked, *dealt)


def _internal_dnc(revocations: list[Stop], medium: Medium) -> date | None:
    for one in revocations:
        is_ours = one.kind in ("do_not_contact", "vendor") and one.ended_at is None
        if is_ours and any(CONTACT_MEDIA.get(name) is medium for name in one.media):
            return one.at.date()
    return None


def _emergencies(company: Company) -> tuple[Emergency, ...]:
    return tuple(
        Emergency(
            state=one["state"],
            county=one.get("county", "*"),
            from_date=date.fromisoformat(one["from"]),
            until_date=date.fromisoformat(one["until"]) if one.get("until") else None,
        )
        for one in company.emergencies
    )
