"""From canonical leads to rows: the person, the lead, the touch, the consent, the cost.

One transaction for many, opened by the caller, who starts the clocks in it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rooftree.capture.identity import co_borrower, contact_details, person_lookup, person_matching
from rooftree.capture.identity.address_keys import address_key
from rooftree.capture.intake import vendor_credit_data
from rooftree.capture.own_form import form_certificates
from rooftree.compliance.consent import store_consents
from rooftree.compliance.consent.store_consents import ArrivedTouch
from rooftree.compliance.gate.verdict import Ruling
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_into_tables
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Campaign, Delivery, Email, Lead, Person, Phone, Touch
from rooftree.ledger.models import Event
from rooftree.ledger.write_events import build_event, write_events
from rooftree.money import book_entries
from rooftree.money.models import Entry

SAME_INTEREST_WINDOW = timedelta(days=180)  # house: an older open inquiry is another interest
PURCHASE_PURPOSES = frozenset({"purchase", "construction"})
NESTED_PARTS = frozenset({"borrower", "property", "loan", "credit", "income"})
OPEN_STATES = ("new", "working", "nurture", "application")
STORED_TOUCHES = PreparedQuery(
    lambda deliveries: Touch.objects.select_related("lead").filter(delivery__in=deliveries),
    deliveries=list[UUID],
)
LOCKED_LEADS = PreparedQuery(
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
class StoredInquiry:
    """What one inquiry became."""

    touch: Touch
    lead: Lead
    is_new: bool  # stored now, not a repetition of the same work
    cost: Entry | None = None


@dataclass(slots=True, kw_only=True)
class _PendingInquiry:
    """An inquiry on its way to its rows."""

    arrival: Arrival
    identity: person_matching.Identity
    match_keys: frozenset[str]  # what another could say too: numbers, addresses, a vendor's id
    person: Person | None = None  # None: nobody we know
    lead: Lead | None = None
    campaign: Campaign | None = None
    evidence: str = ""
    is_first: bool = False  # the inquiry that the lead began with
    credit_ruling: Ruling | None = None  # the rule by which its credit data were not kept

    @property
    def is_test(self) -> bool:
        return self.arrival.inquiry.is_test or self.arrival.delivery.source.is_test

    @property
    def all_match_keys(self) -> set[str]:
        return {*self.match_keys, *co_borrower.co_borrower_match_keys(self.arrival.inquiry)}

    def stated_at(self, at: datetime) -> datetime:
        return min(at, self.arrival.delivery.received_at)

    @property
    def overlap_keys(self) -> set[object]:
        """What it could have in common with another: its names, and whom they are known to be."""
        return {*self.match_keys, self.person.pk} if self.person else {*self.match_keys}


def store_inquiries(arrivals: Sequence[Arrival], *, at: datetime) -> list[StoredInquiry]:
    """Write inquiries down, each on the lead it belongs to; what each became, in their order.

    Safe to repeat: the touch of a delivery and position is written once. Must
    run in a transaction: it takes an advisory lock per number, address and
    vendor id, so that two arrivals of one person in the same instant meet.
    """
    known = {
        (stored_touch.delivery_id, stored_touch.position): StoredInquiry(
            touch=stored_touch, lead=stored_touch.lead, is_new=False
        )
        for stored_touch in STORED_TOUCHES.all(
            deliveries=[arrival.delivery.pk for arrival in arrivals]
        )
    }
    coming = [
        _prepare_inquiry(arrival, at)
        for arrival in arrivals
        if (arrival.delivery.pk, arrival.position) not in known
    ]
    person_lookup.lock_match_keys({name for one in coming for name in one.all_match_keys})
    while coming:
        _match_people(coming, at)
        together, coming = _split_independent(coming)
        for stored_inquiry in _store_independent(together, at):
            known[stored_inquiry.touch.delivery_id, stored_inquiry.touch.position] = stored_inquiry
    return [known[arrival.delivery.pk, arrival.position] for arrival in arrivals]


def _prepare_inquiry(came: Arrival, at: datetime) -> _PendingInquiry:
    inquiry, refused = vendor_credit_data.remove_unpermitted_credit(
        came.inquiry, came.delivery.source, at.date()
    )
    arrival = replace(came, inquiry=inquiry)
    identity, vendor_id = (
        person_matching.inquiry_identity(arrival.inquiry),
        _stored_vendor_id(arrival.inquiry),
    )
    names = {*person_lookup.contact_match_keys(identity)}
    if vendor_id:
        names.add(person_lookup.vendor_match_key(arrival.delivery.source.adapter, vendor_id))
    return _PendingInquiry(
        arrival=arrival, identity=identity, match_keys=frozenset(names), credit_ruling=refused
    )


def _split_independent(
    coming: Sequence[_PendingInquiry],
) -> tuple[list[_PendingInquiry], list[_PendingInquiry]]:
    """Those that have nothing in common with one before them, and the rest for later."""
    seen: set[object] = set()
    now: list[_PendingInquiry] = []
    later: list[_PendingInquiry] = []
    for pending_inquiry in coming:
        (later if seen & pending_inquiry.overlap_keys else now).append(pending_inquiry)
        seen |= pending_inquiry.overlap_keys
    return now, later


def _store_independent(coming: Sequence[_PendingInquiry], at: datetime) -> list[StoredInquiry]:
    """Write down inquiries of which no two can be the same person's."""
    _lock_leads(coming)
    contacts_of = _upsert_people(coming, at)
    leads = _upsert_leads(coming, at)
    touches = [_build_touch(pending_inquiry, at) for pending_inquiry in coming]
    told = [_touch_stored_event(touch, at) for touch in touches]
    told += [
        vendor_credit_data.credit_refused_event(pending_inquiry.lead, pending_inquiry.credit_ruling, at)
        for pending_inquiry in coming
        if pending_inquiry.credit_ruling
    ]
    insert_into_tables(*contacts_of, leads, touches, told)
    for pending_inquiry in coming:
        if pending_inquiry.lead:
            co_borrower.attach_co_borrower(
                pending_inquiry.lead,
                pending_inquiry.arrival.inquiry,
                at=pending_inquiry.stated_at(at),
            )
    said = [pending_inquiry.arrival.inquiry for pending_inquiry in coming]
    arrived = [ArrivedTouch(inquiry=a, touch=b) for a, b in zip(said, touches, strict=True)]
    store_consents.store_touch_consents(arrived, at=at)
    costs = book_entries.book_touch_costs([(one.inquiry.cost, one.touch) for one in arrived], at=at)
    write_events(form_certificates.certify_touches(touches, at=at))
    return [
        StoredInquiry(touch=touch, lead=touch.lead, is_new=True, cost=costs.get(touch.pk))
        for touch in touches
    ]


