"""The pure choice of a loan officer for a lead, repeatable, with a reason for every officer."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import lcm

from rooftree.org import working_hours
from rooftree.routing.candidates import Candidate, Lender, entitlement_problem
from rooftree.routing.routing_rules import LeadFacts, Pool, Rule, WhenNobody, first_matching_rule
from rooftree.routing.rule_sentences import SPOKEN_LANGUAGES

CHOSEN, NEXT = "chosen", "next"
OFF_WORK = "off_work"
_SCALE = lcm(*range(1, 11))  # so that shares of 1 to 10 divide without a remainder


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceInputs:
    """Everything besides the lead and the rules that a choice depends on."""

    lender: Lender
    candidates: tuple[Candidate, ...]
    turns: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # pool key, officer id
    # Officers who declined the lead or let the offer lapse in this round.
    declined_officers: frozenset[str] = frozenset()
    # Officers being assigned another lead at the same time.
    busy_officers: frozenset[str] = frozenset()
    place: int = 0  # where in the chain to begin
    rule_name: str = ""  # the rule whose chain is walked; "" finds the rule
    roster_sha256: str = ""  # the stored roster of the candidates
    unstored_roster: str = ""  # the roster's text while it isn't stored yet


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceReason:
    """Why one officer was chosen or passed over."""

    officer_id: str
    code: str
    text: str
    rank: int = 0  # 1: chosen, 2: next, and so on; 0: excluded


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The result: an officer, or no one with the reason and the time to try again."""

    rule_name: str
    place: int
    officer_id: str | None
    sentence: str
    reasons: tuple[ChoiceReason, ...]
    take_seconds: int = 0
    pool_key: str = ""
    turn: int = 0  # the chosen officer's turns in this pool, including this one
    hold_until: datetime | None = None  # no one now, but an officer starts work then


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChoiceCase:
    """The fixed inputs of one choice."""

    lead: LeadFacts
    rule: Rule
    inputs: ChoiceInputs
    at: datetime
    with_reasons: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _GroupFacts:
    """Facts shared by all officers of one kind, computed once per kind for speed."""

    law: tuple[str, str] | None
    is_in_pool: bool  # by branch
    product: tuple[str, str] | None
    is_at_work: bool


def choose_officer(
    lead: LeadFacts,
    rules: Sequence[Rule],
    inputs: ChoiceInputs,
    *,
    at: datetime,
    with_reasons: bool = True,
) -> Choice:
    """Choose the officer who gets a lead at a given time, with a reason for every officer.

    Walks the chain from `inputs.place` to the first place with an eligible
    officer. The order of `inputs.candidates` does not matter, and only the
    arguments are read, so a stored choice can be replayed.

    Args:
        with_reasons: False omits the reasons when an officer is chosen. With a
            thousand officers the reasons cost more than the choice.
    """
    rule = find_rule(lead, rules, inputs.rule_name)
    if rule is None:
        return Choice(
            rule_name="",
            place=0,
            officer_id=None,
            sentence="No rule matches this lead.",
            reasons=(),
        )
    case = _ChoiceCase(lead=lead, rule=rule, inputs=inputs, at=at, with_reasons=with_reasons)
    reasons: tuple[ChoiceReason, ...] = ()
    for place in range(inputs.place, len(rule.chain) + 1):
        choice = _choose_from_pool(case, rule.pool_at(place), place)
        if choice.officer_id:
            return choice
        reasons += choice.reasons
    if rule.nobody is WhenNobody.POOL and rule.nobody_pool:
        choice = _choose_from_pool(case, rule.nobody_pool, len(rule.chain))
        if choice.officer_id:
            return choice
        reasons += choice.reasons
    return _choose_nobody(case, reasons)


def find_rule(lead: LeadFacts, rules: Sequence[Rule], name: str = "") -> Rule | None:
    """Return the rule called `name`, else the first that matches the lead."""
    named = next((rule for rule in rules if name and rule.name == name), None)
    return named or first_matching_rule(rules, lead)


def pool_key(pool: Pool) -> str:
    """Return the key under which a pool's turns are stored: same members, same key."""
    if pool.is_everyone:
        return "everyone"
    members = json.dumps([sorted(pool.branches), sorted(pool.officers)])
    return f"pool:{hashlib.sha256(members.encode()).hexdigest()[:24]}"


