"""Store canonical leads as rows: the person, lead, touch, consent and cost.

One transaction stores many inquiries. The caller opens it and starts the deadlines in it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from rooftree.capture.identity import person_lookup, person_matching
from rooftree.capture.intake import co_borrower, inquiry_rows, vendor_credit_data
from rooftree.capture.intake.store_delivery import SIGNED_POST
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

SAME_INTEREST_WINDOW = timedelta(days=180)  # house: an older open lead is a separate interest
SSN_WARNING = "ssn_discarded"  # of a delivery in which one was masked
PURCHASE_PURPOSES = frozenset({"purchase", "construction"})
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
    """One inquiry of a delivery, and its position in the delivery."""

    inquiry: CanonicalLead
    delivery: Delivery
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInquiry:
    """The rows one inquiry became."""

    touch: Touch
    lead: Lead
    is_new: bool  # False when an earlier run stored it
    cost: Entry | None = None

    @property
    def can_complete_application(self) -> bool:
        """True for a social security number, or for a further inquiry of a known lead.

        No other arrival can be the sixth piece of an application.
        """
        has_ssn = SSN_WARNING in self.touch.delivery.warnings
        return not self.lead.is_test and (has_ssn or not self.touch.is_first)


@dataclass(slots=True, kw_only=True)
class _PendingInquiry:
    """An inquiry that is not stored yet."""

    arrival: Arrival
    identity: person_matching.Identity
    match_keys: frozenset[str]  # of its phone numbers, email addresses and vendor's id
    person: Person | None = None  # None: not on file yet
    lead: Lead | None = None
    campaign: Campaign | None = None
    evidence: str = ""
    is_first: bool = False  # the inquiry that the lead began with
    credit_ruling: Ruling | None = None  # the ruling that removed its credit data

    @property
    def is_test(self) -> bool:
        """True if the inquiry or its source is a test."""
        return self.arrival.inquiry.is_test or self.arrival.delivery.source.is_test

    @property
    def all_match_keys(self) -> set[str]:
        """The match keys of the borrower and the co-borrower."""
        inquiry = self.arrival.inquiry
        if inquiry.co_borrower is None:
            return {*self.match_keys}
        return {*self.match_keys, *co_borrower.co_borrower_match_keys(inquiry)}

    def stated_at(self, at: datetime) -> datetime:
        """Return when the inquiry was received, but not later than `at`."""
        return min(at, self.arrival.delivery.received_at)

    @property
    def overlap_keys(self) -> set[object]:
        """Its match keys and its person: two inquiries that share one can be the same person's."""
        return {*self.match_keys, self.person.pk} if self.person else {*self.match_keys}


def store_inquiries(arrivals: Sequence[Arrival], *, at: datetime) -> list[StoredInquiry]:
    """Store inquiries, each on the lead it belongs to; return the results in the same order.

    Safe to repeat: the touch of a delivery and position is stored once. Must
    run in a transaction: it takes an advisory lock per phone number, email address
    and vendor id, so that two simultaneous inquiries of one person are matched.
    """
    stored = {
        (touch.delivery_id, touch.position): StoredInquiry(
            touch=touch, lead=touch.lead, is_new=False
        )
        for touch in STORED_TOUCHES.all(deliveries=[arrival.delivery.pk for arrival in arrivals])
    }
    pending = [
        _prepare_inquiry(arrival, at)
        for arrival in arrivals
        if (arrival.delivery.pk, arrival.position) not in stored
    ]
    person_lookup.lock_match_keys({key for inquiry in pending for key in inquiry.all_match_keys})
    while pending:
        _match_people(pending, at)
        independent, pending = _split_independent(pending)
        for result in _store_independent(independent, at):
            stored[result.touch.delivery_id, result.touch.position] = result
    return [stored[arrival.delivery.pk, arrival.position] for arrival in arrivals]


def _prepare_inquiry(arrival: Arrival, at: datetime) -> _PendingInquiry:
    source = arrival.delivery.source
    inquiry, ruling = arrival.inquiry, None
    if inquiry.credit is not None:
        inquiry, ruling = vendor_credit_data.remove_unpermitted_credit(inquiry, source, at.date())
    identity = person_matching.inquiry_identity(inquiry)
    match_keys = {*person_lookup.contact_match_keys(identity)}
    if vendor_id := _stored_vendor_id(inquiry):
        match_keys.add(person_lookup.vendor_match_key(source.adapter, vendor_id))
    return _PendingInquiry(
        arrival=replace(arrival, inquiry=inquiry),
        identity=identity,
        match_keys=frozenset(match_keys),
        credit_ruling=ruling,
    )


