"""Who gets a lead: a pure answer with a reason for everyone, the same whenever asked again."""

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
    """Everything besides the lead and the rules that a choice rests on."""

    lender: Lender
    candidates: tuple[Candidate, ...]
    turns: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # pool key, officer id
    declined_officers: frozenset[str] = (
        frozenset()
    )  # officers who passed or let it lapse in this round
    busy_officers: frozenset[str] = (
        frozenset()
    )  # officers being given another lead in the same instant
    place: int = 0  # in the chain, where to begin
    rule_name: str = ""  # the rule whose chain is walked; "" finds it
    roster_sha256: str = ""  # under which name the candidates are on file
    unstored_roster: str = ""  # their roster, while it is not on file yet


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceReason:
    """Why one officer was taken or passed over."""

    officer_id: str
    code: str
    text: str
    rank: int = 0  # 1 was chosen, 2 would have been next...; 0 is ruled out


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The answer: an officer, or nobody with the reason and what to do then."""

    rule_name: str
    place: int
    officer_id: str | None
    sentence: str
    reasons: tuple[ChoiceReason, ...]
    take_seconds: int = 0
    pool_key: str = ""
    turn: int = 0  # the chosen officer's turns of this pool, this one included
    hold_until: datetime | None = None  # nobody now, but somebody then


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChoiceCase:
    """One choice under way."""

    lead: LeadFacts
    rule: Rule
    known: ChoiceInputs
    at: datetime
    explained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _GroupFacts:
    """What is so of all officers of one kind: with a thousand officers it is asked once a kind."""

    law: tuple[str, str] | None
    is_in_pool: bool  # by their branch
    product: tuple[str, str] | None
    is_at_work: bool


def choose_officer(
    lead: LeadFacts,
    rules: Sequence[Rule],
    known: ChoiceInputs,
    *,
    at: datetime,
    with_reasons: bool = True,
) -> Choice:
    """The officer who gets a lead at a moment, with everyone's reason.

    The chain is walked from `known.place` to the first place where somebody is
    eligible. The order of `known.candidates` does not matter, and nothing but
    the arguments is looked at, so a stored choice can be made again.

    Args:
        explained: False leaves the reasons out where somebody is chosen: to act,
            the answer will do, and with a thousand officers they cost more than it.
    """
    rule = find_rule(lead, rules, known.rule_name)
    if rule is None:
        return Choice(
            rule_name="",
            place=0,
            officer_id=None,
            sentence="No rule fits this lead.",
            reasons=(),
        )
    case = _ChoiceCase(lead=lead, rule=rule, known=known, at=at, explained=with_reasons)
    passed: tuple[ChoiceReason, ...] = ()
    for place in range(known.place, len(rule.chain) + 1):
        choice = _choose_from_pool(case, rule.pool_at(place), place)
        if choice.officer_id:
            return choice
        passed += choice.reasons
    if rule.nobody is WhenNobody.POOL and rule.nobody_pool:
        choice = _choose_from_pool(case, rule.nobody_pool, len(rule.chain))
        if choice.officer_id:
            return choice
        passed += choice.reasons
    return _choose_nobody(case, passed)


def find_rule(lead: LeadFacts, rules: Sequence[Rule], name: str = "") -> Rule | None:
    """The rule called `name`, else the first that fits the lead."""
    named = next((rule for rule in rules if name and rule.name == name), None)
    return named or first_matching_rule(rules, lead)


def pool_key(pool: Pool) -> str:
    """Under what name a pool's turns are remembered: the same members, the same memory."""
    if pool.is_everyone:
        return "everyone"
    members = json.dumps([sorted(pool.branches), sorted(pool.officers)])
    return f"pool:{hashlib.sha256(members.encode()).hexdigest()[:24]}"


def list_pools(rule: Rule, place: int = 0) -> list[Pool]:
    """Every pool that a choice may draw from, beginning at a place of the chain."""
    pools = [rule.pool_at(nth) for nth in range(place, len(rule.chain) + 1)]
    return [*pools, rule.nobody_pool] if rule.nobody_pool else pools


