"""Simulates draft rules on past leads: same leads and roster, live rules against the draft."""

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
    """The number of leads one officer or one rule would get, under live and draft rules."""

    id: str  # "": unassigned
    name: str
    live: int
    draft: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedLead:
    """A lead that would go to someone else."""

    lead_id: str
    live: str  # officer id; "": no one
    draft: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """The changes a draft would make to the leads of some days."""

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
    """Route the leads of the last `days` again, by the live rules and by a draft.

    Officers have their current licenses, hours and pauses but no load, because
    only the rules are compared: both sides start from the same roster and count
    their own turns. Writes nothing.
    """
    past = load_past_leads(at - timedelta(days=days), until=at)
    roster = _load_inputs_by_state(past, at)
    return compare_rules(past, roster, rules=rules, live=live, days=days)


def load_past_leads(since: datetime, *, until: datetime) -> list[PastLead]:
    """Load the facts of the leads that arrived in a span, oldest first, at most `MAX_LEADS`."""
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
    """Choose for every past lead by both sets of rules and count the results. Pure.

    Args:
        roster: the officers who could be asked, by property state.
    """
    live_choices, draft_choices = (
        _replay_leads(past, roster, live),
        _replay_leads(past, roster, rules),
    )
    names = {
        candidate.id: candidate.name
        for inputs in roster.values()
        for candidate in inputs.candidates
    }
    moved = tuple(
        MovedLead(
            lead_id=lead.id,
            live=current.officer_id or "",
            draft=changed.officer_id or "",
            because=f"{changed.rule_name or 'No rule'}: {changed.sentence}",
        )
        for (_, lead), current, changed in zip(past, live_choices, draft_choices, strict=True)
        if current.officer_id != changed.officer_id
    )
    return Simulation(
        leads=len(past),
        days=days,
        officers=_count_shares(
            (choice.officer_id or "" for choice in live_choices),
            (choice.officer_id or "" for choice in draft_choices),
            names,
        ),
        rules=_count_shares(
            (choice.rule_name for choice in live_choices),
            (choice.rule_name for choice in draft_choices),
            {},
        ),
        moved=moved,
        unclaimed_live=sum(choice.officer_id is None for choice in live_choices),
        unclaimed_draft=sum(choice.officer_id is None for choice in draft_choices),
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
    unloaded = {
        state: replace(
            inputs,
            candidates=tuple(replace(person, today=0, open=0) for person in inputs.candidates),
        )
        for state, inputs in roster.items()
    }
    choices = []
    for at, lead in past:
        inputs = replace(unloaded[lead.state], turns=turns)
        choice = choose_officer(lead, rules, inputs, at=at)
        if choice.officer_id:
            turns.setdefault(choice.pool_key, {})[choice.officer_id] = choice.turn
        choices.append(choice)
    return choices


def _count_shares(
    live: Iterable[str], draft: Iterable[str], names: Mapping[str, str]
) -> tuple[Share, ...]:
    before, after = Counter(live), Counter(draft)
    keys = sorted(before.keys() | after.keys(), key=lambda key: (-after[key], -before[key], key))
    return tuple(
        Share(id=key, name=names.get(key, key) or "Unassigned", live=before[key], draft=after[key])
        for key in keys
    )
