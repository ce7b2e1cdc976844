"""Checks that routing rules are valid and lawful, with sentences for the person editing them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rooftree.core.us_states import STATES
from rooftree.leads.vocabulary import Purpose
from rooftree.org.working_hours import WEEKDAYS
from rooftree.routing.permitted_rule_facts import equal_wait_sentence, refusal_of_field
from rooftree.routing.routing_rules import (
    ArrivalSpan,
    Backup,
    BackupKind,
    Criteria,
    Rule,
    WhenNobody,
)

MAX_TAKE_SECONDS = 3600
MIN_TAKE_SECONDS = 15
MAX_WEIGHT = 10
CREDIT_BANDS = ("excellent", "good", "fair", "poor", "no_history")


class BadRules(Exception):
    """Rules that can't be published. `problems` are sentences for staff."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


def parse_rules(typed: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Parse typed rules, in order.

    Raises `BadRules` with every problem of every rule, so that all can be fixed at once.
    """
    problems = [problem for rule in typed for problem in _unknown_field_problems(rule)]
    if problems:
        raise BadRules(problems)
    try:
        rules = tuple(Rule.from_json(rule) for rule in typed)
    except (TypeError, ValueError, KeyError) as error:
        raise BadRules([f"Part of a rule can't be read: {error}."]) from error
    check_rules(rules)
    return rules


def check_rules(rules: Sequence[Rule]) -> None:
    """Raise `BadRules` unless each rule and all rules together can be published."""
    problems = [
        f"{_rule_label(rule)}: {problem}" for rule in rules for problem in find_problems(rule)
    ]
    names = [rule.name.strip().lower() for rule in rules]
    repeated = {rule.name for rule in rules if names.count(rule.name.strip().lower()) > 1}
    problems += _language_wait_problems(rules)
    problems += [f"Two rules are called {name}. Give each rule its own name." for name in repeated]
    if not rules:
        problems.append("Add at least one rule. Without rules, every lead raises an alarm.")
    if problems:
        raise BadRules(problems)


def _language_wait_problems(rules: Sequence[Rule]) -> Iterator[str]:
    """Yield rules by language that allow more time than the later rules they override."""
    for place, rule in enumerate(rules):
        others = [rule.take_seconds for rule in rules[place:] if not rule.criteria.languages]
        if rule.criteria.languages and rule.take_seconds > min(others, default=rule.take_seconds):
            yield (
                f"{_rule_label(rule)}: allow at most {min(others)} seconds to take the lead, like "
                f"the rules below; {equal_wait_sentence()}."
            )


def find_problems(rule: Rule) -> list[str]:
    """Return the problems of one rule, as sentences."""
    problems = [] if rule.name.strip() else ["give it a name."]
    problems += _criteria_problems(rule.criteria)
    problems += _pool_problems(rule)
    problems += _take_time_problems(rule.take_seconds)
    for place, step in enumerate(rule.chain, start=1):
        problems += [f"step {place} of the chain: {text}" for text in _backup_problems(step)]
    if rule.nobody is WhenNobody.POOL and (
        rule.nobody_pool is None or rule.nobody_pool.is_everyone
    ):
        problems.append("choose the pool to use when no one is eligible.")
    return problems


def _unknown_field_problems(typed: Mapping[str, Any]) -> Iterator[str]:
    rule_fields = set(Rule.__dataclass_fields__)
    label = typed.get("name") or "Unnamed rule"
    for key in typed.keys() - rule_fields:
        yield f"{label}: {refusal_of_field(key) or f'put {key} under criteria.'}"
    criteria = typed.get("criteria")
    if criteria is not None and not isinstance(criteria, Mapping):
        yield f"{label}: criteria must be a list of names and values."
        return
    for key in criteria or {}:
        if refusal := refusal_of_field(key):
            yield f"{label}: {refusal}"


def _criteria_problems(criteria: Criteria) -> Iterator[str]:
    unknown = [state for state in criteria.states if state not in STATES]
    if unknown:
        yield f"{', '.join(unknown)} is not a state; use a two-letter code such as TX."
    if criteria.states and criteria.without_state:
        yield "choose states or leads without a state, not both; make two rules."
    if unknown_purposes := sorted(set(criteria.purposes) - set(Purpose)):
        yield f"{', '.join(unknown_purposes)} is not a loan purpose."
    if set(criteria.credit_bands) - set(CREDIT_BANDS):
        yield f"self-reported credit must be one of {', '.join(CREDIT_BANDS)}."
    if criteria.inquiry not in ("", "new", "repeat"):
        yield "inquiry must be new or repeat."
    yield from _number_problems(criteria)
    if criteria.hours:
        yield from _span_problems(criteria.hours)


def _number_problems(criteria: Criteria) -> Iterator[str]:
    least, limit, score = (
        criteria.amount_from_cents,
        criteria.amount_below_cents,
        criteria.score_at_least,
    )
    if least is not None and limit is not None and least >= limit:
        yield "the minimum amount must be below the maximum."
    if score is not None and not 0 <= score <= 100:
        yield "the score must be between 0 and 100."


def _span_problems(span: ArrivalSpan) -> Iterator[str]:
    if set(span.days) - set(WEEKDAYS):
        yield "write days as mon, tue, wed, thu, fri, sat, sun."
    clocks = (span.from_time, span.until_time)
    if not all(len(c) == 5 and c[2] == ":" and "00:00" <= c <= "24:00" for c in clocks):
        yield "write times as 08:00."
    elif span.from_time == span.until_time:
        yield "the start and end times must differ."


def _pool_problems(rule: Rule) -> Iterator[str]:
    if rule.criteria.without_state and rule.pool.is_everyone:
        yield (
            "choose the officers who ask for the property state. Without a state no license can "
            "be checked, so the pool can't be everyone."
        )
    weights = rule.pool.weights.values()
    if not all(isinstance(weight, int) and 1 <= weight <= MAX_WEIGHT for weight in weights):
        yield f"a share must be a whole number from 1 to {MAX_WEIGHT}."


def _take_time_problems(seconds: int) -> Iterator[str]:
    if not MIN_TAKE_SECONDS <= seconds <= MAX_TAKE_SECONDS:
        yield f"allow between {MIN_TAKE_SECONDS} seconds and an hour to take a lead."


def _backup_problems(step: Backup) -> Iterator[str]:
    if step.kind is BackupKind.OFFICERS and not step.officers:
        yield "choose the loan officers."
    if step.kind is BackupKind.BRANCH and not step.branch:
        yield "choose a branch."
    yield from _take_time_problems(step.take_seconds)


def _rule_label(rule: Rule) -> str:
    return rule.name.strip() or "Unnamed rule"
