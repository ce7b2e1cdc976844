"""Reading what a choice rests on, in one round trip; and storing it for the replay."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

from rooftree.leads.models import Lead
from rooftree.org.hours import local_clock
from rooftree.routing import candidates
from rooftree.routing.candidates import Candidate, Lender
from rooftree.routing.choose import Known, pool_key
from rooftree.routing.models import RuleSet
from rooftree.routing.rules import LeadFacts, Pool, Rule

# One JSON document: built by the database and read by Python faster than rows are.
ROSTER = """
with people as materialized (
    select o.*, u.name as user_name, b.path as branch_path
      from loan_officer o
      join "user" u on u.id = o.user_id
      join branch b on b.id = o.branch_id
     where (o.terminated_at is null or o.terminated_at > %(at)s)
       and (%(everyone)s or o.id = any(%(officers)s::uuid[]) or b.path like any(%(paths)s))
), held as (
    select w.officer_id, count(*) as n from ownership w join people p on p.id = w.officer_id
     where w.from_at > %(at)s - interval '26 hours' and w.from_at <= %(at)s
       and w.from_at >= date_trunc('day', %(at)s at time zone p.zone) at time zone p.zone
     group by 1
), asked as (
    select f.officer_id, count(*) as n from offer f
     where f.taken_at is null and f.passed_at is null and f.lapsed_at is null
       and f.officer_id in (select id from people)
     group by 1
), unreached as (
    select l.officer_id, count(*) as n from lead l
     where l.officer_id is not null and l.first_talk_at is null and l.state in ('new', 'working')
       and (%(everyone)s or l.officer_id in (select id from people))
     group by 1
), permits as (
    select l.officer_id,
           json_agg(json_build_array(l.state, l.from_date, l.until_date, l.status)
                    order by l.from_date, l.id) as listed
      from license l where l.state = %(state)s and l.officer_id in (select id from people)
     group by 1
), shaped as materialized (
    select p.id, p.user_name, p.nmls_id, p.terminated_at, p.paused_at, json_build_array(
        p.branch_path, p.zone, p.hours, p.languages, p.products,
        coalesce(permits.listed, '[]'::json), p.sponsored_from_date, p.daily_cap, p.open_cap
    )::text as shape
      from people p left join permits on permits.officer_id = p.id
), shapes as materialized (
    select t.shape, row_number() over (order by t.shape) - 1 as nth
      from (select distinct shape from shaped) t
)
select json_build_object(
    'lender', (select json_build_object('kind', c.kind, 'permits', coalesce((
                   select json_agg(json_build_array(l.state, l.from_date, l.until_date, 'Approved')
                                   order by l.from_date, l.id)
                     from company_license l where l.state = %(state)s), '[]'::json))
                 from company c limit 1),
    'turns', (select coalesce(json_agg(json_build_array(t.pool, t.officer_id, t.taken)),
                              '[]'::json)
                from turn t where t.pool = any(%(pools)s)),
    'shapes', (select coalesce(json_agg(s.shape::json order by s.nth), '[]'::json) from shapes s),
    'candidates', (select coalesce(json_agg(json_build_array(
        p.id, p.user_name, p.nmls_id, s.nth, coalesce(held.n, 0) + coalesce(asked.n, 0),
        coalesce(unreached.n, 0) + coalesce(asked.n, 0), p.terminated_at, p.paused_at)
        order by p.id), '[]'::json)
      from shaped p
      join shapes s on s.shape = p.shape
      left join held on held.officer_id = p.id
      left join asked on asked.officer_id = p.id
      left join unreached on unreached.officer_id = p.id)
)::text
"""

# The same counts for one officer, each on an index of its own.
STANDING = """
select p.terminated_at, p.paused_at,
       asked.n + (select count(*) from ownership w
                   where w.officer_id = p.id and w.from_at <= %(at)s
                     and w.from_at >= date_trunc('day', %(at)s at time zone p.zone)
                                      at time zone p.zone),
       asked.n + (select count(*) from lead l
                   where l.officer_id = p.id and l.first_talk_at is null
                     and l.state in ('new', 'working')),
       coalesce((select t.taken from turn t where t.officer_id = p.id and t.pool = %(pool)s), 0)
  from loan_officer p,
       lateral (select count(*) as n from offer f
                 where f.officer_id = p.id and f.taken_at is null and f.passed_at is null
                   and f.lapsed_at is null) asked
 where p.id = %(id)s
