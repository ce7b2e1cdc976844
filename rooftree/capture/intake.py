"""From canonical leads to rows: the person, the lead, the touch, the consent, the cost.

One transaction for many, opened by the caller, who starts the clocks in it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rooftree.capture import co_borrower, contacts, credit_data, form_evidence, match, on_file
from rooftree.capture.places import address_key
from rooftree.compliance import record_consent
from rooftree.compliance.record_consent import Arrived
from rooftree.compliance.verdict import Ruling
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Campaign, Delivery, Email, Lead, Person, Phone, Touch
from rooftree.ledger.models import Event
from rooftree.ledger.write import event, write_all
from rooftree.money import book
from rooftree.money.models import Entry
from rooftree.org.compiled import Reads
from rooftree.org.insert import insert_each

SAME_INTEREST = timedelta(days=180)  # house: an older open inquiry is another interest
PURCHASE = frozenset({"purchase", "construction"})
IN_PARTS = frozenset({"borrower", "property", "loan", "credit", "income"})
OPEN = ("new", "working", "nurture", "application")
STORED = Reads(
    lambda deliveries: Touch.objects.select_related("lead").filter(delivery__in=deliveries),
    deliveries=list[UUID],
)
LOCKED = Reads(
    lambda keys: (
        Lead.objects.select_for_update(of=("self",), no_key=True)
        .select_related("person")
        .filter(pk__in=keys)
        .order_by("pk")
    ),
    keys=list[UUID],
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One inquiry of a delivery, and its position there."""

    inquiry: CanonicalLead
    delivery: Delivery
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What one inquiry became."""

    touch: Touch
    lead: Lead
    is_new: bool  # stored now, not a repetition of the same work
    cost: Entry | None = None


@dataclass(slots=True, kw_only=True)
class _Coming:
    """An inquiry on its way to its rows."""

    arrival: Arrival
    identity: match.Identity
    names: frozenset[str]  # what another could say too: numbers, addresses, a vendor's id
    person: Person | None = None  # None: nobody we know
    lead: Lead | None = None
    campaign: Campaign | None = None
    evidence: str = ""
    is_first: bool = False  # the inquiry that the lead began with
    refused: Ruling | None = None  # the rule by which its credit data were not kept

    @property
    def is_test(self) -> bool:
        return self.arrival.inquiry.is_test or self.arrival.delivery.source.is_test

    @property
    def every_name(self) -> set[str]:
        return {*self.names, *co_borrower.names_of(self.arrival.inquiry)}

    def stated_at(self, at: datetime) -> datetime:
        return min(at, self.arrival.delivery.received_at)

    @property
    def shared(self) -> set[object]:
        """What it could have in common with another: its names, and whom they are known to be."""
        return {*self.names, self.person.pk} if self.person else {*self.names}


def store(arrivals: Sequence[Arrival], *, at: datetime) -> list[Stored]:
    """Write inquiries down, each on the lead it belongs to; what each became, in their order.

    Safe to repeat: the touch of a delivery and position is written once. Must
    run in a transaction: it takes an advisory lock per number, address and
    vendor id, so that two arrivals of one person in the same instant meet.
    """
    known = {
        (one.delivery_id, one.position): Stored(touch=one, lead=one.lead, is_new=False)
        for one in STORED.all(deliveries=[one.delivery.pk for one in arrivals])
    }
    coming = [_coming(one, at) for one in arrivals if (one.delivery.pk, one.position) not in known]
    on_file.hold({name for one in coming for name in one.every_name})
    while coming:
        _match_all(coming, at)
        together, coming = _strangers(coming)
        for one in _stored(together, at):
            known[one.touch.delivery_id, one.touch.position] = one
    return [known[one.delivery.pk, one.position] for one in arrivals]


def _coming(came: Arrival, at: datetime) -> _Coming:
    inquiry, refused = credit_data.judged(came.inquiry, came.delivery.source, at.date())
    arrival = replace(came, inquiry=inquiry)
    identity, vendor_id = match.identity_of(arrival.inquiry), _vendor_id(arrival.inquiry)
    names = {*on_file.names_of(identity)}
    if vendor_id:
        names.add(on_file.vendor_name(arrival.delivery.source.adapter, vendor_id))
    return _Coming(arrival=arrival, identity=identity, names=frozenset(names), refused=refused)


def _strangers(coming: Sequence[_Coming]) -> tuple[list[_Coming], list[_Coming]]:
    """Those that have nothing in common with one before them, and the rest for later."""
    seen: set[object] = set()
    now: list[_Coming] = []
    later: list[_Coming] = []
    for one in coming:
        (later if seen & one.shared else now).append(one)
        seen |= one.shared
    return now, later


def _stored(coming: Sequence[_Coming], at: datetime) -> list[Stored]:
    """Write down inquiries of which no two can be the same person's."""
    _hold_leads(coming)
    contacts_of = _know_people(coming, at)
    leads = _know_leads(coming, at)
    touches = [_touch(one, at) for one in coming]
    told = [_told(one, at) for one in touches]
    told += [credit_data.not_kept(one.lead, one.refused, at) for one in coming if one.refused]
    insert_each(*contacts_of, leads, touches, told)
    for one in coming:
        if one.lead:
            co_borrower.remember(one.lead, one.arrival.inquiry, at=one.stated_at(at))
    said = [one.arrival.inquiry for one in coming]
    arrived = [Arrived(inquiry=a, touch=b) for a, b in zip(said, touches, strict=True)]
    record_consent.of_touches(arrived, at=at)
    costs = book.costs_of_touches([(one.inquiry.cost, one.touch) for one in arrived], at=at)
    write_all(form_evidence.certify(touches, at=at))
    return [
        Stored(touch=one, lead=one.lead, is_new=True, cost=costs.get(one.pk)) for one in touches
    ]


