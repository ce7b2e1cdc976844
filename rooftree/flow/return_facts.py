"""What we know of paid arrivals that may be a reason to give them back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet, Sum

from rooftree.capture.intake.store_inquiries import PURCHASE_PURPOSES
from rooftree.compliance.models import Revocation
from rooftree.core.email_addresses import comparison_key
from rooftree.leads.models import ContactAttempt, Email, Phone, Touch
from rooftree.money.company_day import company_day, company_zone
from rooftree.money.models import Claim, Contract, Entry
from rooftree.money.return_claims import PaidArrival
from rooftree.money.return_grounds import ArrivalFacts, EarlierPurchase, WrongNumberReport
from rooftree.org.models import CompanyLicense

TOUCH_PREFIX = "touch:"  # what the cause of an arrival's cost begins with
FoundByContact = dict[tuple[UUID, str], Any]  # by person and number or address


def costs_under_contract(contract: Contract, *, at: datetime) -> QuerySet[Entry]:
    """What the arrivals cost that a contract covers and whose time is not over."""
    newest = company_day(at) - timedelta(days=contract.window_days)
    rows = Entry.objects.filter(
        source=contract.source_id, kind="cost", cause__startswith=TOUCH_PREFIX,
        on_date__gte=max(contract.from_date, newest),
    )  # fmt: skip
    return rows.filter(on_date__lt=contract.until_date) if contract.until_date else rows


def paid_arrivals(costs: Iterable[Entry]) -> list[PaidArrival]:
    """Their arrivals, with what nobody has taken back of each by a correction."""
    by_touch = {UUID(cost.cause.removeprefix(TOUCH_PREFIX)): cost for cost in costs}
    fixed = Entry.objects.filter(cause__in=[f"correction:{one.pk}" for one in by_touch.values()])
    taken = dict(fixed.values_list("cause").annotate(Sum("amount_cents")))
    touches = Touch.objects.filter(pk__in=by_touch).select_related("source", "lead")
    return [
        PaidArrival(touch=touch, entry=cost, left_cents=cost.amount_cents - taken.get(key, 0))
        for touch in touches.order_by("at", "pk")
        for cost in [by_touch[touch.pk]]
        for key in [f"correction:{cost.pk}"]
    ]


def collect_facts(paid: Sequence[PaidArrival]) -> dict[UUID, ArrivalFacts]:
    """What is known of each, by the key of its touch. As many statements for one as for many."""
    zone = company_zone()
    touches = [paid_arrival.touch for paid_arrival in paid]
    people = {touch.person_id for touch in touches}
    dead, bounced = _disconnected_numbers(people), _bounced_addresses(people)
    wrong, earlier = _wrong_numbers(touches), _paid_touches(people)
    licensed = _LicensedStates()
    found = {}
    for touch in touches:
        state = (touch.inquiry.get("property") or {}).get("state") or ""
        numbers, unreadable = _given_numbers(touch.inquiry)
        addresses = _given_addresses(touch.inquiry)
        found[touch.pk] = ArrivalFacts(
            arrived_at=touch.at.astimezone(zone),
            numbers=numbers,
            unreadable_numbers=unreadable,
            disconnected_numbers=_learned_after_arrival(dead, touch, numbers, zone),
            wrong_numbers={
                n: wrong[touch.person_id, n] for n in numbers if (touch.person_id, n) in wrong
            },
            emails=addresses,
            bounced_emails=_learned_after_arrival(bounced, touch, addresses, zone),
            earlier_purchases=_earlier_payments(touch, earlier[touch.person_id], zone),
            state=state,
            is_licensed=not state or licensed.is_licensed(state, company_day(touch.at)),
        )
    return found


def _given_numbers(inquiry: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those that can be dialed, and what was given as a number and cannot."""
    given = inquiry.get("phones") or []
    valid = dict.fromkeys(one["e164"] for one in given if one.get("e164"))
    raw = dict.fromkeys(str(one.get("raw") or "") for one in given if not one.get("e164"))
    return tuple(valid), tuple(fromkey[:40] for fromkey in raw if fromkey)