"""


def of_lead(lead: Lead, *, zone: str, is_repeat: bool) -> LeadFacts:
    """What rules may know of a lead. `lead.source` should be loaded; `zone` is the company's."""
    day, clock = local_clock(zone, lead.warmed_at)
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


def known(pools: Sequence[Pool], *, state: str, at: datetime) -> Known:
    """The officers of some pools as they are now, with their turns.

    Args:
        state: of the property; only licenses in it are read.
        at: today's leads are counted up to this moment.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            ROSTER,
            {
                "at": at,
                "state": state,
                "everyone": any(pool.is_everyone for pool in pools),
                "officers": sorted({one for pool in pools for one in pool.officers}),
                "paths": sorted({f"%/{one}/%" for pool in pools for one in pool.branches}),
                "pools": sorted({pool_key(pool) for pool in pools}),
            },
        )
        (text,) = cursor.fetchone()
    return known_from_json(json.loads(text))


def is_still(was: Candidate, *, pool: str, taken: int, at: datetime) -> bool:
    """Whether an officer, now held, stands as when read: employed, unpaused, as busy, as in turn.

    Licenses are not read again: the database holds and judges them when the offer is made.
    """
    with connection.cursor() as cursor:
        cursor.execute(STANDING, {"id": was.id, "pool": pool, "at": at})
        found = cursor.fetchone()
    return bool(found == (was.terminated_at, was.paused_at, was.today, was.open, taken))


def to_json(facts: LeadFacts, was_known: Known, at: datetime) -> dict[str, Any]:
    """The inputs of a choice as its decision stores them."""
    return {
        "at": at.isoformat(),
        "lead": asdict(facts),
        "lender": {
            "kind": was_known.lender.kind,
            "permits": [candidates.permit_to_json(one) for one in was_known.lender.permits],
        },
        **candidates.all_to_json(was_known.candidates),
        "turns": [
            [pool, officer, taken]
            for pool, turns in sorted(was_known.turns.items())
            for officer, taken in sorted(turns.items())
        ],
        "asked": sorted(was_known.asked),
        "busy": sorted(was_known.busy),
        "place": was_known.place,
        "rule_name": was_known.rule_name,
    }


def known_from_json(stored: Mapping[str, Any]) -> Known:
    """What was known, from a stored decision or as the database says it now."""
    lender = stored["lender"] or {"kind": "nonbank", "permits": []}
    turns: dict[str, dict[str, int]] = {}
    for pool, officer, taken in stored["turns"]:
        turns.setdefault(pool, {})[officer] = taken
    return Known(
        lender=Lender(
            kind=lender["kind"],
            permits=tuple(candidates.permit_from_json(row) for row in lender["permits"]),
        ),
        candidates=candidates.all_from_json(stored),
        turns=turns,
        asked=frozenset(stored.get("asked", ())),
        busy=frozenset(stored.get("busy", ())),
        place=stored.get("place", 0),
        rule_name=stored.get("rule_name", ""),
    )


def candidate(people: Collection[Candidate], officer_id: str) -> Candidate | None:
    """The one with this id."""
    return next((one for one in people if one.id == officer_id), None)


def rules_of(edition: RuleSet) -> tuple[Rule, ...]:
    """The rules of a published edition, read once in each process: editions never change."""
    return _rules_of(edition.pk)


@lru_cache(maxsize=32)
def _rules_of(edition_id: UUID) -> tuple[Rule, ...]:
    stored = RuleSet.objects.values_list("rules", flat=True).get(pk=edition_id)
    return tuple(Rule.from_json(one) for one in stored)
