"""Facts about paid arrivals that can be grounds to return them to the vendor."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from rooftree.capture.intake.store_inquiries import PURCHASE_PURPOSES
from rooftree.compliance.models import Revocation
from rooftree.core.email_addresses import comparison_key
from rooftree.leads.models import ContactAttempt, Email, Phone, Touch
from rooftree.money.book_entries import net_amounts
from rooftree.money.company_day import company_day, company_zone
from rooftree.money.models import Claim, Contract, Entry
from rooftree.money.return_claims import PaidArrival
from rooftree.money.return_grounds import ArrivalFacts, EarlierPurchase, WrongNumberReport
from rooftree.org.models import CompanyLicense

TOUCH_PREFIX = "touch:"  # prefix of the cause of an arrival's cost
ByContact = dict[tuple[UUID, str], Any]  # by person and phone number or e-mail address


def find_contract_costs(contract: Contract, *, at: datetime) -> QuerySet[Entry]:
    """Return the costs of arrivals that a contract covers and that can still be returned."""
    newest = company_day(at) - timedelta(days=contract.window_days)
    rows = Entry.objects.filter(
        source=contract.source_id, kind="cost", idempotency_key__startswith=TOUCH_PREFIX,
        on_date__gte=max(contract.from_date, newest),
    )  # fmt: skip
    return rows.filter(on_date__lt=contract.until_date) if contract.until_date else rows


def load_paid_arrivals(costs: Iterable[Entry]) -> list[PaidArrival]:
    """Load the arrivals of costs, each with the amount that corrections left, oldest first."""
    by_touch = {UUID(cost.idempotency_key.removeprefix(TOUCH_PREFIX)): cost for cost in costs}
    left = net_amounts(by_touch.values())
    touches = Touch.objects.filter(pk__in=by_touch).select_related("source", "lead")
    return [
        PaidArrival(touch=touch, entry=cost, left_cents=left[cost.pk])
        for touch in touches.order_by("at", "pk")
        for cost in [by_touch[touch.pk]]
    ]


def collect_facts(paid: Sequence[PaidArrival]) -> dict[UUID, ArrivalFacts]:
    """Collect the facts of each arrival, by touch id. The number of queries is constant."""
    zone = company_zone()
    touches = [arrival.touch for arrival in paid]
    people = {touch.person_id for touch in touches}
    dead_phones = Phone.objects.filter(person__in=people).exclude(dead_at=None)
    dead: ByContact = {(phone.person_id, phone.e164): phone.dead_at for phone in dead_phones}
    bounced_emails = Email.objects.filter(person__in=people).exclude(bounced_at=None)
    bounced: ByContact = {
        (email.person_id, email.key): email.bounced_at for email in bounced_emails
    }
    wrong, earlier = _find_wrong_numbers(touches), _find_paid_touches(people)
    licensed = _LicensedStates()
    facts = {}
    for touch in touches:
        state = (touch.inquiry.get("property") or {}).get("state") or ""
        numbers, unreadable = _split_numbers(touch.inquiry)
        emails = [email.get("address") for email in touch.inquiry.get("emails") or []]
        addresses = tuple(dict.fromkeys(filter(None, emails)))
        facts[touch.pk] = ArrivalFacts(
            arrived_at=touch.at.astimezone(zone),
            numbers=numbers,
            unreadable_numbers=unreadable,
            disconnected_numbers=_select_learned_after(dead, touch, numbers, zone),
            wrong_numbers={
                number: wrong[touch.person_id, number]
                for number in numbers
                if (touch.person_id, number) in wrong
            },
            emails=addresses,
            bounced_emails=_select_learned_after(bounced, touch, addresses, zone),
            earlier_purchases=_find_earlier_purchases(touch, earlier[touch.person_id], zone),
            state=state,
            is_licensed=not state or licensed.is_licensed(state, company_day(touch.at)),
        )
    return facts


def _split_numbers(inquiry: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split the phone numbers of an inquiry into valid E.164 numbers and unreadable input."""
    phones = inquiry.get("phones") or []
    valid = dict.fromkeys(phone["e164"] for phone in phones if phone.get("e164"))
    raw = dict.fromkeys(str(phone.get("raw") or "") for phone in phones if not phone.get("e164"))
    return tuple(valid), tuple(text[:40] for text in raw if text)