def _split_independent(
    pending: Sequence[_PendingInquiry],
) -> tuple[list[_PendingInquiry], list[_PendingInquiry]]:
    """Return the inquiries that share nothing with an earlier one, and the rest for later."""
    earlier_keys: set[object] = set()
    now: list[_PendingInquiry] = []
    later: list[_PendingInquiry] = []
    for pending_inquiry in pending:
        keys = pending_inquiry.overlap_keys
        (later if earlier_keys & keys else now).append(pending_inquiry)
        earlier_keys |= keys
    return now, later


def _store_independent(pending: Sequence[_PendingInquiry], at: datetime) -> list[StoredInquiry]:
    """Store inquiries of which no two can be the same person's."""
    _lock_leads(pending)
    people_and_contacts = _upsert_people(pending, at)
    leads = _upsert_leads(pending, at)
    touches = [_build_touch(inquiry, at) for inquiry in pending]
    events = [_touch_stored_event(touch, at) for touch in touches]
    events += [
        vendor_credit_data.credit_refused_event(inquiry.lead, inquiry.credit_ruling, at)
        for inquiry in pending
        if inquiry.credit_ruling
    ]
    insert_into_tables(*people_and_contacts, leads, touches, events)
    for inquiry in pending:
        if inquiry.lead and inquiry.arrival.inquiry.co_borrower:
            co_borrower.attach_co_borrower(
                inquiry.lead, inquiry.arrival.inquiry, at=inquiry.stated_at(at)
            )
    seal_field = form_certificates.SEAL_FIELD
    sealed = [touch for touch in touches if seal_field in touch.inquiry.get("extras", {})]
    sealed = form_certificates.find_sealed(sealed) if sealed else []
    arrived = [
        ArrivedTouch(
            inquiry=inquiry.arrival.inquiry,
            touch=touch,
            is_proven=touch in sealed or touch.delivery.verification == SIGNED_POST,
        )
        for inquiry, touch in zip(pending, touches, strict=True)
    ]
    store_consents.store_touch_consents(arrived, at=at)
    priced = [
        (inquiry.arrival.inquiry.cost, touch)
        for inquiry, touch in zip(pending, touches, strict=True)
        if inquiry.arrival.inquiry.price_cents(usual_cents=touch.source.cost_cents)
    ]
    costs = book_entries.book_touch_costs(priced, at=at) if priced else {}
    if sealed:  # our own form
        write_events(form_certificates.certify_touches(sealed, at=at))
    return [
        StoredInquiry(touch=touch, lead=touch.lead, is_new=True, cost=costs.get(touch.pk))
        for touch in touches
    ]


def _match_people(pending: Sequence[_PendingInquiry], at: datetime) -> None:
    """Find the person and lead of each inquiry, if they are on file."""
    ids_by_key = person_lookup.people_by_match_key(
        {key for inquiry in pending for key in inquiry.match_keys}
    )
    candidate_ids = [
        {
            person_id
            for key in inquiry.match_keys
            for person_id in ids_by_key.get(key, ())
            if person_id
        }
        for inquiry in pending
    ]
    for is_test in {inquiry.is_test for inquiry in pending}:
        group = [
            (inquiry, ids)
            for inquiry, ids in zip(pending, candidate_ids, strict=True)
            if inquiry.is_test == is_test
        ]
        all_ids = {person_id for _, ids in group for person_id in ids}
        people = person_lookup.load_candidates(all_ids, is_test=is_test) if all_ids else {}
        for inquiry, ids in group:
            inquiry.campaign = _get_campaign(inquiry)
            if inquiry.match_keys & ids_by_key.keys():
                candidates = [
                    candidate for person_id in ids for candidate in people.get(person_id, ())
                ]
                _match_inquiry(inquiry, candidates, at)


def _lock_leads(pending: Sequence[_PendingInquiry]) -> None:
    """Lock and reload the matched leads, in one order, so that no concurrent edit is lost."""
    keys = [inquiry.lead.pk for inquiry in pending if inquiry.lead]
    leads = {lead.pk: lead for lead in LOCKED_LEADS.all(keys=keys)} if keys else {}
    for inquiry in pending:
        if inquiry.lead:
            inquiry.lead = leads[inquiry.lead.pk]
            inquiry.person = inquiry.lead.person


def _upsert_people(
    pending: Sequence[_PendingInquiry], at: datetime
) -> tuple[list[Person], list[Phone], list[Email]]:
    """Update the people on file; return new people to insert, with their phones and emails.

    People on file are updated in one order, so that two transactions cannot deadlock.
    """
    new = [inquiry for inquiry in pending if inquiry.person is None]
    known = [(inquiry.person, inquiry) for inquiry in pending if inquiry.person]
    for person, inquiry in sorted(known, key=lambda pair: pair[0].pk):
        _update_known_person(person, inquiry.arrival.inquiry, inquiry.stated_at(at))
    rows = []
    for inquiry in new:
        inquiry.person = inquiry_rows.build_person(inquiry.arrival.inquiry, at)
        rows.append((inquiry.person, inquiry.arrival.inquiry, inquiry.stated_at(at)))
    return [person for person, _, _ in rows], *inquiry_rows.new_contact_rows(rows)