def _given_addresses(inquiry: Mapping[str, Any]) -> tuple[str, ...]:
    given = inquiry.get("emails") or []
    return tuple(dict.fromkeys(one["address"] for one in given if one.get("address")))


def _disconnected_numbers(people: Iterable[UUID]) -> FoundByContact:
    rows = Phone.objects.filter(person__in=people).exclude(dead_at=None)
    return {
        (person, number): at for person, number, at in rows.values_list("person", "e164", "dead_at")
    }


def _bounced_addresses(people: Iterable[UUID]) -> FoundByContact:
    rows = Email.objects.filter(person__in=people).exclude(bounced_at=None)
    return {
        (person, key): at for person, key, at in rows.values_list("person", "key", "bounced_at")
    }


def _learned_after_arrival(
    known: FoundByContact, touch: Touch, given: Iterable[str], zone: ZoneInfo
) -> dict[str, datetime]:
    """What was found out about those that were given, after they were."""
    found = {
        one: known.get((touch.person_id, comparison_key(one) if "@" in one else one))
        for one in given
    }
    return {one: at.astimezone(zone) for one, at in found.items() if at and at >= touch.at}


def _wrong_numbers(touches: Sequence[Touch]) -> FoundByContact:
    """Numbers that proved to be somebody else's, with who of us found it out."""
    people = {touch.person_id for touch in touches}
    stops = Revocation.objects.filter(person__in=people, kind="wrong_person", ended_at=None)
    tapped = ContactAttempt.objects.filter(person__in=people, result="wrong_number")
    by = {
        (one.person_id, one.address): one.by.name if one.by else "our officer"
        for one in tapped.select_related("by")
    }
    zone = company_zone()
    return {
        (person, number): WrongNumberReport(at=at.astimezone(zone), by=by.get((person, number), ""))
        for person, number, at in stops.values_list("person", "address", "at")
    }


def _paid_touches(people: Iterable[UUID]) -> dict[UUID, list[tuple[Touch, Entry]]]:
    """What was paid for each person, newest first, and is not asked back."""
    touches = Touch.objects.filter(person__in=people).select_related("source", "lead")
    rows = {f"{TOUCH_PREFIX}{touch.pk}": touch for touch in touches.order_by("-at", "-pk")}
    costs = {entry.cause: entry for entry in Entry.objects.filter(kind="cost", cause__in=[*rows])}
    live = Claim.objects.filter(touch__in=[row.pk for row in rows.values()])
    back = set(
        live.exclude(state="refused")
        .exclude(closed_as__in=["refused", "withdrawn", "dropped", "missed"])
        .values_list("touch_id", flat=True)
    )
    found: dict[UUID, list[tuple[Touch, Entry]]] = defaultdict(list)
    for cause, touch in rows.items():
        if cause in costs and touch.pk not in back:
            found[touch.person_id].append((touch, costs[cause]))
    return found


def _earlier_payments(
    touch: Touch, paid: Iterable[tuple[Touch, Entry]], zone: ZoneInfo
) -> tuple[EarlierPurchase, ...]:
    return tuple(
        EarlierPurchase(
            at=one.at.astimezone(zone),
            source=one.source.name,
            is_same_source=one.source_id == touch.source_id,
            cents=cost.amount_cents,
            vendor_lead_id=one.vendor_lead_id,
            known_by=touch.matched_by,
        )
        for one, cost in paid
        if (one.at, one.pk) < (touch.at, touch.pk) and _is_same_request(one, touch)
    )


def _is_same_request(one: Touch, other: Touch) -> bool:
    """A refinance after a purchase is another lead, not the same one again."""
    if one.lead_id == other.lead_id:
        return True
    wishes = [touch.lead.purpose for touch in (one, other)]
    return not all(wishes) or (wishes[0] in PURCHASE_PURPOSES) == (wishes[1] in PURCHASE_PURPOSES)


class _LicensedStates:
    """In which states the company was licensed when, read once."""

    def __init__(self) -> None:
        self._rows = list(CompanyLicense.objects.values_list("state", "from_date", "until_date"))

    def is_licensed(self, state: str, day: Any) -> bool:
        return any(
            held == state and first <= day and (end is None or day < end)
            for held, first, end in self._rows
        )
