"""How often: state caps over all contacts of a person, then the house's own (CAP-01)."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from rooftree.compliance import law
from rooftree.compliance.facts import PHONE, Contact, Facts, Medium, Purpose, known
from rooftree.compliance.rulebook import Cap
from rooftree.compliance.verdict import Rule, Ruling
from rooftree.core.holidays import add_months

CAP_01 = Rule(id="CAP-01", cite="Fla. Stat. 501.616(6)(b); 15 O.S. 775C.4; Md. Com. Law 14-4502(c)")
FIRST_DAY, FIRST_WEEK = timedelta(hours=24), timedelta(days=7)
HOUSE_NAMES = {Medium.CALL: "call", Medium.TEXT: "text", Medium.EMAIL: "email"}


def released_at(moments: Iterable[datetime], cap: Cap, at: datetime) -> datetime | None:
    """It is when the cap lets one more contact through, or None when it does so now.

    The window is (at - hours, at]: a contact exactly `hours` old no longer counts.
    """
    span = timedelta(hours=cap.hours)
    inside = sorted(moment for moment in moments if at - span < moment <= at)
    return None if len(inside) < cap.count else inside[-cap.count] + span


def decide(facts: Facts) -> Ruling | None:
    """The first cap that is reached, the state's before the house's; else under all."""
    medium = known(facts.medium, "medium")
    if not _is_marketing(facts) or medium == Medium.MAIL:
        return None
    at, contacts = known(facts.at, "at"), known(facts.contacts, "contacts")
    reached = _reached(facts, contacts, at)
    if not reached:
        return CAP_01.allow("under_cap")
    reason, _, cite = reached[0]
    return CAP_01.defer(reason, max(one[1] for one in reached), cite)


def _is_marketing(facts: Facts) -> bool:
    return known(facts.purpose, "purpose") == Purpose.MARKETING or known(
        facts.has_promo, "has_promo"
    )


def _reached(
    facts: Facts, contacts: tuple[Contact, ...], at: datetime
) -> list[tuple[str, datetime, str]]:
    """They are reason, release and citation of every reached cap, the state's first."""
    medium = known(facts.medium, "medium")
    found = []
    if medium in PHONE:
        phone = [one.at for one in contacts if one.medium is None or one.medium in PHONE]
        for cap, is_automated in _state_caps(facts):
            release = released_at(phone, cap, at)
            if release is not None:
                tail = "_automated" if is_automated else ""
                found.append((f"cap_{cap.count}_in_{cap.hours}h{tail}", release, cap.cite))
    name = HOUSE_NAMES.get(medium)
    if name is not None:
        same = [one.at for one in contacts if one.medium == medium]
        for cap in _house_caps(name, facts, at):
            release = released_at(same, cap, at)
            if release is not None:
                found.append((_house_reason(cap, name), release, "house"))
    return found


def _state_caps(facts: Facts) -> list[tuple[Cap, bool]]:
    found: list[tuple[Cap, bool]] = []
    for state in law.states(facts):
        if not (state.code == "OR" and is_exempt_in_oregon(facts)):
            found += [(cap, False) for cap in state.caps]
        if known(facts.is_automated, "is_automated"):
            found += [(cap, True) for cap in state.automated_caps]
    return found


def is_exempt_in_oregon(facts: Facts) -> bool:
    """ORS 646.561 ff.: a customer of the last 18 months, by a relationship with us."""
    today: date = known(facts.at, "at").date()
    months = law.number("ebr_transaction_months", facts)
    return any(
        one.with_us and today < add_months(one.on, months)
        for one in known(facts.relationships, "relationships")
    )


def _house_caps(name: str, facts: Facts, at: datetime) -> tuple[Cap, ...]:
    """They are the caps of the day; a fresh inquiry has caps of its own."""
    inquired_at = known(facts.inquired_at, "inquired_at")
    everyday = law.house_caps(name, facts)
    since = None if inquired_at is None or inquired_at > at else at - inquired_at
    weekly = tuple(cap for cap in everyday if cap.hours > 24)
    if since is not None and since < FIRST_WEEK and name == "email":
        weekly = (Cap(count=law.number("first_week_email", facts), hours=168),)
        everyday = weekly
    if since is not None and since < FIRST_DAY:
        return (Cap(count=law.number(f"first_day_{name}", facts), hours=24), *weekly)
    return everyday


def _house_reason(cap: Cap, name: str) -> str:
    span = f"{cap.hours // 24}d" if cap.hours > 24 else f"{cap.hours}h"
    return f"house_cap_{cap.count}_{name}_{span}"