def _select_learned_after(
    known: ByContact, touch: Touch, contacts: Iterable[str], zone: ZoneInfo
) -> dict[str, datetime]:
    """Select the moments learned at or after the arrival, by number or address, in `zone`."""
    moments = {
        contact: known.get(
            (touch.person_id, comparison_key(contact) if "@" in contact else contact)
        )
        for contact in contacts
    }
    return {
        contact: at.astimezone(zone) for contact, at in moments.items() if at and at >= touch.at
    }


def _find_wrong_numbers(touches: Sequence[Touch]) -> ByContact:
    """Find numbers that belong to somebody else, with the staff member who reported it."""
    people = {touch.person_id for touch in touches}
    stops = Revocation.objects.filter(person__in=people, kind="wrong_person", ended_at=None)
    attempts = ContactAttempt.objects.filter(person__in=people, result="wrong_number")
    reporters = {
        (attempt.person_id, attempt.address): attempt.by.name if attempt.by else "our officer"
        for attempt in attempts.select_related("by")
    }
    zone = company_zone()
    return {
        (person, number): WrongNumberReport(
            at=at.astimezone(zone), by=reporters.get((person, number), "")
        )
        for person, number, at in stops.values_list("person", "address", "at")
    }


def _find_paid_touches(people: Iterable[UUID]) -> dict[UUID, list[tuple[Touch, Entry]]]:
    """Find the paid touches of each person that are not being returned, newest first."""
    touches = Touch.objects.filter(person__in=people).select_related("source", "lead")
    rows = {f"{TOUCH_PREFIX}{touch.pk}": touch for touch in touches.order_by("-at", "-pk")}
    costs = {
        entry.idempotency_key: entry
        for entry in Entry.objects.filter(kind="cost", idempotency_key__in=[*rows])
    }
    claims = Claim.objects.filter(touch__in=[row.pk for row in rows.values()])
    returned = set(
        claims.exclude(state="refused")
        .exclude(closed_as__in=["refused", "withdrawn", "dropped", "missed"])
        .values_list("touch_id", flat=True)
    )
    paid: dict[UUID, list[tuple[Touch, Entry]]] = defaultdict(list)
    for cause, touch in rows.items():
        if cause in costs and touch.pk not in returned:
            paid[touch.person_id].append((touch, costs[cause]))
    return paid


def _find_earlier_purchases(
    touch: Touch, paid: Iterable[tuple[Touch, Entry]], zone: ZoneInfo
) -> tuple[EarlierPurchase, ...]:
    return tuple(
        EarlierPurchase(
            at=other.at.astimezone(zone),
            source=other.source.name,
            is_same_source=other.source_id == touch.source_id,
            cents=cost.amount_cents,
            vendor_lead_id=other.vendor_lead_id,
            matched_by=touch.matched_by,
        )
        for other, cost in paid
        if (other.at, other.pk) < (touch.at, touch.pk) and _is_same_request(other, touch)
    )


def _is_same_request(first: Touch, second: Touch) -> bool:
    """Decide if two touches ask for the same; a refinance after a purchase is another lead."""
    if first.lead_id == second.lead_id:
        return True
    purposes = (first.lead.purpose, second.lead.purpose)
    is_purchase, was_purchase = (purpose in PURCHASE_PURPOSES for purpose in purposes)
    return not all(purposes) or is_purchase == was_purchase


class _LicensedStates:
    """The states in which the company is or was licensed, read once."""

    def __init__(self) -> None:
        self._rows = list(CompanyLicense.objects.values_list("state", "from_date", "until_date"))

    def is_licensed(self, state: str, day: Any) -> bool:
        return any(
            license_state == state and first <= day and (end is None or day < end)
            for license_state, first, end in self._rows
        )