def _match_people(coming: Sequence[_PendingInquiry], at: datetime) -> None:
    """Find out for each whether it is somebody we know."""
    found = person_lookup.people_by_match_key(
        {name for pending_inquiry in coming for name in pending_inquiry.match_keys}
    )
    sharing = [
        {who for name in pending_inquiry.match_keys for who in found.get(name, ()) if who}
        for pending_inquiry in coming
    ]
    for is_test in {pending_inquiry.is_test for pending_inquiry in coming}:
        mine = [pair for pair in zip(coming, sharing, strict=True) if pair[0].is_test == is_test]
        ids = {who for _, people in mine for who in people}
        people = person_lookup.load_candidates(ids, is_test=is_test) if ids else {}
        for one, theirs in mine:
            one.campaign = _get_campaign(one)
            if one.match_keys & found.keys():
                known_as = [name for who in theirs for name in people.get(who, ())]
                _match_inquiry(one, known_as, at)


def _lock_leads(coming: Sequence[_PendingInquiry]) -> None:
    """The leads found, as they are now: what is added must not undo an edit. One order for all."""
    keys = [pending_inquiry.lead.pk for pending_inquiry in coming if pending_inquiry.lead]
    held = (
        {locked_lead.pk: locked_lead for locked_lead in LOCKED_LEADS.all(keys=keys)} if keys else {}
    )
    for pending_inquiry in coming:
        if pending_inquiry.lead:
            pending_inquiry.lead = held[pending_inquiry.lead.pk]
            pending_inquiry.person = pending_inquiry.lead.person


def _upsert_people(
    coming: Sequence[_PendingInquiry], at: datetime
) -> tuple[list[Person], list[Phone], list[Email]]:
    """Those we did not know, to be written with their numbers and addresses.

    Of those we know what is new is added, in one order for all.
    """
    strangers = [pending_inquiry for pending_inquiry in coming if pending_inquiry.person is None]
    known = [
        (pending_inquiry.person, pending_inquiry)
        for pending_inquiry in coming
        if pending_inquiry.person
    ]
    for person, one in sorted(known, key=lambda pair: pair[0].pk):
        _update_known_person(person, one.arrival.inquiry, one.stated_at(at))
    met = []
    for one in strangers:
        one.person = _build_person(one.arrival.inquiry, at)
        met.append((one.person, one.arrival.inquiry, one.stated_at(at)))
    return [who for who, _, _ in met], *contact_details.new_contact_rows(met)


