"""Plain-English descriptions of rules, shown on the routing page and on every decision."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from rooftree.core.clock_words import format_clock
from rooftree.core.us_states import STATES
from rooftree.routing.routing_rules import (
    ArrivalSpan,
    Backup,
    BackupKind,
    Criteria,
    Pool,
    Rule,
    WhenNobody,
)

SPOKEN_LANGUAGES = {
    "en": "English", "es": "Spanish", "zh": "Chinese", "vi": "Vietnamese", "ko": "Korean",
    "tl": "Tagalog", "ru": "Russian", "fr": "French", "pt": "Portuguese", "ar": "Arabic",
}  # fmt: skip
PURPOSE_NAMES = {
    "purchase": "purchase",
    "refinance": "refinance",
    "refinance_rate_term": "rate-and-term refinance",
    "refinance_cash_out": "cash-out refinance",
    "home_equity_loan": "home equity loan",
    "heloc": "home equity line",
    "home_equity": "home equity",
    "construction": "construction",
    "renovation": "renovation",
    "reverse": "reverse mortgage",
    "other": "other",
}
DAY_NAMES = {
    "mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday",
    "fri": "Friday", "sat": "Saturday", "sun": "Sunday",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleNames:
    """The names shown on screen for the ids and slugs in rules."""

    sources: Mapping[str, str] = field(default_factory=dict)
    branches: Mapping[str, str] = field(default_factory=dict)
    officers: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    alarm: str = "the manager on duty"  # the company's alarm contact


def rule_sentence(rule: Rule, names: RuleNames) -> str:
    """Describe a rule, from the leads it matches to the fallback when no one is eligible."""
    parts = [
        f"{criteria_phrase(rule.criteria, names)} goes to {_pool_phrase(rule.pool, names)}, "
        f"round robin, with {format_duration(rule.take_seconds)} to take it"
    ]
    parts += [f"then to {_step_phrase(step, names)}" for step in rule.chain]
    contact = names.users.get(rule.alarm_user_id, names.alarm)
    return (
        f"{'; '.join(parts)}. If no one takes it, {contact} is notified. "
        f"{_fallback_sentence(rule, names, contact)}"
    )


def criteria_phrase(criteria: Criteria, names: RuleNames) -> str:
    """Describe the leads a rule matches, as a sentence start: `A Zillow purchase lead in TX`."""
    first = "Any lead" if criteria == Criteria() else _lead_phrase(criteria, names)
    return " ".join([first, *_criteria_details(criteria)])


def format_duration(seconds: int) -> str:
    """Format seconds in the largest unit that divides them: `2 minutes`, `45 seconds`."""
    amount, unit = (seconds // 60, "minute") if seconds % 60 == 0 else (seconds, "second")
    return f"{amount} {unit}{'' if amount == 1 else 's'}"


def join_with_or(words: Iterable[str]) -> str:
    """Join words as a choice: `a, b or c`."""
    listed = list(words)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} or {listed[-1]}"


def _lead_phrase(criteria: Criteria, names: RuleNames) -> str:
    words = []
    if criteria.inquiry:
        words.append("repeat" if criteria.inquiry == "repeat" else "new")
    if criteria.sources:
        words.append(join_with_or(names.sources.get(slug, slug) for slug in criteria.sources))
    if criteria.purposes:
        words.append(join_with_or(PURPOSE_NAMES.get(p, p) for p in criteria.purposes))
    phrase = " ".join([*words, "lead"])
    return f"{'An' if phrase[0] in 'aeiouAEIO' else 'A'} {phrase}"


def _criteria_details(criteria: Criteria) -> Iterator[str]:
    if criteria.states:
        is_single = len(criteria.states) == 1
        yield "in " + join_with_or(
            STATES[state] if is_single and state in STATES else state for state in criteria.states
        )
    if criteria.without_state:
        yield "without a property state"
    yield from _amount_phrases(criteria)
    if criteria.credit_bands:
        bands = join_with_or(band.replace("_", " ") for band in criteria.credit_bands)
        yield f"with self-reported credit {bands}"
    if criteria.score_at_least is not None:
        yield f"with a score of {criteria.score_at_least} or more"
    if criteria.languages:
        languages = join_with_or(SPOKEN_LANGUAGES.get(tag, tag) for tag in criteria.languages)
        yield f"asking for {languages}"
    if criteria.hours:
        yield _span_phrase(criteria.hours)


def _amount_phrases(criteria: Criteria) -> Iterator[str]:
    if criteria.amount_from_cents is not None:
        yield f"of ${criteria.amount_from_cents // 100:,} or more"
    if criteria.amount_below_cents is not None:
        yield f"below ${criteria.amount_below_cents // 100:,}"


def _span_phrase(span: ArrivalSpan) -> str:
    days = f"on {join_with_or(DAY_NAMES.get(day, day) for day in span.days)} " if span.days else ""
    return f"arriving {days}from {format_clock(span.from_time)} to {format_clock(span.until_time)}"


def _pool_phrase(pool: Pool, names: RuleNames) -> str:
    if pool.is_everyone:
        return "all eligible loan officers"
    teams = [f"the {names.branches.get(b, 'closed')} team" for b in pool.branches]
    people = [names.officers.get(o, "a former loan officer") for o in pool.officers]
    return " and ".join(filter(None, [", ".join(teams), ", ".join(people)]))


def _step_phrase(step: Backup, names: RuleNames) -> str:
    if step.kind is BackupKind.POOL:
        target = "the next officer in the pool"
    elif step.kind is BackupKind.OFFICERS:
        target = _pool_phrase(Pool(officers=step.officers), names)
    else:
        target = _pool_phrase(Pool(branches=(step.branch,)), names)
    return f"{target} for {format_duration(step.take_seconds)}"


def _fallback_sentence(rule: Rule, names: RuleNames, contact: str) -> str:
    if rule.nobody is WhenNobody.HOLD:
        return "If everyone is off work, the lead waits until the first officer starts work."
    if rule.nobody is WhenNobody.POOL and rule.nobody_pool:
        return f"If no one is eligible, it goes to {_pool_phrase(rule.nobody_pool, names)}."
    return f"If no one is eligible, {contact} is notified right away."