def list_pools(rule: Rule, place: int = 0) -> list[Pool]:
    """Return every pool a choice can draw from, beginning at a place in the chain."""
    pools = [rule.pool_at(nth) for nth in range(place, len(rule.chain) + 1)]
    return [*pools, rule.nobody_pool] if rule.nobody_pool else pools


def exclusion_reason(
    case: _ChoiceCase, pool: Pool, group: _GroupFacts, candidate: Candidate
) -> tuple[str, str] | None:
    """Return why an officer cannot have the lead now, as (code, text); the law comes first."""
    if group.law:
        return group.law
    if not group.is_in_pool and candidate.id not in pool.officers:
        return "not_in_pool", "Not in this rule's pool"
    if candidate.id in case.inputs.declined_officers:
        return "asked", "Already offered this lead and didn't take it"
    if candidate.paused_at and candidate.paused_at <= case.at:
        return "paused", "Not taking leads"
    return group.product or _capacity_problem(case, group, candidate)


def _build_group_facts(case: _ChoiceCase, pool: Pool, candidate: Candidate) -> _GroupFacts:
    loan_type, products = case.lead.loan_type, candidate.products
    product = None
    if products and loan_type and not {loan_type, case.lead.purpose} & {*products}:
        product = "product", f"Doesn't handle {loan_type.upper()} loans"
    return _GroupFacts(
        law=entitlement_problem(
            candidate, lender=case.inputs.lender, state=case.lead.state, at=case.at
        ),
        is_in_pool=pool.includes("", candidate.branch_path),
        product=product,
        is_at_work=working_hours.is_open(candidate.hours, zone=candidate.zone, at=case.at),
    )


def _capacity_problem(
    case: _ChoiceCase, group: _GroupFacts, candidate: Candidate
) -> tuple[str, str] | None:
    if candidate.today >= candidate.daily_cap:
        return "day_full", f"Daily cap reached: {candidate.today} of {candidate.daily_cap} leads"
    if candidate.open >= candidate.open_cap:
        return "full", f"Open-lead cap reached: {candidate.open} of {candidate.open_cap} leads"
    if candidate.id in case.inputs.busy_officers:
        return "busy", "Was being assigned another lead at that moment"
    if not group.is_at_work:
        return OFF_WORK, "Off work at this hour"
    return None


def _choose_from_pool(case: _ChoiceCase, pool: Pool, place: int) -> Choice:
    """Choose at one place of the chain; no officer when none is eligible."""
    eligible, excluded = _partition_eligible(case, pool)
    key = pool_key(pool)
    turns = case.inputs.turns.get(key, {})
    placed = _next_turns(eligible, pool, turns)
    needs_reasons = case.with_reasons or not eligible
    ranked = _rank_eligible(eligible, case.lead.language, placed, only_first=not needs_reasons)
    chosen = ranked[0][0] if ranked else None
    return Choice(
        rule_name=case.rule.name,
        place=place,
        officer_id=chosen.id if chosen else None,
        sentence=_chosen_sentence(chosen, case.lead.language) if chosen else "",
        reasons=_build_reasons(ranked, excluded, case.lead.language) if needs_reasons else (),
        take_seconds=case.rule.take_seconds_at(place),
        pool_key=key,
        turn=ranked[0][1] if ranked else 0,
    )


def _partition_eligible(
    case: _ChoiceCase, pool: Pool
) -> tuple[list[Candidate], list[tuple[str, tuple[str, str]]]]:
    """Split candidates into the eligible, and ids of the others with their exclusion reason."""
    eligible, excluded = [], []
    groups: dict[int | str, _GroupFacts] = {}
    for candidate in case.inputs.candidates:
        kind = candidate.id if candidate.kind is None else candidate.kind
        group = groups.get(kind)
        if group is None:
            group = groups[kind] = _build_group_facts(case, pool, candidate)
        problem = exclusion_reason(case, pool, group, candidate)
        if problem:
            excluded.append((candidate.id, problem))
        else:
            eligible.append(candidate)
    return eligible, excluded


def _build_reasons(
    ranked: Sequence[tuple[Candidate, int]],
    excluded: Sequence[tuple[str, tuple[str, str]]],
    language: str,
) -> tuple[ChoiceReason, ...]:
    """Build the reasons of the eligible officers in rank order, then of the others by id."""
    exclusions = (
        ChoiceReason(officer_id=officer_id, code=code, text=text)
        for officer_id, (code, text) in sorted(excluded)
    )
    return (*_rank_reasons(ranked, language), *exclusions)


