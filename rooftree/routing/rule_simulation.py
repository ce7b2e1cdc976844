"""Who would have got past leads under other rules: the same leads, the same roster, both ways."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rooftree.leads.models import Lead
from rooftree.money.company_day import company_zone
from rooftree.routing import choice_inputs
from rooftree.routing.choose_officer import Choice, ChoiceInputs, choose_officer
from rooftree.routing.routing_rules import LeadFacts, Pool, Rule

MAX_LEADS = 5_000  # leads in one simulation, the newest

PastLead = tuple[datetime, LeadFacts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of the leads one officer, or one rule, would have got."""

    id: str  # "" is nobody
    name: str
    live: int
    draft: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedLead:
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
    moved: tuple[MovedLead, ...]
    unclaimed_live: int
    unclaimed_draft: int


def simulate_rules(
    *, days: int, rules: Sequence[Rule], live: Sequence[Rule], at: datetime
) -> Simulation:
    """Decide the leads of the last `days` again, by the live rules and by a draft.

    Everyone is taken as they are now (licenses, hours, pause) with no lead in
    hand, because only the rules are compared: both sides start from the same
    roster and count their own turns. Writes nothing.
    """
    past = load_past_leads(at - timedelta(days=days), until=at)
    roster = _load_inputs_by_state(past, at)
    return compare_rules(past, roster, rules=rules, live=live, days=days)


def load_past_leads(since: datetime, *, until: datetime) -> list[PastLead]:
    """The leads that arrived in a span, oldest first, as rules know them."""
    zone = company_zone().key
    newest = (
        Lead.objects.filter(created_at__gte=since, created_at__lt=until, is_test=False)
        .select_related("source", "person")
        .order_by("-created_at", "-id")[:MAX_LEADS]
    )
    return [
        (lead.created_at, choice_inputs.build_lead_facts(lead, zone=zone, is_repeat=False))
        for lead in reversed(newest)
    ]


def compare_rules(
    past: Sequence[PastLead],
    roster: Mapping[str, ChoiceInputs],
    *,
    rules: Sequence[Rule],
    live: Sequence[Rule],
    days: int,
) -> Simulation:
    """Both answers for every past lead, counted. Pure.

    Args:
        roster: who could be asked, by the state of the property.
    """
    now, then = _replay_leads(past, roster, live), _replay_leads(past, roster, rules)
    names = {
        candidate.id: candidate.name for known in roster.values() for candidate in known.candidates
    }
    moved = tuple(
        MovedLead(
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
        officers=_count_shares(
            (c.officer_id or "" for c in now), (c.officer_id or "" for c in then), names
        ),
        rules=_count_shares((c.rule_name for c in now), (c.rule_name for c in then), {}),
        moved=moved,
        unclaimed_live=sum(c.officer_id is None for c in now),
        unclaimed_draft=sum(c.officer_id is None for c in then),
    )


def _load_inputs_by_state(past: Sequence[PastLead], at: datetime) -> dict[str, ChoiceInputs]:
    states = {lead.state for _, lead in past}
    return {
        state: choice_inputs.load_choice_inputs([Pool()], state=state, at=at)
        for state in sorted(states)
    }


def _replay_leads(
    past: Sequence[PastLead], roster: Mapping[str, ChoiceInputs], rules: Sequence[Rule]
) -> list[Choice]:
    turns: dict[str, dict[str, int]] = {}
    free = {state: _without_load(known) for state, known in roster.items()}
    answers = []
    for at, lead in past:
        known = replace(free[lead.state], turns=turns)
        choice = choose_officer(lead, rules, known, at=at)
        if choice.officer_id:
            turns.setdefault(choice.pool_key, {})[choice.officer_id] = choice.turn
        answers.append(choice)
    return answers


def _without_load(known: ChoiceInputs) -> ChoiceInputs:
    return replace(
        known,
        candidates=tuple(replace(candidate, today=0, open=0) for candidate in known.candidates),
    )


def _count_shares(
    live: Iterable[str], draft: Iterable[str], names: Mapping[str, str]
) -> tuple[Share, ...]:
    before, after = Counter(live), Counter(draft)
    found = sorted(before.keys() | after.keys(), key=lambda key: (-after[key], -before[key], key))
    return tuple(
        Share(id=key, name=names.get(key, key) or "Nobody", live=before[key], draft=after[key])
        for key in found
    )
