"""A sequence as checked data: its steps, its rules, and what comes next for one lead.

Everything here is pure: `parse_plan` reads the stored JSON of a version and raises `BadPlan` with
every problem; `next_move` says what a due step does and where the lead stands then. Steps only
lead forward, so every enrollment ends and no step comes twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rooftree.core.holidays import is_business_day
from rooftree.nurture.step_conditions import (
    BadCondition,
    Clause,
    Fact,
    condition_holds,
    parse_condition,
)

KINDS = {
    "message": "Message",
    "call_task": "Call task",
    "officer_alert": "Officer alert",
    "wait": "Wait",
    "branch": "Branch",
    "exit": "End",
}
MEDIA = ("text", "email")
WORDED_KINDS = ("call_task", "officer_alert")
STARTS = {
    "hand": "only when someone adds a lead",
    "not_reached": "a loan officer records “Voicemail” or “No answer”",
    "lead_created": "a new lead arrives",
    "gone_cold": "a lead has gone quiet",
    "milestone": "the loan reaches a milestone",
    "funded_date": "days have passed since the loan funded",
    "segment": "a lead fits the audience",
}
STARTS_WITH_DAYS = ("gone_cold", "funded_date")
STAGES = ("new", "working", "nurture", "application", "funded", "retired")
PROSPECT_STAGES = ("new", "working", "nurture")
ENDING_EVENTS = {"replied": "the borrower replies", "talked": "someone talks with the borrower"}
MAX_STEPS = 60
MAX_DAYS = 800  # of one delay, and of a start
MAX_WORDS = 1_000
DEFAULT_PRIORITY, MAX_PRIORITY = 50, 100
MIN_QUIET_DAYS = 7
BETWEEN_STEPS = timedelta(seconds=1)  # so that no lead takes two steps in one sweep


class BadPlan(ValueError):
    """A sequence that can't run; `problems` are sentences by place: step number, or 0."""

    def __init__(self, problems: Sequence[tuple[int, str]]) -> None:
        super().__init__(" ".join(sentence for _, sentence in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """The time before a step: minutes, or days and an hour at the borrower's place."""

    minutes: int = 0
    days: int = 0
    at: time | None = None
    is_business: bool = False

    def due_after(self, moment: datetime, zone: str) -> datetime:
        """Return when a step is due whose predecessor ran at `moment`."""
        if not self.days and self.at is None:
            return moment + max(timedelta(minutes=self.minutes), BETWEEN_STEPS)
        local = moment.astimezone(ZoneInfo(zone))
        day = _later_day(local.date(), self.days, is_business=self.is_business)
        due = _local_time(day, self.at or local.time(), zone)
        if due <= moment:
            day = _later_day(day, 1, is_business=self.is_business)
            due = _local_time(day, self.at or local.time(), zone)
        return due.astimezone(moment.tzinfo)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a sequence."""

    id: str
    kind: str
    delay: Delay
    template: str = ""
    media: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)  # of a task or an alert, by language
    condition: tuple[Clause, ...] = ()
    condition_text: str = ""
    then: str = ""  # of a branch: exit, go:<step id>, move:<sequence key>


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One version of a sequence, parsed."""

    steps: tuple[Step, ...]
    start: str = "hand"
    start_days: int = 0
    milestone: str = ""
    audience: tuple[Clause, ...] = ()
    audience_text: str = ""
    goal: tuple[Clause, ...] = ()
    goal_text: str = ""
    stages: frozenset[str] = frozenset(PROSPECT_STAGES)
    ends_on: frozenset[str] = frozenset(ENDING_EVENTS)
    priority: int = DEFAULT_PRIORITY


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What one due step does for one lead, and where the lead stands then."""

    outcome: str  # done, skipped, passed, ended
    step: Step | None = None  # the step to carry out
    next_number: int | None = None  # None: the enrollment ends
    end_reason: str = ""
    move_to: str = ""  # the key of the sequence that follows


def next_move(plan: Plan, number: int, facts: Mapping[str, Fact]) -> Move:
    """Say what the due step `number` does for a lead with these facts."""
    if plan.goal and condition_holds(plan.goal, facts):
        return Move(outcome="ended", end_reason="goal reached")
    if number >= len(plan.steps):
        return Move(outcome="ended", end_reason="finished")
    step, holds = plan.steps[number], condition_holds(plan.steps[number].condition, facts)
    following = number + 1 if number + 1 < len(plan.steps) else None
    rest = {"next_number": following, "end_reason": "" if following else "finished"}
    if not holds:
        outcome = "passed" if step.kind == "branch" else "skipped"
        return Move(outcome=outcome, **rest)  # type: ignore[arg-type]
    if step.kind == "exit":
        return Move(outcome="ended", end_reason="ended by its step")
    if step.kind == "branch":
        return _take_branch(plan, step)
    if step.kind == "wait":
        return Move(outcome="passed", **rest)  # type: ignore[arg-type]
    return Move(outcome="done", step=step, **rest)  # type: ignore[arg-type]


def _take_branch(plan: Plan, step: Step) -> Move:
    verb, _, target = step.then.partition(":")
    if verb == "go":
        number = next(nth for nth, other in enumerate(plan.steps) if other.id == target)
        return Move(outcome="passed", next_number=number)
    if verb == "move":
        return Move(outcome="ended", end_reason=f"moved to {target}"[:60], move_to=target)
    return Move(outcome="ended", end_reason="ended by a branch")


def ends_on_event(plan: Plan, event: str) -> bool:
    """Return True if an event ends this sequence; all others than `ENDING_EVENTS` always do."""
    return event not in ENDING_EVENTS or event in plan.ends_on


def parse_plan(steps: Any, rules: Any = None, *, default_start: str = "hand") -> Plan:
    """Parse the stored steps and rules of a version. Raises `BadPlan` with every problem."""
    problems: list[tuple[int, str]] = []
    parsed: list[Step] = []
    rows = steps if isinstance(steps, list) else []
    if not rows:
        problems.append((0, "Add at least one step."))
    if len(rows) > MAX_STEPS:
        problems.append((0, f"A sequence can have up to {MAX_STEPS} steps."))
    for number, row in enumerate(rows, 1):
        parsed.append(_parse_step(row if isinstance(row, dict) else {}, number, problems))
    problems += _find_branch_problems(parsed)
    plan = _parse_rules(rules if isinstance(rules, dict) else {}, parsed, default_start, problems)
    if problems:
        raise BadPlan(sorted(problems, key=lambda problem: problem[0]))
    return plan


def _parse_step(row: Mapping[str, Any], number: int, problems: list[tuple[int, str]]) -> Step:
    def complain(sentence: str) -> None:
        problems.append((number, sentence))

    kind = row.get("kind", "message")
    if kind not in KINDS:
        complain("choose what the step does.")
    media = tuple(medium for medium in MEDIA if medium in (row.get("media") or ()))
    typed = {code: str(text) for code, text in (row.get("words") or {}).items()}
    words = {code: text for code, text in typed.items() if text.strip()}
    wrong = {
        "choose text, email or both.": kind == "message" and not media,
        "choose a template.": kind == "message" and not row.get("template"),
        "write what the loan officer reads.": kind in WORDED_KINDS and not words.get("en"),
        f"use at most {MAX_WORDS:,} characters.": max(map(len, words.values()), default=0)
        > MAX_WORDS,
    }
    for sentence in (sentence for sentence, is_wrong in wrong.items() if is_wrong):
        complain(sentence)
    clauses: tuple[Clause, ...] = ()
    try:
        clauses = parse_condition(str(row.get("if") or ""))
    except BadCondition as problem:
        complain(f"condition: {problem}")
    if kind == "branch" and not str(row.get("if") or "").strip():
        complain("write the condition of the branch.")
    return Step(
        id=str(row.get("id") or f"s{number}"),
        kind=kind if kind in KINDS else "wait",
        delay=_parse_delay(row, complain),
        template=str(row.get("template") or ""),
        media=media,
        words=words,
        condition=clauses,
        condition_text=str(row.get("if") or ""),
        then=str(row.get("then") or ""),
    )


def _parse_delay(row: Mapping[str, Any], complain: Any) -> Delay:
    minutes, days = row.get("after_minutes", 0), row.get("after_days", 0)
    fits = (isinstance(value, int) and not isinstance(value, bool) for value in (minutes, days))
    if not all(fits) or not (0 <= minutes <= MAX_DAYS * 1440 and 0 <= days <= MAX_DAYS):
        complain(f"set a delay of up to {MAX_DAYS} days.")
        return Delay()
    hour = None
    if row.get("at"):
        try:
            hour = time.fromisoformat(str(row["at"]))
        except ValueError:
            complain("enter the hour as 09:00.")
        if minutes:
            complain("enter the hour only with a delay in days.")
    return Delay(minutes=minutes, days=days, at=hour, is_business=bool(row.get("business")))


def _find_branch_problems(steps: Sequence[Step]) -> list[tuple[int, str]]:
    places: dict[str, int] = {}
    problems = []
    for number, step in enumerate(steps, 1):
        if step.id in places:
            problems.append((number, "has the same id as another step."))
        places.setdefault(step.id, number)
    for number, step in enumerate(steps, 1):
        if step.kind != "branch":
            continue
        verb, _, target = step.then.partition(":")
        if verb == "go" and places.get(target, 0) <= number:
            problems.append((number, "a branch goes to a later step. Choose one below it."))
        elif verb not in ("go", "move", "exit") or (verb == "move" and not target):
            problems.append((number, "choose what happens when the condition is true."))
    return problems


def _parse_rules(
    rules: Mapping[str, Any],
    steps: Sequence[Step],
    default_start: str,
    problems: list[tuple[int, str]],
) -> Plan:
    start = rules.get("start") or default_start
    days, milestone = rules.get("start_days") or 0, str(rules.get("milestone") or "")
    is_count = isinstance(days, int) and 0 <= days <= MAX_DAYS
    stages, priority = rules.get("stages") or PROSPECT_STAGES, rules.get("priority")
    priority = DEFAULT_PRIORITY if priority is None else priority
    wrong = {
        "Choose what starts the sequence.": start not in STARTS,
        f"Enter the days before it starts, up to {MAX_DAYS}.": not is_count,
        "A lead has gone quiet after 7 days at the earliest.": start == "gone_cold"
        and is_count
        and days < MIN_QUIET_DAYS,
        "Choose the milestone that starts the sequence.": start == "milestone" and not milestone,
        "Audience: say which leads the sequence is for.": start == "segment"
        and not rules.get("audience"),
        "Choose the stages a lead can be in.": not set(stages) <= set(STAGES),
        "Enter a priority from 0 to 100.": not isinstance(priority, int)
        or not 0 <= priority <= MAX_PRIORITY,
    }
    problems += [(0, sentence) for sentence, is_wrong in wrong.items() if is_wrong]
    clauses: dict[str, tuple[Clause, ...]] = {}
    for name in ("audience", "goal"):
        try:
            clauses[name] = parse_condition(str(rules.get(name) or ""))
        except BadCondition as problem:
            problems.append((0, f"{name.capitalize()}: {problem}"))
    return Plan(
        steps=tuple(steps),
        start=start,
        start_days=days if isinstance(days, int) else 0,
        milestone=milestone,
        audience=clauses.get("audience", ()),
        audience_text=str(rules.get("audience") or ""),
        goal=clauses.get("goal", ()),
        goal_text=str(rules.get("goal") or ""),
        stages=frozenset(stages),
        ends_on=frozenset(rules.get("ends_on", ENDING_EVENTS)) & frozenset(ENDING_EVENTS),
        priority=priority if isinstance(priority, int) else DEFAULT_PRIORITY,
    )


def _later_day(day: date, days: int, *, is_business: bool) -> date:
    if not is_business:
        return day + timedelta(days=days)
    for _ in range(days):
        day += timedelta(days=1)
        while not is_business_day(day):
            day += timedelta(days=1)
    while not is_business_day(day):  # also the day itself, if no days were asked for
        day += timedelta(days=1)
    return day


def _local_time(day: date, hour: time, zone: str) -> datetime:
    return datetime.combine(day, hour.replace(tzinfo=None), tzinfo=ZoneInfo(zone))