def _upsert_leads(coming: Sequence[_PendingInquiry], at: datetime) -> list[Lead]:
    """The leads that are new, to be written; the others are warmed by what is said now."""
    fresh = [pending_inquiry for pending_inquiry in coming if pending_inquiry.lead is None]
    for one in coming:
        if one.lead:
            _update_repeat_lead(one.lead, one.arrival.inquiry, at)
    for one in fresh:
        one.lead, one.is_first = _build_lead(one, at), True
    return [one.lead for one in fresh if one.lead]


def _match_inquiry(
    one: _PendingInquiry, candidates: Iterable[person_matching.Candidate], at: datetime
) -> None:
    """The person, their open lead on this interest, and by what they were known.

    Tests are kept apart from people: what a test says of consent must never
    let a message to a borrower go.
    """
    inquiry, source = one.arrival.inquiry, one.arrival.delivery.source
    if vendor_id := _stored_vendor_id(inquiry):
        told = person_lookup.find_lead_by_vendor_id(
            vendor_id, one.identity, source, is_test=one.is_test
        )
        if told:
            one.lead, one.evidence = told
            one.person = one.lead.person
            return
    found = person_matching.best_match(one.identity, candidates)
    if found is None:
        return
    one.person, one.evidence = Person.objects.get(pk=found.person_id), found.evidence
    one.lead = _find_open_lead(one.person, inquiry, at, is_test=one.is_test)


def _stored_vendor_id(inquiry: CanonicalLead) -> str:
    """The vendor's id as the column can hold it."""
    return (inquiry.vendor_lead_id or "")[:255]


def _find_open_lead(
    person: Person, inquiry: CanonicalLead, at: datetime, *, is_test: bool
) -> Lead | None:
    """The open lead of theirs that this inquiry repeats, the newest first."""
    asked = inquiry.loan.purpose if inquiry.loan else None
    leads = Lead.objects.filter(
        person=person,
        state__in=OPEN_STATES,
        warmed_at__gte=at - SAME_INTEREST_WINDOW,
        is_test=is_test,
    ).order_by("-created_at")
    for lead in leads:
        if (
            not asked
            or not lead.purpose
            or (asked in PURCHASE_PURPOSES) == (lead.purpose in PURCHASE_PURPOSES)
        ):
            return lead
    return None


def _build_person(inquiry: CanonicalLead, at: datetime) -> Person:
    borrower, home = inquiry.borrower, inquiry.mailing_address
    return Person(
        id=uuid7_at(at),
        first_name=(borrower and borrower.first_name) or "",
        middle_name=(borrower and borrower.middle_name) or "",
        last_name=(borrower and borrower.last_name) or "",
        suffix=(borrower and borrower.suffix) or "",
        name_key=person_matching.name_key(
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


def _update_known_person(person: Person, inquiry: CanonicalLead, at: datetime) -> None:
    """Add the numbers and addresses that are new, and what we did not know of the person."""
    contact_details.store_contacts(person, inquiry, at=at)
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


def _build_lead(one: _PendingInquiry, at: datetime) -> Lead:
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


def _update_repeat_lead(lead: Lead, inquiry: CanonicalLead, at: datetime) -> None:
    """A repeated inquiry: the newest words count, and a lead put aside comes back."""
    changes = _loan_columns(inquiry) | {
        "details": _merge_details(lead.details, inquiry.to_json()),
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


def _merge_details(details: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
    """What we knew with what they say now: a part said shortly leaves the rest of it standing."""
    added = {
        name: {**details.get(name, {}), **part}
        for name, part in news.items()
        if name in NESTED_PARTS and isinstance(part, dict)
    }
    return {**details, **news, **added}


def _get_campaign(one: _PendingInquiry) -> Campaign | None:
    name = one.arrival.inquiry.campaign
    if not name:
        return None
    source = one.arrival.delivery.source
    return Campaign.objects.get_or_create(source=source, name=name[:200])[0]


def _build_touch(one: _PendingInquiry, at: datetime) -> Touch:
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
        vendor_lead_id=_stored_vendor_id(inquiry),
        is_first=one.is_first,
        matched_by=one.evidence,
        inquiry=record,
        attribution=record.get("attribution", {}),
        at=at,
    )


def _touch_stored_event(touch: Touch, at: datetime) -> Event:
    return build_event(
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