def exclusion_reason(
    case: _ChoiceCase, pool: Pool, alike: _GroupFacts, one: Candidate
) -> tuple[str, str] | None:
    """Why an officer cannot have the lead now, as (code, words); the law speaks first."""
    if alike.law:
        return alike.law
    if not alike.is_in_pool and one.id not in pool.officers:
        return "not_in_pool", "Not in this rule's pool"
    if one.id in case.known.declined_officers:
        return "asked", "Was asked already and did not take it"
    if one.paused_at and one.paused_at <= case.at:
        return "paused", "Is not taking leads"
    return alike.product or _capacity_problem(case, alike, one)


def _build_group_facts(case: _ChoiceCase, pool: Pool, one: Candidate) -> _GroupFacts:
    return _GroupFacts(
        law=entitlement_problem(one, lender=case.known.lender, state=case.lead.state, at=case.at),
        is_in_pool=pool.includes("", one.branch_path),
        product=_product_problem(case.lead, one),
        is_at_work=working_hours.is_open(one.hours, zone=one.zone, at=case.at),
    )


def _product_problem(lead: LeadFacts, one: Candidate) -> tuple[str, str] | None:
    loan_type, products = lead.loan_type, one.products
    if products and loan_type and loan_type not in products and lead.purpose not in products:
        return "product", f"Does not handle {loan_type.upper()} loans"
    return None


def _capacity_problem(
    case: _ChoiceCase, alike: _GroupFacts, candidate: Candidate
) -> tuple[str, str] | None:
    if candidate.today >= candidate.daily_cap:
        return "day_full", f"Full: {candidate.today} today, the cap is {candidate.daily_cap}"
    if candidate.open >= candidate.open_cap:
        return "full", f"Full: {candidate.open} open new leads, the cap is {candidate.open_cap}"
    if candidate.id in case.known.busy_officers:
        return "busy", "Was being given another lead in the same instant"
    if not alike.is_at_work:
        return OFF_WORK, "Not working at this hour"
    return None


def _choose_from_pool(case: _ChoiceCase, pool: Pool, place: int) -> Choice:
    """The choice at one place of the chain; without an officer when none is eligible."""
    eligible, out = _partition_eligible(case, pool)
    key = pool_key(pool)
    turns = case.known.turns.get(key, {})
    placed = _next_turns(eligible, pool, turns)
    is_told = case.explained or not eligible
    ranked = _rank_eligible(eligible, case.lead.language, placed, only_first=not is_told)
    chosen = ranked[0][0] if ranked else None
    return Choice(
        rule_name=case.rule.name,
        place=place,
        officer_id=chosen.id if chosen else None,
        sentence=_chosen_sentence(chosen, case.lead.language) if chosen else "",
        reasons=_build_reasons(ranked, out, case.lead.language) if is_told else (),
        take_seconds=case.rule.take_seconds_at(place),
        pool_key=key,
        turn=ranked[0][1] if ranked else 0,
    )


def _partition_eligible(
    case: _ChoiceCase, pool: Pool
) -> tuple[list[Candidate], list[tuple[str, tuple[str, str]]]]:
    """Who is eligible, and the others by id, each with what rules them out."""
    eligible, out = [], []
    kinds: dict[int | str, _GroupFacts] = {}
    for candidate in case.known.candidates:
        kind = candidate.id if candidate.kind is None else candidate.kind
        alike = kinds.get(kind)
        if alike is None:
            alike = kinds[kind] = _build_group_facts(case, pool, candidate)
        problem = exclusion_reason(case, pool, alike, candidate)
        if problem:
            out.append((candidate.id, problem))
        else:
            eligible.append(candidate)
    return eligible, out


