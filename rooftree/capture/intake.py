"""From a canonical lead to rows: the person, the lead, the touch, the consent, the cost.

One transaction, opened by the caller, who starts the clocks in it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rooftree.capture import contacts, match, on_file
from rooftree.compliance import record_consent
from rooftree.core.emails import comparison_key
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Campaign, Delivery, Lead, Person, Source, Touch
from rooftree.ledger.write import write
from rooftree.money import book
from rooftree.money.models import Entry
from rooftree.org.insert import insert

SAME_INTEREST = timedelta(days=180)  # house: an older open inquiry is another interest
PURCHASE = frozenset({"purchase", "construction"})
IN_PARTS = frozenset({"borrower", "property", "loan", "credit", "income"})
OPEN = ("new", "working", "nurture", "application")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What one inquiry became."""

    touch: Touch
    lead: Lead
    is_new: bool  # stored now, not a repetition of the same work
    cost: Entry | None = None
    brought_consent: bool = False


def store(inquiry: CanonicalLead, *, delivery: Delivery, position: int, at: datetime) -> Stored:
    """Write one inquiry down, on the lead it belongs to.

    Safe to repeat: the touch of a delivery and position is written once. Must
    run in a transaction: it takes an advisory lock per number, address and
    vendor id, so that two arrivals of one person in the same instant meet.
    """
    known = Touch.objects.filter(delivery=delivery, position=position).select_related("lead")
    if done := known.first():
        return Stored(touch=done, lead=done.lead, is_new=False)
    identity = _identity(inquiry)
    adapter, vendor_id = delivery.source.adapter, inquiry.vendor_lead_id
    on_file.hold(identity, f"vendor:{adapter}:{vendor_id}" if vendor_id else "")
    person, lead, evidence = _whose(inquiry, identity, delivery.source, at)
    _remember_contacts(person, inquiry, min(at, delivery.received_at))
    is_first = lead is None
    if lead is None:
        lead = _new_lead(person, inquiry, delivery.source, at)
    else:
        _warm(lead, inquiry, at)
    touch = _touch(inquiry, lead, delivery, position, is_first=is_first, evidence=evidence, at=at)
    brought = record_consent.of_touch(inquiry, person=person, touch=touch, at=at)
    cost = book.cost_of_touch(inquiry.cost, touch=touch, at=at)
    write(
        "capture.touch.stored",
        at=at,
        actor=f"vendor:{delivery.source.adapter}",
        lead_id=lead.pk,
        person_id=person.pk,
        touch=touch.pk,
        delivery=delivery.pk,
        is_first=is_first,
        matched_by=evidence,
    )
    return Stored(touch=touch, lead=lead, is_new=True, cost=cost, brought_consent=brought)


def _identity(inquiry: CanonicalLead) -> match.Identity:
    borrower = inquiry.borrower
    return match.Identity(
        first_name=(borrower and borrower.first_name) or "",
        last_name=(borrower and borrower.last_name) or "",
        phones=frozenset(one.e164 for one in inquiry.phones if one.valid and one.e164),
        emails=frozenset(comparison_key(one.address) for one in inquiry.emails if one.address),
    )


def _whose(
    inquiry: CanonicalLead, identity: match.Identity, source: Source, at: datetime
) -> tuple[Person, Lead | None, str]:
    """The person, their open lead on this interest, and by what they were known.

    Tests are kept apart from people: what a test says of consent must never
    let a message to a borrower go.
    """
    is_test = _is_test(inquiry, source)
    if inquiry.vendor_lead_id:
        known = on_file.told_by_vendor_id(_vendor_id(inquiry), identity, source, is_test=is_test)
        if known:
            lead = _locked(known[0])
            return lead.person, lead, known[1]
    found = match.best_match(identity, on_file.candidates(identity, is_test=is_test))
    if found is None:
        return _new_person(inquiry, at), None, ""
    person = Person.objects.get(pk=found.person_id)
    same = _same_interest(person, inquiry, at, is_test=is_test)
    return person, same and _locked(same), found.evidence


def _locked(lead: Lead) -> Lead:
    """The lead as it is now, held until we are done: what is added must not undo an edit."""
    return Lead.objects.select_for_update(of=("self",), no_key=True).get(pk=lead.pk)


def _is_test(inquiry: CanonicalLead, source: Source) -> bool:
    return inquiry.is_test or source.is_test


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
    row = Person(
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
        created_at=at,
    )
    return insert(row)


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
            "property_type": home.type,
            "property_use": home.use,
        }
    if credit:
        said["credit_band"] = credit.band
    return {key: value for key, value in said.items() if value is not None and value != ""}


def _new_lead(person: Person, inquiry: CanonicalLead, source: Source, at: datetime) -> Lead:
    row = Lead(
        id=uuid7_at(at),
        person=person,
        source=source,
        campaign=_campaign(inquiry, source),
        is_test=_is_test(inquiry, source),
        details=inquiry.to_json(),
        created_at=at,
        warmed_at=at,
        **_loan_columns(inquiry),
    )
    return insert(row)


def _warm(lead: Lead, inquiry: CanonicalLead, at: datetime) -> None:
    """A repeated inquiry: the newest words count, and a lead put aside comes back."""
    changes = _loan_columns(inquiry) | {
        "details": _with_news(lead.details, inquiry.to_json()),
        "warmed_at": max(at, lead.warmed_at),
        "snoozed_until": None,
    }
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


def _campaign(inquiry: CanonicalLead, source: Source) -> Campaign | None:
    if not inquiry.campaign:
        return None
    return Campaign.objects.get_or_create(source=source, name=inquiry.campaign[:200])[0]


def _touch(  # noqa: PLR0913
    inquiry: CanonicalLead,
    lead: Lead,
    delivery: Delivery,
    position: int,
    *,
    is_first: bool,
    evidence: str,
    at: datetime,
) -> Touch:
    record = inquiry.to_json()
    row = Touch(
        id=uuid7_at(at),
        lead=lead,
        person=lead.person,
        source=delivery.source,
        campaign=_campaign(inquiry, delivery.source),
        delivery=delivery,
        position=position,
        vendor_lead_id=_vendor_id(inquiry),
        is_first=is_first,
        matched_by=evidence,
        inquiry=record,
        attribution=record.get("attribution", {}),
        at=at,
    )
    return insert(row)