def _next_turns(
    eligible: Sequence[Candidate], pool: Pool, turns: Mapping[str, int]
) -> list[tuple[int, int]]:
    """Return for each officer where the next turn ends on the common scale, and its number.

    The officer whose turn ends first is next, so shares match the weights at
    every point and not only in the long run. An officer who is new or back from
    leave is moved up to the others: they are owed at most one turn, not a backlog.
    """
    weights = pool.weights
    steps = [
        (_SCALE // weights.get(candidate.id, 1), turns.get(candidate.id, 0))
        for candidate in eligible
    ]
    furthest = max((taken * stride for stride, taken in steps), default=0)
    placed = []
    for stride, taken in steps:
        owed = -(-furthest // stride)
        number = owed if owed > taken else taken + 1
        placed.append((number * stride, number))
    return placed


def _rank_eligible(
    eligible: Sequence[Candidate],
    language: str,
    placed: Sequence[tuple[int, int]],
    *,
    only_first: bool,
) -> list[tuple[Candidate, int]]:
    """Return the eligible, best first, with the number of the turn each would use."""
    ranks = [
        (not _speaks_language(candidate, language), ends_at, candidate.id, nth)
        for nth, (candidate, (ends_at, _)) in enumerate(zip(eligible, placed, strict=True))
    ]
    order = [min(ranks)] if only_first else sorted(ranks)
    return [(eligible[nth], placed[nth][1]) for *_, nth in order]


def _speaks_language(candidate: Candidate, language: str) -> bool:
    return not language or language in candidate.languages


def _rank_reasons(ranked: Sequence[tuple[Candidate, int]], language: str) -> Iterator[ChoiceReason]:
    is_spoken = bool(ranked) and bool(language) and _speaks_language(ranked[0][0], language)
    language_name = SPOKEN_LANGUAGES.get(language, language)
    for rank, (candidate, _) in enumerate(ranked, start=1):
        text = "Next in rotation" if rank == 1 else f"Number {rank} in rotation"
        if is_spoken:
            verb = "Speaks" if _speaks_language(candidate, language) else "Doesn't speak"
            text = f"{verb} {language_name}; {text[0].lower()}{text[1:]}"
        yield ChoiceReason(
            officer_id=candidate.id, code=CHOSEN if rank == 1 else NEXT, text=text, rank=rank
        )


def _chosen_sentence(chosen: Candidate, language: str) -> str:
    if language and language != "en" and _speaks_language(chosen, language):
        return (
            f"{chosen.name} speaks {SPOKEN_LANGUAGES.get(language, language)} "
            "and was next in rotation."
        )
    return f"{chosen.name} was next in rotation."


def _choose_nobody(case: _ChoiceCase, all_reasons: tuple[ChoiceReason, ...]) -> Choice:
    """Build the choice of no one: why, in one sentence, and until when to hold the lead."""
    hold_until = _first_opening(case, all_reasons) if case.rule.nobody is WhenNobody.HOLD else None
    reasons = _one_reason_per_officer(all_reasons)
    counted = Counter(reason.text for reason in reasons if reason.code != "not_in_pool")
    why = "; ".join(f"{text} ({count})" for text, count in counted.most_common(3))
    return Choice(
        rule_name=case.rule.name,
        place=len(case.rule.chain),
        officer_id=None,
        sentence=f"No one is eligible: {why}." if why else "No loan officer is in the pool.",
        reasons=reasons,
        hold_until=hold_until,
    )


def _one_reason_per_officer(passed: tuple[ChoiceReason, ...]) -> tuple[ChoiceReason, ...]:
    """Keep one reason per officer: the one from a pool they belong to, if there is one."""
    kept: dict[str, ChoiceReason] = {}
    for reason in passed:
        earlier = kept.get(reason.officer_id)
        if earlier is None or earlier.code == "not_in_pool":
            kept[reason.officer_id] = reason
    return tuple(sorted(kept.values(), key=lambda reason: reason.officer_id))


def _first_opening(case: _ChoiceCase, passed: tuple[ChoiceReason, ...]) -> datetime | None:
    closed = {reason.officer_id for reason in passed if reason.code == OFF_WORK}
    openings = [
        working_hours.next_opening(candidate.hours, zone=candidate.zone, at=case.at)
        for candidate in case.inputs.candidates
        if candidate.id in closed
    ]
    return min((opening for opening in openings if opening), default=None)
