"""Rules that can never get a lead to an officer, and why, as sentences for staff."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import product

from django.utils.text import get_text_list

from rooftree.core.us_states import STATES
from rooftree.org.models import LoanOfficer
from rooftree.routing.permitted_officers import find_entitlement_problems
from rooftree.routing.routing_rules import ArrivalSpan, Criteria, Rule


def find_unreachable_rules(rules: Sequence[Rule], *, at: datetime) -> dict[str, str]:
    """Return why each rule that can never work can't, by the rule's name."""
    officers = list(LoanOfficer.objects.filter(terminated_at=None).select_related("branch"))
    reasons: dict[str, str] = {}
    licensed: dict[str, set[str]] = {}
    for place, rule in enumerate(rules):
        earlier = find_covering_rules(rules[:place], rule)
        if earlier:
            names = get_text_list([f"“{name}”" for name in earlier], "and")
            take = "takes" if len(earlier) == 1 else "take"
            reasons[rule.name] = f"{names} above {take} every lead that it matches. Move it up."
        elif reason := _find_pool_problem(rule, officers, licensed, at):
            reasons[rule.name] = reason
    return reasons


def find_covering_rules(earlier: Sequence[Rule], rule: Rule) -> list[str]:
    """Return the names of the rules that take every lead of a later rule; [] if some get past.

    Several rules together can cover it: each combination of its states and sources is
    looked up on its own.
    """
    names: list[str] = []
    criteria = rule.criteria
    cells = product(criteria.states or ("",), criteria.sources or ("",))
    for state, source in cells:
        cell = replace(
            criteria,
            states=(state,) if state else (),
            sources=(source,) if source else (),
        )
        first = next((other for other in earlier if _covers(other.criteria, cell)), None)
        if first is None:
            return []
        names.append(first.name)
    return list(dict.fromkeys(names))


def place_for_new_rule(rules: Sequence[Rule], rule: Rule) -> int:
    """Return the index at which a new rule gets its leads: above the first that covers it.

    A rule that is as wide as the one that covers it goes to the end.
    """
    return next(
        (
            index
            for index, other in enumerate(rules)
            if _covers(other.criteria, rule.criteria) and not _covers(rule.criteria, other.criteria)
        ),
        len(rules),
    )


def _find_pool_problem(
    rule: Rule, officers: Sequence[LoanOfficer], licensed: dict[str, set[str]], at: datetime
) -> str:
    """Return why no officer of a rule, its chain included, could ever get one of its leads."""
    pools = [rule.pool_at(place) for place in range(len(rule.chain) + 1)]
    pools += [rule.nobody_pool] if rule.nobody_pool else []
    members = {
        str(officer.pk)
        for officer in officers
        if any(pool.includes(str(officer.pk), officer.branch.path) for pool in pools)
    }
    if not members:
        return "No active loan officer is in its pool. Choose others."
    for state in rule.criteria.states:
        if state not in licensed:
            problems = find_entitlement_problems(officers, state=state, at=at)
            licensed[state] = {
                str(officer.pk) for officer in officers if officer.pk not in problems
            }
        if members & licensed[state]:
            return ""
    if not rule.criteria.states:
        return ""
    states = get_text_list([STATES.get(state, state) for state in rule.criteria.states], "or")
    return f"None of its loan officers can lend in {states}. Choose others, or check the licenses."


def _covers(wide: Criteria, narrow: Criteria) -> bool:
    """Return True if `wide` matches every lead that `narrow` matches."""
    return (
        wide.without_state == narrow.without_state
        and _includes(wide.states, narrow.states)
        and _includes(wide.sources, narrow.sources)
        and _includes_purposes(wide.purposes, narrow.purposes)
        and _includes(wide.languages, narrow.languages)
        and _includes(wide.credit_bands, narrow.credit_bands)
        and _is_lower(wide.amount_from_cents, narrow.amount_from_cents)
        and _is_lower(wide.score_at_least, narrow.score_at_least)
        and (
            wide.amount_below_cents is None
            or (
                narrow.amount_below_cents is not None
                and narrow.amount_below_cents <= wide.amount_below_cents
            )
        )
        and wide.inquiry in ("", narrow.inquiry)
        and _includes_hours(wide.hours, narrow.hours)
    )


def _includes(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    return not wide or (bool(narrow) and set(narrow) <= set(wide))


def _includes_purposes(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    """Return True if each narrow purpose is a wide one, or a kind of one."""
    return not wide or (
        bool(narrow)
        and all(any(f"{kind}_".startswith(f"{other}_") for other in wide) for kind in narrow)
    )


def _is_lower(wide: int | None, narrow: int | None) -> bool:
    return wide is None or (narrow is not None and wide <= narrow)


def _includes_hours(wide: ArrivalSpan | None, narrow: ArrivalSpan | None) -> bool:
    if wide is None:
        return True
    if narrow is None or not _includes(wide.days, narrow.days):
        return False
    times = (wide.from_time, wide.until_time)
    return times in (("00:00", "24:00"), (narrow.from_time, narrow.until_time))