def _build_reasons(
    ranked: Sequence[tuple[Candidate, int]],
    out: Sequence[tuple[str, tuple[str, str]]],
    language: str,
) -> tuple[ChoiceReason, ...]:
    """Of the eligible in their order, then of the others."""
    passed = (
        ChoiceReason(officer_id=officer_id, code=code, text=text)
        for officer_id, (code, text) in sorted(out)
    )
    return (*_rank_reasons(ranked, language), *passed)


def _next_turns(
    eligible: Sequence[Candidate], pool: Pool, turns: Mapping[str, int]
) -> list[tuple[int, int]]:
    """For each of them: where the next turn ends on the common scale, and its number.

    Whose turn ends first is next, so shares come out as weighted at every
    moment and not only in the long run. Someone back from leave, or new, is
    lifted to where the others stand: at most one turn is owed, not a backlog.
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
    """The eligible, best first, with the number of the turn each would use."""

    ranks = [
        (not _speaks_language(one, language), ends_at, one.id, nth)
        for nth, (one, (ends_at, _)) in enumerate(zip(eligible, placed, strict=True))
    ]
    order = [min(ranks)] if only_first else sorted(ranks)
    return [(eligible[nth], placed[nth][1]) for *_, nth in order]


def _speaks_language(candidate: Candidate, language: str) -> bool:
    return not language or language in candidate.languages


def _rank_reasons(ranked: Sequence[tuple[Candidate, int]], language: str) -> Iterator[ChoiceReason]:
    spoken = bool(ranked) and bool(language) and _speaks_language(ranked[0][0], language)
    tongue = SPOKEN_LANGUAGES.get(language, language)
    for rank, (candidate, _) in enumerate(ranked, start=1):
        said = "Next in turn" if rank == 1 else f"Number {rank} in turn"
        if spoken:
            knows = _speaks_language(candidate, language)
            said = f"{'Speaks' if knows else 'No'} {tongue}; {said[0].lower()}{said[1:]}"
        yield ChoiceReason(
            officer_id=candidate.id, code=CHOSEN if rank == 1 else NEXT, text=said, rank=rank
        )


def _chosen_sentence(chosen: Candidate, language: str) -> str:
    if language and language != "en" and _speaks_language(chosen, language):
        return (
            f"{chosen.name} speaks {SPOKEN_LANGUAGES.get(language, language)} and was next in turn."
        )
    return f"{chosen.name} was next in turn."


def _choose_nobody(case: _ChoiceCase, passed: tuple[ChoiceReason, ...]) -> Choice:
    """Nobody at any place: until when to hold the lead, and why in one sentence."""
    hold_until = _first_opening(case, passed) if case.rule.nobody is WhenNobody.HOLD else None
    reasons = _one_reason_per_officer(passed)
    counted = Counter(reason.text for reason in reasons if reason.code != "not_in_pool")
    why = "; ".join(f"{text} ({count})" for text, count in counted.most_common(3))
    return Choice(
        rule_name=case.rule.name,
        place=len(case.rule.chain),
        officer_id=None,
        sentence=f"Nobody can take it: {why}." if why else "Nobody is in the pool.",
        reasons=reasons,
        hold_until=hold_until,
    )


def _one_reason_per_officer(passed: tuple[ChoiceReason, ...]) -> tuple[ChoiceReason, ...]:
    """One reason an officer: that of the pool they belong to, when there is one."""
    kept: dict[str, ChoiceReason] = {}
    for reason in passed:
        held = kept.get(reason.officer_id)
        if held is None or held.code == "not_in_pool":
            kept[reason.officer_id] = reason
    return tuple(sorted(kept.values(), key=_by_officer))


def _first_opening(case: _ChoiceCase, passed: tuple[ChoiceReason, ...]) -> datetime | None:
    closed = {reason.officer_id for reason in passed if reason.code == OFF_WORK}
    openings = [
        working_hours.next_opening(candidate.hours, zone=candidate.zone, at=case.at)
        for candidate in case.known.candidates
        if candidate.id in closed
    ]
    return min((opening for opening in openings if opening), default=None)


def _by_officer(reason: ChoiceReason) -> str:
    return reason.officer_id