def _match_all(coming: Sequence[_Coming], at: datetime) -> None:
    """Find out for each whether it is somebody we know."""
    found = on_file.known({name for one in coming for name in one.names})
    sharing = [{who for name in one.names for who in found.get(name, ()) if who} for one in coming]
    for is_test in {one.is_test for one in coming}:
        mine = [pair for pair in zip(coming, sharing, strict=True) if pair[0].is_test == is_test]
        ids = {who for _, people in mine for who in people}
        people = on_file.candidates(ids, is_test=is_test) if ids else {}
        for one, theirs in mine:
            one.campaign = _campaign(one)
            if one.names & found.keys():
                known_as = [name for who in theirs for name in people.get(who, ())]
                _match(one, known_as, at)


def _hold_leads(coming: Sequence[_Coming]) -> None:
    """The leads found, as they are now: what is added must not undo an edit. One order for all."""
    keys = [one.lead.pk for one in coming if one.lead]
    held = {one.pk: one for one in LOCKED.all(keys=keys)} if keys else {}
    for one in coming:
        if one.lead:
            one.lead = held[one.lead.pk]
            one.person = one.lead.person


def _know_people(
    coming: Sequence[_Coming], at: datetime
) -> tuple[list[Person], list[Phone], list[Email]]:
    """Those we did not know, to be written with their numbers and addresses.

    Of those we know what is new is added, in one order for all.
    """
    strangers = [one for one in coming if one.person is None]
    known = [(one.person, one) for one in coming if one.person]
    for person, one in sorted(known, key=lambda pair: pair[0].pk):
        _remember_contacts(person, one.arrival.inquiry, one.stated_at(at))
    met = []
    for one in strangers:
        one.person = _new_person(one.arrival.inquiry, at)
        met.append((one.person, one.arrival.inquiry, one.stated_at(at)))
    return [who for who, _, _ in met], *contacts.of_strangers(met)


def _know_leads(coming: Sequence[_Coming], at: datetime) -> list[Lead]:
    """The leads that are new, to be written; the others are warmed by what is said now."""
    fresh = [one for one in coming if one.lead is None]
    for one in coming:
        if one.lead:
            _warm(one.lead, one.arrival.inquiry, at)
    for one in fresh:
        one.lead, one.is_first = _new_lead(one, at), True
    return [one.lead for one in fresh if one.lead]


def _match(one: _Coming, candidates: Iterable[match.Candidate], at: datetime) -> None:
    """The person, their open lead on this interest, and by what they were known.

    Tests are kept apart from people: what a test says of consent must never
    let a message to a borrower go.
    """
    inquiry, source = one.arrival.inquiry, one.arrival.delivery.source
    if vendor_id := _vendor_id(inquiry):
        told = on_file.told_by_vendor_id(vendor_id, one.identity, source, is_test=one.is_test)
        if told:
            one.lead, one.evidence = told
            one.person = one.lead.person
            return
    found = match.best_match(one.identity, candidates)
    if found is None:
        return
    one.person, one.evidence = Person.objects.get(pk=found.person_id), found.evidence
    one.lead = _same_interest(one.person, inquiry, at, is_test=one.is_test)


def _vendor_id(inquiry: CanonicalLead) -> str:
    """The vendor's id as the column can hold it."""
    return (inquiry.vendor_lead_id or "")[:255]


def _same_interest(
    person: Person, inquiry: CanonicalLead, at: datetime, *, is_test: bool
) -> Lead | None:
    """The open lead of theirs that this inquiry repeats, the newest first."""
    asked = inquiry.loan.purpose if inquiry.loan else None
    leads = Lead.objects.filter(
        person=person, state__in=OPEN, warmed_at__gte=at - SAME_INTEREST, is_test=is_test
    ).order_by("-created_at")
    for lead in leads:
        if not asked or not lead.purpose or (asked in PURCHASE) == (lead.purpose in PURCHASE):
            return lead
    return None


