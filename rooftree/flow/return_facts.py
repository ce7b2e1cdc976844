"""What we know of paid arrivals that may be a reason to give them back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet, Sum

from rooftree.capture.intake import PURCHASE
from rooftree.compliance.models import Revocation
from rooftree.core.emails import comparison_key
from rooftree.leads.models import ContactAttempt, Email, Phone, Touch
from rooftree.money.claims import Paid
from rooftree.money.company_day import company_day, company_zone
from rooftree.money.grounds import Earlier, Facts, WrongNumber
from rooftree.money.models import Claim, Contract, Entry
from rooftree.org.models import CompanyLicense

TOUCH = "touch:"  # what the cause of an arrival's cost begins with
Known = dict[tuple[UUID, str], Any]  # by person and number or address


def paid_under(contract: Contract, *, at: datetime) -> QuerySet[Entry]:
    """What the arrivals cost that a contract covers and whose time is not over."""
    newest = company_day(at) - timedelta(days=contract.window_days)
    rows = Entry.objects.filter(
        source=contract.source_id, kind="cost", cause__startswith=TOUCH,
        on_date__gte=max(contract.from_date, newest),
    )  # fmt: skip
    return rows.filter(on_date__lt=contract.until_date) if contract.until_date else rows


def arrivals(costs: Iterable[Entry]) -> list[Paid]:
    """Their arrivals, with what nobody has taken back of each by a correction."""
    by_touch = {UUID(one.cause.removeprefix(TOUCH)): one for one in costs}
    fixed = Entry.objects.filter(cause__in=[f"correction:{one.pk}" for one in by_touch.values()])
    taken = dict(fixed.values_list("cause").annotate(Sum("amount_cents")))
    touches = Touch.objects.filter(pk__in=by_touch).select_related("source", "lead")
    return [
        Paid(touch=one, entry=cost, left_cents=cost.amount_cents - taken.get(key, 0))
        for one in touches.order_by("at", "pk")
        for cost in [by_touch[one.pk]]
        for key in [f"correction:{cost.pk}"]
    ]


def of_arrivals(paid: Sequence[Paid]) -> dict[UUID, Facts]:
    """What is known of each, by the key of its touch. As many statements for one as for many."""
    zone = company_zone()
    touches = [one.touch for one in paid]
    people = {one.person_id for one in touches}
    dead, bounced = _dead(people), _bounced(people)
    wrong, earlier = _wrong(touches), _paid_of(people)
    licensed = _Licensed()
    found = {}
    for one in touches:
        state = (one.inquiry.get("property") or {}).get("state") or ""
        numbers, unreadable = _numbers(one.inquiry)
        addresses = _addresses(one.inquiry)
        found[one.pk] = Facts(
            arrived_at=one.at.astimezone(zone),
            numbers=numbers,
            unreadable=unreadable,
            dead=_since(dead, one, numbers, zone),
            wrong={n: wrong[one.person_id, n] for n in numbers if (one.person_id, n) in wrong},
            addresses=addresses,
            bounced=_since(bounced, one, addresses, zone),
            earlier=_before(one, earlier[one.person_id], zone),
            state=state,
            is_licensed=not state or licensed.on(state, company_day(one.at)),
        )
    return found


def _numbers(inquiry: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those that can be dialed, and what was given as a number and cannot."""
    given = inquiry.get("phones") or []
    valid = dict.fromkeys(one["e164"] for one in given if one.get("e164"))
    raw = dict.fromkeys(str(one.get("raw") or "") for one in given if not one.get("e164"))
    return tuple(valid), tuple(one[:40] for one in raw if one)


def _addresses(inquiry: Mapping[str, Any]) -> tuple[str, ...]:
    given = inquiry.get("emails") or []
    return tuple(dict.fromkeys(one["address"] for one in given if one.get("address")))


def _dead(people: Iterable[UUID]) -> Known:
    rows = Phone.objects.filter(person__in=people).exclude(dead_at=None)
    return {
        (person, number): at for person, number, at in rows.values_list("person", "e164", "dead_at")
    }


def _bounced(people: Iterable[UUID]) -> Known:
    rows = Email.objects.filter(person__in=people).exclude(bounced_at=None)
    return {
        (person, key): at for person, key, at in rows.values_list("person", "key", "bounced_at")
    }


def _since(known: Known, touch: Touch, given: Iterable[str], zone: ZoneInfo) -> dict[str, datetime]:
    """What was found out about those that were given, after they were."""
    found = {
        one: known.get((touch.person_id, comparison_key(one) if "@" in one else one))
        for one in given
    }
    return {one: at.astimezone(zone) for one, at in found.items() if at and at >= touch.at}


def _wrong(touches: Sequence[Touch]) -> Known:
    """Numbers that proved to be somebody else's, with who of us found it out."""
    people = {one.person_id for one in touches}
    stops = Revocation.objects.filter(person__in=people, kind="wrong_person", ended_at=None)
    tapped = ContactAttempt.objects.filter(person__in=people, result="wrong_number")
    by = {
        (one.person_id, one.address): one.by.name if one.by else "our officer"
        for one in tapped.select_related("by")
    }
    zone = company_zone()
    return {
        (person, number): WrongNumber(at=at.astimezone(zone), by=by.get((person, number), ""))
        for person, number, at in stops.values_list("person", "address", "at")
    }


def _paid_of(people: Iterable[UUID]) -> dict[UUID, list[tuple[Touch, Entry]]]:
    """What was paid for each person, newest first, and is not asked back."""
    touches = Touch.objects.filter(person__in=people).select_related("source", "lead")
    rows = {f"{TOUCH}{one.pk}": one for one in touches.order_by("-at", "-pk")}
    costs = {one.cause: one for one in Entry.objects.filter(kind="cost", cause__in=[*rows])}
    live = Claim.objects.filter(touch__in=[one.pk for one in rows.values()])
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


def _before(
    touch: Touch, paid: Iterable[tuple[Touch, Entry]], zone: ZoneInfo
) -> tuple[Earlier, ...]:
    return tuple(
        Earlier(
            at=one.at.astimezone(zone),
            source=one.source.name,
            is_same_source=one.source_id == touch.source_id,
            cents=cost.amount_cents,
            vendor_lead_id=one.vendor_lead_id,
            known_by=touch.matched_by,
        )
        for one, cost in paid
        if (one.at, one.pk) < (touch.at, touch.pk) and _same_wish(one, touch)
    )


def _same_wish(one: Touch, other: Touch) -> bool:
    """A refinance after a purchase is another lead, not the same one again."""
    if one.lead_id == other.lead_id:
        return True
    wishes = [touch.lead.purpose for touch in (one, other)]
    return not all(wishes) or (wishes[0] in PURCHASE) == (wishes[1] in PURCHASE)


class _Licensed:
    """In which states the company was licensed when, read once."""

    def __init__(self) -> None:
        self._rows = list(CompanyLicense.objects.values_list("state", "from_date", "until_date"))

    def on(self, state: str, day: Any) -> bool:
        return any(
            held == state and first <= day and (end is None or day < end)
            for held, first, end in self._rows
        )
