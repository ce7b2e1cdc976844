"""A rule in one plain sentence, as the routing page and every decision show it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from rooftree.core.states import STATES
from rooftree.routing.rules import Backup, Criteria, Nobody, Pool, Rule, Span, Step

LANGUAGES = {
    "en": "English", "es": "Spanish", "zh": "Chinese", "vi": "Vietnamese", "ko": "Korean",
    "tl": "Tagalog", "ru": "Russian", "fr": "French", "pt": "Portuguese", "ar": "Arabic",
}  # fmt: skip
PURPOSES = {
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
DAYS = {
    "mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday",
    "fri": "Friday", "sat": "Saturday", "sun": "Sunday",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the ids and slugs in rules are called on screen."""

    sources: Mapping[str, str] = field(default_factory=dict)
    branches: Mapping[str, str] = field(default_factory=dict)
    officers: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    alarm: str = "the manager on duty"  # whom the company names


def sentence(rule: Rule, names: Names) -> str:
    """What a rule does, from which leads it fits to what happens when nobody can."""
    parts = [
        f"{subject(rule.criteria, names)} goes to {_pool(rule.pool, names)}, in turn, "
        f"{duration(rule.take_seconds)} to take it"
    ]
    parts += [f"then {_step(step, names)}" for step in rule.chain]
    alarmed = names.users.get(rule.alarm_user_id, names.alarm)
    ending = f"and at the end {alarmed} is called"
    return f"{', '.join([*parts, ending])}. {_nobody(rule, names, alarmed)}"


def subject(criteria: Criteria, names: Names) -> str:
    """Which leads, as the start of a sentence: `A Zillow purchase lead in TX`."""
    first = "Any lead" if criteria == Criteria() else _kind(criteria, names)
    return " ".join([first, *_details(criteria)])


def duration(seconds: int) -> str:
    """Seconds in the largest unit that divides them: `2 minutes`, `45 seconds`."""
    amount, unit = (seconds // 60, "minute") if seconds % 60 == 0 else (seconds, "second")
    return f"{amount} {unit}{'' if amount == 1 else 's'}"


def either(words: Iterable[str]) -> str:
    """Words as a choice: `a, b or c`."""
    listed = list(words)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} or {listed[-1]}"


def _kind(criteria: Criteria, names: Names) -> str:
    words = []
    if criteria.inquiry:
        words.append("repeated" if criteria.inquiry == "repeat" else "new")
    if criteria.sources:
        words.append(either(names.sources.get(slug, slug) for slug in criteria.sources))
    if criteria.purposes:
        words.append(either(PURPOSES.get(p, p) for p in criteria.purposes))
    said = " ".join([*words, "lead"])
    return f"{'An' if said[0] in 'aeiouAEIO' else 'A'} {said}"


def _details(criteria: Criteria) -> Iterator[str]:
    if criteria.states:
        whole = len(criteria.states) == 1
        yield "in " + either(STATES[s] if whole and s in STATES else s for s in criteria.states)
    if criteria.without_state:
        yield "without a property state"
    yield from _amounts(criteria)
    if criteria.credit_bands:
        yield f"with stated credit {either(b.replace('_', ' ') for b in criteria.credit_bands)}"
    if criteria.score_at_least is not None:
        yield f"with a score of {criteria.score_at_least} or more"
    if criteria.languages:
        yield f"asking for {either(LANGUAGES.get(tag, tag) for tag in criteria.languages)}"
    if criteria.hours:
        yield _span(criteria.hours)


def _amounts(criteria: Criteria) -> Iterator[str]:
    if criteria.amount_from_cents is not None:
        yield f"of ${criteria.amount_from_cents // 100:,} or more"
    if criteria.amount_below_cents is not None:
        yield f"below ${criteria.amount_below_cents // 100:,}"


def _span(span: Span) -> str:
    days = f"on {either(DAYS.get(day, day) for day in span.days)} " if span.days else ""
    return f"arriving {days}from {span.from_time} to {span.until_time}"


def _pool(pool: Pool, names: Names) -> str:
    if pool.is_everyone:
        return "everyone who may take it"
    teams = [f"the {names.branches.get(b, 'closed')} team" for b in pool.branches]
    people = [names.officers.get(o, "someone who left") for o in pool.officers]
    return " and ".join(filter(None, [", ".join(teams), ", ".join(people)]))


def _step(step: Backup, names: Names) -> str:
    if step.kind is Step.POOL:
        whom = "the next of them"
    elif step.kind is Step.OFFICERS:
        whom = _pool(Pool(officers=step.officers), names)
    else:
        whom = _pool(Pool(branches=(step.branch,)), names)
    return f"{whom}, {duration(step.take_seconds)}"


def _nobody(rule: Rule, names: Names, alarmed: str) -> str:
    if rule.nobody is Nobody.HOLD:
        return "If all are off work, it waits for the first who starts."
    if rule.nobody is Nobody.POOL and rule.nobody_pool:
        return f"If none of them can take it, it goes to {_pool(rule.nobody_pool, names)}."
    return f"If nobody can take it, {alarmed} is called at once."
