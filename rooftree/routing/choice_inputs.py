"""Loads the inputs of a choice, and stores them for the replay."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from rooftree.db.statements import query_row
from rooftree.leads.models import Lead
from rooftree.org.working_hours import local_clock
from rooftree.routing import candidates, officer_roster
from rooftree.routing.candidates import Candidate
from rooftree.routing.choose_officer import ChoiceInputs, pool_key
from rooftree.routing.models import RuleSet
from rooftree.routing.routing_rules import LeadFacts, Pool, Rule

# The current load of one officer, each count on its own index.
OFFICER_LOAD_SQL = f"""
select p.terminated_at, coalesce(p.paused_at, {officer_roster.DAYS_OFF_SINCE_SQL}),
       asked.n + (select count(*) from ownership w
                   where w.officer_id = p.id and w.from_at <= %(at)s
                     and w.from_at >= date_trunc('day', %(at)s at time zone p.zone)
                                      at time zone p.zone),
       asked.n + (select count(*) from lead l
                   where l.officer_id = p.id and l.first_conversation_at is null
                     and l.state in ('new', 'working')),
       coalesce((select t.taken from turn t where t.officer_id = p.id and t.pool = %(pool)s), 0)
  from loan_officer p,
       lateral (select count(*) as n from offer f
                 where f.officer_id = p.id and f.accepted_at is null and f.declined_at is null
                   and f.expired_at is null) asked
 where p.id = %(id)s
"""  # noqa: S608 (a constant)


def build_lead_facts(lead: Lead, *, zone: str, is_repeat: bool) -> LeadFacts:
    """Collect the facts rules can use. `lead.source` should be loaded; `zone` is the company's."""
    day, clock = local_clock(zone, lead.last_inquiry_at)
    return LeadFacts(
        id=str(lead.pk),
        source=lead.source.slug,
        purpose=lead.purpose,
        loan_type=lead.loan_type,
        state=lead.property_state,
        language=lead.person.language,
        amount_cents=lead.amount_cents,
        credit_band=lead.credit_band,
        score=lead.score,
        is_repeat=is_repeat,
        day=day,
        clock=clock,
    )


def load_choice_inputs(pools: Sequence[Pool], *, state: str, at: datetime) -> ChoiceInputs:
    """Load the officers of some pools as they are now, with their turns.

    Args:
        state: of the property; only licenses in it are read.
        at: today's leads are counted up to this time.
    """
    query = officer_roster.RosterQuery(
        everyone=any(pool.is_everyone for pool in pools),
        officers=tuple(sorted({officer for pool in pools for officer in pool.officers})),
        branches=tuple(sorted({branch for pool in pools for branch in pool.branches})),
        state=state,
    )
    keys = sorted({pool_key(pool) for pool in pools})
    roster = officer_roster.load_current_roster(query, pools=keys, at=at)
    return ChoiceInputs(
        lender=roster.lender,
        candidates=roster.people,
        turns=_group_turns(roster.turns),
        roster_sha256=roster.sha256,
        unstored_roster=roster.unstored_text,
    )


def is_unchanged(candidate: Candidate, *, pool: str, taken: int, at: datetime) -> bool:
    """Return True if a locked officer's employment, pause, load and turns are still as read.

    Licenses are not read again: the database locks and checks them when the offer is made.
    """
    load = query_row(OFFICER_LOAD_SQL, {"id": candidate.id, "pool": pool, "at": at})
    return bool(
        load
        == (candidate.terminated_at, candidate.paused_at, candidate.today, candidate.open, taken)
    )


def inputs_to_json(facts: LeadFacts, inputs: ChoiceInputs, at: datetime) -> dict[str, Any]:
    """Return the inputs of a choice as its decision stores them.

    The eligible officers are stored once, as a roster; this holds the load of each.
    """
    return {
        "at": at.isoformat(),
        "lead": asdict(facts),
        "roster": inputs.roster_sha256,
        "now": [
            [nth, person.today, person.open, person.paused_at and person.paused_at.isoformat()]
            for nth, person in enumerate(inputs.candidates)
            if person.today or person.open or person.paused_at
        ],
        "turns": [
            [pool, officer, taken]
            for pool, turns in sorted(inputs.turns.items())
            for officer, taken in sorted(turns.items())
        ],
        "asked": sorted(inputs.declined_officers),
        "busy": sorted(inputs.busy_officers),
        "place": inputs.place,
        "rule_name": inputs.rule_name,
    }


def inputs_from_json(stored: Mapping[str, Any]) -> ChoiceInputs:
    """Build inputs from a stored decision. Older decisions contain the roster themselves."""
    if "roster" in stored:
        roster = officer_roster.load_stored_roster(stored["roster"])
        lender, people = roster.lender, [*roster.people]
        for nth, today, in_hand, paused_at in stored["now"]:
            people[nth] = candidates.with_current_load(people[nth], today, in_hand, paused_at)
    else:
        lender = candidates.lender_from_json(stored["lender"])
        people = [*candidates.candidates_from_json(stored)]
    return ChoiceInputs(
        lender=lender,
        candidates=tuple(people),
        turns=_group_turns(stored["turns"]),
        declined_officers=frozenset(stored.get("asked", ())),
        busy_officers=frozenset(stored.get("busy", ())),
        place=stored.get("place", 0),
        rule_name=stored.get("rule_name", ""),
        roster_sha256=stored.get("roster", ""),
    )


def _group_turns(rows: Iterable[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    turns: dict[str, dict[str, int]] = {}
    for pool, officer, taken in rows:
        turns.setdefault(pool, {})[officer] = taken
    return turns


def find_candidate(people: Collection[Candidate], officer_id: str) -> Candidate | None:
    """Return the candidate with this id, or None."""
    return next((person for person in people if person.id == officer_id), None)


def load_rules(edition: RuleSet) -> tuple[Rule, ...]:
    """Return the rules of a published version, cached in the process: versions never change."""
    return _load_cached_rules(edition.pk)


@lru_cache(maxsize=32)
def _load_cached_rules(edition_id: UUID) -> tuple[Rule, ...]:
    stored = RuleSet.objects.values_list("rules", flat=True).get(pk=edition_id)
    return tuple(Rule.from_json(rule) for rule in stored)
