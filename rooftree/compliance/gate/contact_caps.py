"""Contact limits: state caps over all contacts with a person, then house caps (CAP-01).

State caps count every contact. House caps are the company's own: they don't count a contact the
borrower waits for, and what was sent automatically doesn't use up a person's own contacts.
"""

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
from rooftree.compliance.gate.verdict import HOUSE, Rule, Ruling
from rooftree.core.holidays import add_months

CAP_01 = Rule(id="CAP-01", cite="Fla. Stat. 501.616(6)(b); 15 O.S. 775C.4; Md. Com. Law 14-4502(c)")
FIRST_DAY_SPAN, FIRST_WEEK_SPAN = timedelta(hours=24), timedelta(days=7)
CALLS_PER_ATTEMPT = 2  # a double dial is one attempt
HOUSE_CAP_NAMES = {Medium.CALL: "call", Medium.TEXT: "text", Medium.EMAIL: "email"}


def cap_ends_at(moments: Iterable[datetime], cap: Cap, at: datetime) -> datetime | None:
    """Return when the cap allows one more contact, or None when it allows one now.

    The window is (at - hours, at]: a contact exactly `hours` old no longer counts.
    """
    span = timedelta(hours=cap.hours)
    inside = sorted(moment for moment in moments if at - span < moment <= at)
    return None if len(inside) < cap.count else inside[-cap.count] + span


def check_contact_caps(facts: Facts) -> list[Ruling] | None:
    """Defer until every reached cap allows one more contact, state and house caps apart."""
    medium = get_fact(facts.medium, "medium")
    is_marketing = get_fact(facts.purpose, "purpose") == Purpose.MARKETING or get_fact(
        facts.has_promo, "has_promo"
    )
    if not is_marketing or medium == Medium.MAIL:
        return None
    at, contacts = get_fact(facts.at, "at"), get_fact(facts.contacts, "contacts")
    rulings = []
    for reached in (_reached_state_caps(facts, contacts, at), _reached_house_caps(facts, at)):
        if reached:
            reason, _, cite = reached[0]
            rulings.append(CAP_01.defer(reason, max(cap[1] for cap in reached), cite))
    return rulings or [CAP_01.allow("under_cap")]


def _reached_state_caps(
    facts: Facts, contacts: tuple[PriorContact, ...], at: datetime
) -> list[tuple[str, datetime, str]]:
    """Return reason, end and citation of every reached state cap."""
    if get_fact(facts.medium, "medium") not in PHONE_MEDIA:
        return []
    phone_contacts = [
        contact.at
        for contact in contacts
        if contact.medium is None or contact.medium in PHONE_MEDIA
    ]
    reached = []
    for cap, is_automated in _state_caps(facts):
        ends_at = cap_ends_at(phone_contacts, cap, at)
        if ends_at is not None:
            suffix = "_automated" if is_automated else ""
            reached.append((f"cap_{cap.count}_in_{cap.hours}h{suffix}", ends_at, cap.cite))
    return reached


def _reached_house_caps(facts: Facts, at: datetime) -> list[tuple[str, datetime, str]]:
    """Return reason, end and citation of every reached house cap."""
    name = HOUSE_CAP_NAMES.get(get_fact(facts.medium, "medium"))
    if name is None or facts.awaited_contact:
        return []
    counted, reached = _attempts_for_house(facts, at), []
    for cap in _house_caps(name, facts, at):
        ends_at = cap_ends_at(counted, cap, at)
        if ends_at is not None:
            span = f"{cap.hours // 24}d" if cap.hours > 24 else f"{cap.hours}h"
            reached.append((f"house_cap_{cap.count}_{name}_{span}", ends_at, HOUSE))
    return reached


def _attempts_for_house(facts: Facts, at: datetime) -> list[datetime]:
    """Return the moments that house caps count for one more contact at `at`.

    What was sent automatically counts for automatic messages only. A second call by hand within
    the minutes of a double dial belongs to the first one; so does the call that is decided now.
    """
    medium, is_automated = (
        get_fact(facts.medium, "medium"),
        get_fact(facts.is_automated, "is_automated"),
    )
    contacts = [
        contact
        for contact in get_fact(facts.contacts, "contacts")
        if contact.medium == medium and (is_automated or contact.is_automated is not True)
    ]
    if medium != Medium.CALL or is_automated:
        return [contact.at for contact in contacts]
    by_hand = [contact.at for contact in contacts if contact.is_automated is False]
    others = [contact.at for contact in contacts if contact.is_automated is None]
    within = timedelta(minutes=effective_rules.effective_number("double_dial_minutes", facts))
    attempts = _group_double_dials(by_hand, within)
    if attempts and len(attempts[-1]) < CALLS_PER_ATTEMPT and at - attempts[-1][0] <= within:
        attempts.pop()
    return others + [attempt[0] for attempt in attempts]


def _group_double_dials(calls: Iterable[datetime], within: timedelta) -> list[list[datetime]]:
    attempts: list[list[datetime]] = []
    for call_at in sorted(calls):
        if (
            attempts
            and len(attempts[-1]) < CALLS_PER_ATTEMPT
            and call_at - attempts[-1][0] <= within
        ):
            attempts[-1].append(call_at)
        else:
            attempts.append([call_at])
    return attempts


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