def _new_person(inquiry: CanonicalLead, at: datetime) -> Person:
    borrower, home = inquiry.borrower, inquiry.mailing_address
    return Person(
        id=uuid7_at(at),
        first_name=(borrower and borrower.first_name) or "",
        middle_name=(borrower and borrower.middle_name) or "",
        last_name=(borrower and borrower.last_name) or "",
        suffix=(borrower and borrower.suffix) or "",
        name_key=match.name_key(
            (borrower and borrower.first_name) or "", (borrower and borrower.last_name) or ""
        ),
        language=(inquiry.preferred_language or "")[:5],
        street=((home and home.line1) or "")[:200],
        city=((home and home.city) or "")[:120],
        state=(home and home.state) or "",
        zip=(home and home.zip) or "",
        home_key=address_key((home and home.line1) or "", (home and home.zip) or ""),
        created_at=at,
    )


def _remember_contacts(person: Person, inquiry: CanonicalLead, at: datetime) -> None:
    """Add the numbers and addresses that are new, and what we did not know of the person."""
    contacts.remember(person, inquiry, at=at)
    if inquiry.preferred_language and inquiry.preferred_language != person.language:
        Person.objects.filter(pk=person.pk).update(language=inquiry.preferred_language[:5])
        person.language = inquiry.preferred_language[:5]


def _loan_columns(inquiry: CanonicalLead) -> dict[str, object]:
    """What the inquiry says, under the lead's column names; what it leaves open is left out."""
    loan, home, credit = inquiry.loan, inquiry.property, inquiry.credit
    said: dict[str, object | None] = {"timeline": inquiry.timeline, "asked": inquiry.message}
    if loan:
        said |= {
            "purpose": loan.purpose,
            "loan_type": loan.type,
            "amount_cents": loan.amount_cents,
            "down_payment_cents": loan.down_payment_cents,
            "cash_out_cents": loan.cash_out_cents,
            "current_rate_pct": loan.current_rate_pct,
        }
    if home:
        said |= {
            "value_cents": home.purchase_price_cents or home.estimated_value_cents,
            "property_street": home.line1 and home.line1[:200],
            "property_city": home.city and home.city[:120],
            "property_state": home.state,
            "property_zip": home.zip,
            "property_key": address_key(home.line1 or "", home.zip or ""),
            "property_type": home.type,
            "property_use": home.use,
        }
    if credit:
        said["credit_band"] = credit.band
    return {key: value for key, value in said.items() if value is not None and value != ""}


def _new_lead(one: _Coming, at: datetime) -> Lead:
    inquiry, source = one.arrival.inquiry, one.arrival.delivery.source
    return Lead(
        id=uuid7_at(at),
        person=one.person,
        source=source,
        campaign=one.campaign,
        is_test=one.is_test,
        details=inquiry.to_json(),
        created_at=at,
        warmed_at=at,
        **{"property_key": "", **_loan_columns(inquiry)},
    )


def _warm(lead: Lead, inquiry: CanonicalLead, at: datetime) -> None:
    """A repeated inquiry: the newest words count, and a lead put aside comes back."""
    changes = _loan_columns(inquiry) | {
        "details": _with_news(lead.details, inquiry.to_json()),
        "warmed_at": max(at, lead.warmed_at),
        "snoozed_until": None,
    }
    if "property_street" in changes or "property_zip" in changes:
        street, place = changes.get("property_street"), changes.get("property_zip")
        changes["property_key"] = address_key(
            str(street or lead.property_street), str(place or lead.property_zip)
        )
    if lead.state == "nurture":
        changes["state"] = "working"
    Lead.objects.filter(pk=lead.pk).update(**changes)
    lead.refresh_from_db()  # another state of the property may have ended its ownership


def _with_news(details: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
    """What we knew with what they say now: a part said shortly leaves the rest of it standing."""
    added = {
        name: {**details.get(name, {}), **part}
        for name, part in news.items()
        if name in IN_PARTS and isinstance(part, dict)
    }
    return {**details, **news, **added}


def _campaign(one: _Coming) -> Campaign | None:
    name = one.arrival.inquiry.campaign
    if not name:
        return None
    source = one.arrival.delivery.source
    return Campaign.objects.get_or_create(source=source, name=name[:200])[0]


def _touch(one: _Coming, at: datetime) -> Touch:
    assert one.lead is not None
    inquiry, delivery = one.arrival.inquiry, one.arrival.delivery
    record = inquiry.to_json()
    return Touch(
        id=uuid7_at(at),
        lead=one.lead,
        person=one.person,
        source=delivery.source,
        campaign=one.campaign,
        delivery=delivery,
        position=one.arrival.position,
        vendor_lead_id=_vendor_id(inquiry),
        is_first=one.is_first,
        matched_by=one.evidence,
        inquiry=record,
        attribution=record.get("attribution", {}),
        at=at,
    )


def _told(touch: Touch, at: datetime) -> Event:
    return event(
        "capture.touch.stored",
        at=at,
        actor=f"vendor:{touch.source.adapter}",
        lead_id=touch.lead_id,
        person_id=touch.person_id,
        touch=touch.pk,
        delivery=touch.delivery_id,
        is_first=touch.is_first,
        matched_by=touch.matched_by,
    )
