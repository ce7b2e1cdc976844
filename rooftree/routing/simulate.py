"""Who would have got past leads under other rules: the same leads, the same roster, both ways."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rooftree.leads.models import Lead
from rooftree.money.company_day import company_zone
from rooftree.routing import facts
from rooftree.routing.choose import Choice, Known, choose
from rooftree.routing.rules import LeadFacts, Pool, Rule

MOST = 5_000  # leads in one simulation, the newest

Past = tuple[datetime, LeadFacts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of the leads one officer, or one rule, would have got."""

    id: str  # "" is nobody
    name: str
    live: int
    draft: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A lead that would have gone to someone else."""

    lead_id: str
    live: str  # officer id, "" for nobody
    draft: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What a draft would change."""

    leads: int
    days: int
    officers: tuple[Share, ...]
    rules: tuple[Share, ...]
    moved: tuple[Moved, ...]
    unclaimed_live: int
    unclaimed_draft: int


def over(*, days: int, rules: Sequence[Rule], live: Sequence[Rule], at: datetime) -> Simulation:
    """Decide the leads of the last `days` again, by the live rules and by a draft.

    Everyone is taken as they are now (licenses, hours, pause) with no lead in
    hand, because only the rules are compared: both sides start from the same
    roster and count their own turns. Writes nothing.
    """
    past = leads_since(at - timedelta(days=days), until=at)
    roster = _roster(past, at)
    return compare(past, roster, rules=rules, live=live, days=days)


def leads_since(since: datetime, *, until: datetime) -> list[Past]:
    """The leads that arrived in a span, oldest first, as rules know them."""
    zone = company_zone().key
    newest = (
        Lead.objects.filter(created_at__gte=since, created_at__lt=until, is_test=False)
        .select_related("source", "person")
        .order_by("-created_at", "-id")[:MOST]
    )
    return [
        (lead.created_at, facts.of_lead(lead, zone=zone, is_repeat=False))
        for lead in reversed(newest)
    ]


def compare(
    past: Sequence[Past],
    roster: Mapping[str, Known],
    *,
    rules: Sequence[Rule],
    live: Sequence[Rule],
    days: int,
) -> Simulation:
    """Both answers for every past lead, counted. Pure.

    Args:
        roster: who could be asked, by the state of the property.
    """
    now, then = _replayed(past, roster, live), _replayed(past, roster, rules)
    names = {one.id: one.name for known in roster.values() for one in known.candidates}
    moved = tuple(
        Moved(
            lead_id=lead.id,
            live=a.officer_id or "",
            draft=b.officer_id or "",
            because=f"{b.rule_name or 'No rule'}: {b.sentence}",
        )
        for (_, lead), a, b in zip(past, now, then, strict=True)
        if a.officer_id != b.officer_id
    )
    return Simulation(
        leads=len(past),
        days=days,
        officers=_shares(
            (c.officer_id or "" for c in now), (c.officer_id or "" for c in then), names
        ),
        rules=_shares((c.rule_name for c in now), (c.rule_name for c in then), {}),
        moved=moved,
        unclaimed_live=sum(c.officer_id is None for c in now),
        unclaimed_draft=sum(c.officer_id is None for c in then),
    )


def _roster(past: Sequence[Past], at: datetime) -> dict[str, Known]:
    states = {lead.state for _, lead in past}
    return {state: facts.known([Pool()], state=state, at=at) for state in sorted(states)}


def _replayed(
    past: Sequence[Past], roster: Mapping[str, Known], rules: Sequence[Rule]
) -> list[Choice]:
    turns: dict[str, dict[str, int]] = {}
    free = {state: _unburdened(known) for state, known in roster.items()}
    answers = []
    for at, lead in past:
        known = replace(free[lead.state], turns=turns)
        choice = choose(lead, rules, known, at=at)
        if choice.officer_id:
            turns.setdefault(choice.pool_key, {})[choice.officer_id] = choice.turn
        answers.append(choice)
    return answers


def _unburdened(known: Known) -> Known:
    return replace(
        known, candidates=tuple(replace(one, today=0, open=0) for one in known.candidates)
    )


def _shares(
    live: Iterable[str], draft: Iterable[str], names: Mapping[str, str]
) -> tuple[Share, ...]:
    before, after = Counter(live), Counter(draft)
    found = sorted(before.keys() | after.keys(), key=lambda key: (-after[key], -before[key], key))
    return tuple(
        Share(id=key, name=names.get(key, key) or "Nobody", live=before[key], draft=after[key])
        for key in found
    )