def _upsert_leads(pending: Sequence[_PendingInquiry], at: datetime) -> list[Lead]:
    """Update the leads that the inquiries repeat; return the new leads to insert."""
    new = [inquiry for inquiry in pending if inquiry.lead is None]
    for inquiry in pending:
        if inquiry.lead:
            inquiry_rows.update_repeat_lead(inquiry.lead, inquiry.arrival.inquiry, at)
    for inquiry in new:
        inquiry.lead, inquiry.is_first = _build_lead(inquiry, at), True
    return [inquiry.lead for inquiry in new if inquiry.lead]


def _match_inquiry(
    pending: _PendingInquiry, candidates: Iterable[person_matching.Candidate], at: datetime
) -> None:
    """Set the person, their open lead on this interest, and the evidence of the match.

    Test people are never matched with real ones: a consent stated in a test must
    never permit a message to a borrower.
    """
    inquiry, source = pending.arrival.inquiry, pending.arrival.delivery.source
    if vendor_id := _stored_vendor_id(inquiry):
        vendor_match = person_lookup.find_lead_by_vendor_id(
            vendor_id, pending.identity, source, is_test=pending.is_test
        )
        if vendor_match:
            pending.lead, pending.evidence = vendor_match
            pending.person = pending.lead.person
            return
    match = person_matching.best_match(pending.identity, candidates)
    if match is None:
        return
    pending.person, pending.evidence = Person.objects.get(pk=match.person_id), match.evidence
    pending.lead = _find_open_lead(pending.person, inquiry, at, is_test=pending.is_test)


def _stored_vendor_id(inquiry: CanonicalLead) -> str:
    """Return the vendor's id, cut to the column's length."""
    return (inquiry.vendor_lead_id or "")[:255]


def _find_open_lead(
    person: Person, inquiry: CanonicalLead, at: datetime, *, is_test: bool
) -> Lead | None:
    """Return the person's newest open lead that this inquiry repeats; None if there is none."""
    purpose = inquiry.loan.purpose if inquiry.loan else None
    leads = Lead.objects.filter(
        person=person,
        state__in=OPEN_STATES,
        last_inquiry_at__gte=at - SAME_INTEREST_WINDOW,
        is_test=is_test,
    ).order_by("-created_at")
    for lead in leads:
        if (
            not purpose
            or not lead.purpose
            or (purpose in PURCHASE_PURPOSES) == (lead.purpose in PURCHASE_PURPOSES)
        ):
            return lead
    return None


def _update_known_person(person: Person, inquiry: CanonicalLead, at: datetime) -> None:
    """Add the person's new phone numbers and email addresses, and update the language."""
    inquiry_rows.store_contacts(person, inquiry, at=at)
    if inquiry.preferred_language and inquiry.preferred_language != person.language:
        Person.objects.filter(pk=person.pk).update(language=inquiry.preferred_language[:5])
        person.language = inquiry.preferred_language[:5]


def _build_lead(pending: _PendingInquiry, at: datetime) -> Lead:
    inquiry, source = pending.arrival.inquiry, pending.arrival.delivery.source
    return Lead(
        id=uuid7_at(at),
        person=pending.person,
        source=source,
        campaign=pending.campaign,
        is_test=pending.is_test,
        details=inquiry.to_json(),
        created_at=at,
        last_inquiry_at=at,
        **{"property_key": "", **inquiry_rows.loan_columns(inquiry)},
    )


def _get_campaign(pending: _PendingInquiry) -> Campaign | None:
    name = pending.arrival.inquiry.campaign
    if not name:
        return None
    source = pending.arrival.delivery.source
    return Campaign.objects.get_or_create(source=source, name=name[:200])[0]


def _build_touch(pending: _PendingInquiry, at: datetime) -> Touch:
    assert pending.lead is not None
    inquiry, delivery = pending.arrival.inquiry, pending.arrival.delivery
    record = inquiry.to_json()
    return Touch(
        id=uuid7_at(at),
        lead=pending.lead,
        person=pending.person,
        source=delivery.source,
        campaign=pending.campaign,
        delivery=delivery,
        position=pending.arrival.position,
        vendor_lead_id=_stored_vendor_id(inquiry),
        is_first=pending.is_first,
        matched_by=pending.evidence,
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
