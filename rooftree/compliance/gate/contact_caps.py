"""Contact limits: state caps over all contacts with a person, then house caps (CAP-01)."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from rooftree.compliance.gate import effective_rules
from rooftree.compliance.gate.facts import (
    PHONE_MEDIA,
    Facts,
    Medium,
    PriorContact,
    Purpose,
    get_fact,
)
from rooftree.compliance.gate.rulebook import Cap
from rooftree.compliance.gate.verdict import Rule, Ruling
from rooftree.core.holidays import add_months

CAP_01 = Rule(id="CAP-01", cite="Fla. Stat. 501.616(6)(b); 15 O.S. 775C.4; Md. Com. Law 14-4502(c)")
FIRST_DAY_SPAN, FIRST_WEEK_SPAN = timedelta(hours=24), timedelta(days=7)
HOUSE_CAP_NAMES = {Medium.CALL: "call", Medium.TEXT: "text", Medium.EMAIL: "email"}


def cap_ends_at(moments: Iterable[datetime], cap: Cap, at: datetime) -> datetime | None:
    """Return when the cap allows one more contact, or None when it allows one now.

    The window is (at - hours, at]: a contact exactly `hours` old no longer counts.
    """
    span = timedelta(hours=cap.hours)
    inside = sorted(moment for moment in moments if at - span < moment <= at)
    return None if len(inside) < cap.count else inside[-cap.count] + span


def check_contact_caps(facts: Facts) -> Ruling | None:
    """Defer until every reached cap allows one more contact; the first state cap is the reason."""
    medium = get_fact(facts.medium, "medium")
    is_marketing = get_fact(facts.purpose, "purpose") == Purpose.MARKETING or get_fact(
        facts.has_promo, "has_promo"
    )
    if not is_marketing or medium == Medium.MAIL:
        return None
    at, contacts = get_fact(facts.at, "at"), get_fact(facts.contacts, "contacts")
    reached = _reached_caps(facts, contacts, at)
    if not reached:
        return CAP_01.allow("under_cap")
    reason, _, cite = reached[0]
    return CAP_01.defer(reason, max(reached_cap[1] for reached_cap in reached), cite)


def _reached_caps(
    facts: Facts, contacts: tuple[PriorContact, ...], at: datetime
) -> list[tuple[str, datetime, str]]:
    """Return reason, end and citation of every reached cap, state caps first."""
    medium = get_fact(facts.medium, "medium")
    reached = []
    if medium in PHONE_MEDIA:
        phone_contacts = [
            contact.at
            for contact in contacts
            if contact.medium is None or contact.medium in PHONE_MEDIA
        ]
        for cap, is_automated in _state_caps(facts):
            ends_at = cap_ends_at(phone_contacts, cap, at)
            if ends_at is not None:
                suffix = "_automated" if is_automated else ""
                reached.append((f"cap_{cap.count}_in_{cap.hours}h{suffix}", ends_at, cap.cite))
    name = HOUSE_CAP_NAMES.get(medium)
    if name is not None:
        same_medium = [contact.at for contact in contacts if contact.medium == medium]
        for cap in _house_caps(name, facts, at):
            ends_at = cap_ends_at(same_medium, cap, at)
            if ends_at is not None:
                span = f"{cap.hours // 24}d" if cap.hours > 24 else f"{cap.hours}h"
                reached.append((f"house_cap_{cap.count}_{name}_{span}", ends_at, "house"))
    return reached


def _state_caps(facts: Facts) -> list[tuple[Cap, bool]]:
    """Return each state cap with True for the caps of automated contacts."""
    caps: list[tuple[Cap, bool]] = []
    for state in effective_rules.candidate_state_rules(facts):
        if not (state.code == "OR" and is_exempt_in_oregon(facts)):
            caps += [(cap, False) for cap in state.caps]
        if get_fact(facts.is_automated, "is_automated"):
            caps += [(cap, True) for cap in state.automated_caps]
    return caps


def is_exempt_in_oregon(facts: Facts) -> bool:
    """Return whether a relationship within 18 months exempts the person (ORS 646.561 ff.)."""
    today: date = get_fact(facts.at, "at").date()
    months = effective_rules.effective_number("ebr_transaction_months", facts)
    return any(
        relationship.with_us and today < add_months(relationship.on, months)
        for relationship in get_fact(facts.relationships, "relationships")
    )


def _house_caps(name: str, facts: Facts, at: datetime) -> tuple[Cap, ...]:
    """Return the house caps at `at`; the first day and week after an inquiry have their own."""
    inquired_at = get_fact(facts.inquired_at, "inquired_at")
    everyday = effective_rules.effective_house_caps(name, facts)
    since = None if inquired_at is None or inquired_at > at else at - inquired_at
    weekly = tuple(cap for cap in everyday if cap.hours > 24)
    if since is not None and since < FIRST_WEEK_SPAN and name == "email":
        weekly = (
            Cap(count=effective_rules.effective_number("first_week_email", facts), hours=168),
        )
        everyday = weekly
    if since is not None and since < FIRST_DAY_SPAN:
        return (
            Cap(count=effective_rules.effective_number(f"first_day_{name}", facts), hours=24),
            *weekly,
        )
    return everyday
