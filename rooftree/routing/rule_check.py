"""Checks that routing rules are valid and lawful, with sentences for the person editing them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

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


class RuleProblem(NamedTuple):
    """One problem of a rule, and the name of the editor's field that it is about."""

    field: str
    text: str


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
        f"{rule.name.strip() or 'Unnamed rule'}: {problem.text}"
        for place, rule in enumerate(rules)
        for problem in (*find_problems(rule), *find_language_wait_problems(rules, place))
    ]
    names = [rule.name.strip().lower() for rule in rules]
    repeated = {rule.name for rule in rules if names.count(rule.name.strip().lower()) > 1}
    problems += [f"Two rules are called {name}. Give each rule its own name." for name in repeated]
    if not rules:
        problems.append("Add at least one rule. Without rules, every lead raises an alarm.")
    if problems:
        raise BadRules(problems)


def find_language_wait_problems(rules: Sequence[Rule], place: int) -> Iterator[RuleProblem]:
    """Yield a problem if the rule at `place` goes by language and allows too much time.

    It can't allow more time than the rules that it overrides: those below it, for any language.
    """
    rule = rules[place]
    others = [other.take_seconds for other in rules[place:] if not other.criteria.languages]
    if rule.criteria.languages and rule.take_seconds > min(others, default=rule.take_seconds):
        yield RuleProblem(
            "take_seconds",
            f"allow at most {min(others)} seconds to take the lead, like the rules below; "
            f"{equal_wait_sentence()}.",
        )


def find_problems(rule: Rule) -> list[RuleProblem]:
    """Return the problems of one rule."""
    problems = [] if rule.name.strip() else [RuleProblem("name", "give it a name.")]
    problems += _criteria_problems(rule.criteria)
    problems += _pool_problems(rule)
    problems += _take_time_problems("take_seconds", rule.take_seconds)
    for place, step in enumerate(rule.chain, start=1):
        problems += [
            RuleProblem(problem.field, f"step {place} of the chain: {problem.text}")
            for problem in _backup_problems(place, step)
        ]
    if rule.nobody is WhenNobody.POOL and (
        rule.nobody_pool is None or rule.nobody_pool.is_everyone
    ):
        problems.append(RuleProblem("nobody", "choose the pool to use when no one is eligible."))
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


def _criteria_problems(criteria: Criteria) -> Iterator[RuleProblem]:
    unknown = [state for state in criteria.states if state not in STATES]
    if unknown:
        text = f"{', '.join(unknown)} is not a state; use a two-letter code such as TX."
        yield RuleProblem("states", text)
    if criteria.states and criteria.without_state:
        text = "choose states or leads without a state, not both; make two rules."
        yield RuleProblem("without_state", text)
    if unknown_purposes := sorted(set(criteria.purposes) - set(Purpose)):
        yield RuleProblem("purposes", f"{', '.join(unknown_purposes)} is not a loan purpose.")
    if set(criteria.credit_bands) - set(CREDIT_BANDS):
        text = f"self-reported credit must be one of {', '.join(CREDIT_BANDS)}."
        yield RuleProblem("credit_bands", text)
    if criteria.inquiry not in ("", "new", "repeat"):
        yield RuleProblem("inquiry", "inquiry must be new or repeat.")
    yield from _number_problems(criteria)
    if criteria.hours:
        yield from _span_problems(criteria.hours)


def _number_problems(criteria: Criteria) -> Iterator[RuleProblem]:
    least, limit, score = (
        criteria.amount_from_cents,
        criteria.amount_below_cents,
        criteria.score_at_least,
    )
    if least is not None and limit is not None and least >= limit:
        yield RuleProblem("amount_from_cents", "the minimum amount must be below the maximum.")
    if score is not None and not 0 <= score <= 100:
        yield RuleProblem("score_at_least", "the score must be between 0 and 100.")


def _span_problems(span: ArrivalSpan) -> Iterator[RuleProblem]:
    if set(span.days) - set(WEEKDAYS):
        yield RuleProblem("days", "write days as mon, tue, wed, thu, fri, sat, sun.")
    clocks = (span.from_time, span.until_time)
    if not all(len(c) == 5 and c[2] == ":" and "00:00" <= c <= "24:00" for c in clocks):
        yield RuleProblem("from_time", "write times as 08:00.")
    elif span.from_time == span.until_time:
        yield RuleProblem("until_time", "the start and end times must differ.")


def _pool_problems(rule: Rule) -> Iterator[RuleProblem]:
    if rule.criteria.without_state and rule.pool.is_everyone:
        yield RuleProblem(
            "pool_branches",
            "choose the officers who ask for the property state. Without a state no license can "
            "be checked, so the pool can't be everyone.",
        )
    weights = rule.pool.weights.values()
    if not all(isinstance(weight, int) and 1 <= weight <= MAX_WEIGHT for weight in weights):
        text = f"a share must be a whole number from 1 to {MAX_WEIGHT}."
        yield RuleProblem("pool_branches", text)


def _take_time_problems(field: str, seconds: int) -> Iterator[RuleProblem]:
    if not MIN_TAKE_SECONDS <= seconds <= MAX_TAKE_SECONDS:
        text = f"allow between {MIN_TAKE_SECONDS} seconds and an hour to take a lead."
        yield RuleProblem(field, text)


def _backup_problems(place: int, step: Backup) -> Iterator[RuleProblem]:
    if step.kind is BackupKind.OFFICERS and not step.officers:
        yield RuleProblem(f"step_{place}", "choose the loan officers.")
    if step.kind is BackupKind.BRANCH and not step.branch:
        yield RuleProblem(f"step_{place}", "choose a branch.")
    yield from _take_time_problems(f"step_{place}_seconds", step.take_seconds)
