"""The cached roster of loan officers, and each officer's current load.

Staff, licenses and hours change a few times a day; loads change with every lead. The
roster is cached in the process under a stamp that the database returns in the same
statement as the loads. When the stamp differs, the roster is read again.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.statements import execute_many, query_row
from rooftree.routing import candidates
from rooftree.routing.candidates import Candidate, Lender
from rooftree.routing.models import Roster

CACHE_SIZE = 64  # rosters of pools and states in one process
MAX_READS = 5  # of a roster that staff are changing right now

# A row's version changes with each update, and a rolled-back version never returns.
STAMP_SQL = """(
    select bit_xor(part) from (
        select bit_xor(hash_record_extended((o.xmin, o.ctid), 1)) as part from loan_officer o
         union all
        select bit_xor(hash_record_extended((l.xmin, l.ctid), 2)) from license l
         where l.state = %(state)s
         union all
        select bit_xor(hash_record_extended((l.xmin, l.ctid), 3)) from company_license l
         union all
        select bit_xor(hash_record_extended((c.xmin, c.ctid), 4)) from company c
         union all
        select bit_xor(uuid_hash_extended(b.id, hashtextextended(b.path, 5))) from branch b
         union all
        select bit_xor(uuid_hash_extended(u.id, hashtextextended(u.name, 6))) from "user" u
    ) parts)
"""

# One JSON document: faster to build in the database and to read in Python than rows.
ROSTER_SQL = f"""
with people as materialized (
    select o.*, u.name as user_name, b.path as branch_path
      from loan_officer o
      join "user" u on u.id = o.user_id
      join branch b on b.id = o.branch_id
     where (o.terminated_at is null or o.terminated_at > %(at)s)
       and (%(everyone)s or o.id = any(%(officers)s::uuid[]) or b.path like any(%(paths)s::text[]))
), permits as (
    select l.officer_id,
           json_agg(json_build_array(l.state, l.from_date, l.until_date, l.status)
                    order by l.from_date, l.id) as listed
      from license l where l.state = %(state)s and l.officer_id in (select id from people)
     group by 1
), shaped as materialized (
    select p.id, p.user_name, p.nmls_id, p.terminated_at, json_build_array(
        p.branch_path, p.zone, p.hours, p.languages, p.products,
        coalesce(permits.listed, '[]'::json), p.sponsored_from_date, p.daily_cap, p.open_cap
    )::text as shape
      from people p left join permits on permits.officer_id = p.id
), shapes as materialized (
    select t.shape, row_number() over (order by t.shape) - 1 as nth
      from (select distinct shape from shaped) t
)
select {STAMP_SQL}, json_build_object(
    'lender', (select json_build_object('kind', c.kind, 'permits', coalesce((
                   select json_agg(json_build_array(l.state, l.from_date, l.until_date, 'Approved')
                                   order by l.from_date, l.id)
                     from company_license l where l.state = %(state)s), '[]'::json))
                 from company c limit 1),
    'shapes', (select coalesce(json_agg(s.shape::json order by s.nth), '[]'::json) from shapes s),
    'candidates', (select coalesce(json_agg(json_build_array(
        p.id, p.user_name, p.nmls_id, s.nth, 0, 0, p.terminated_at, null)
        order by p.id), '[]'::json)
      from shaped p join shapes s on s.shape = p.shape)
)::text
"""  # noqa: S608 (STAMP_SQL is a constant)

# Since when officer `p` is on days off, a holiday included; null: not today.
DAYS_OFF_SINCE_SQL = """(
    select min(t.from_date::timestamp at time zone p.zone) from time_off t
     where (t.officer_id = p.id or t.officer_id is null) and t.canceled_at is null
       and t.from_date <= (%(at)s at time zone p.zone)::date
       and t.until_date > (%(at)s at time zone p.zone)::date)
"""

# Only officers with a load or a pause: leads today, and leads not yet reached.
CURRENT_LOAD_SQL = f"""
with held as (
    select w.officer_id, count(*) as today, 0 as unreached, null::timestamptz as paused_at
      from ownership w join loan_officer p on p.id = w.officer_id
     where w.from_at > %(at)s - interval '26 hours' and w.from_at <= %(at)s
       and w.from_at >= date_trunc('day', %(at)s at time zone p.zone) at time zone p.zone
       and (%(everyone)s or w.officer_id = any(%(ids)s::uuid[]))
     group by 1
), asked as (
    select f.officer_id, count(*) as today, count(*) as unreached, null::timestamptz from offer f
     where f.accepted_at is null and f.declined_at is null and f.expired_at is null
       and (%(everyone)s or f.officer_id = any(%(ids)s::uuid[]))
     group by 1
), unreached as (
    select l.officer_id, 0 as today, count(*) as unreached, null::timestamptz from lead l
     where l.officer_id is not null and l.first_conversation_at is null
       and l.state in ('new', 'working')
       and (%(everyone)s or l.officer_id = any(%(ids)s::uuid[]))
     group by 1
), paused as (
    select p.id, 0 as today, 0 as unreached, coalesce(p.paused_at, {DAYS_OFF_SINCE_SQL})
      from loan_officer p
     where (p.paused_at is not null or exists (select from time_off where canceled_at is null))
       and (%(everyone)s or p.id = any(%(ids)s::uuid[]))
), each as (
    select officer_id, sum(today) as today, sum(unreached) as unreached,
           max(paused_at) as paused_at
      from (table held union all table asked union all table unreached union all table paused) one
     group by 1
)
select {STAMP_SQL}, exists (select from roster where sha256 = %(sha256)s), json_build_object(
    'turns', (select coalesce(json_agg(json_build_array(t.pool, t.officer_id, t.taken)),
                              '[]'::json)
                from turn t where t.pool = any(%(pools)s::text[])),
    'now', (select coalesce(json_agg(json_build_array(officer_id, today, unreached, paused_at)),
                            '[]'::json) from each)
)::text
"""  # noqa: S608 (constants)


STORE_ROSTER_SQL = """
insert into roster (id, sha256, people, at) values (%s, %s, %s::jsonb, %s) on conflict do nothing
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedRoster:
    """A roster as read and cached, with no loads."""

    sha256: str
    text: str
    lender: Lender
    people: tuple[Candidate, ...]
    positions: Mapping[str, int]  # of each officer among `people`
    # The last load row of each officer, and the candidate built from it.
    last_loads: dict[int, tuple[Sequence[Any], Candidate]] = field(default_factory=dict)

    def with_current_load(self, rows: Iterable[Sequence[Any]]) -> tuple[Candidate, ...]:
        """Return the people with the loads of `rows`, reusing candidates whose load is the same."""
        people = [*self.people]
        for row in rows:
            nth = self.positions.get(row[0])
            if nth is None:
                continue
            last_row, candidate = self.last_loads.get(nth, ((), people[nth]))
            if last_row != row:
                candidate = candidates.with_current_load(candidate, *row[1:])
                self.last_loads[nth] = row, candidate
            people[nth] = candidate
        return tuple(people)


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterQuery:
    """The officers a choice can draw from, and the state of the property."""

    everyone: bool
    officers: tuple[str, ...]
    branches: tuple[str, ...]
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentRoster:
    """The officers of a roster with their loads at one time."""

    sha256: str
    unstored_text: str  # the roster's text while it isn't stored
    lender: Lender
    people: tuple[Candidate, ...]
    turns: Sequence[tuple[str, str, int]]  # pool key, officer id, turns taken


_cache: dict[RosterQuery, tuple[int, CachedRoster]] = {}


def load_current_roster(query: RosterQuery, *, pools: Sequence[str], at: datetime) -> CurrentRoster:
    """Load the officers who can be asked now, with their current loads.

    Takes two round trips when staff changed something since the last choice, else one.
    """
    stamp, roster = _cache.get(query) or _read_roster(query, at)
    for _ in range(MAX_READS):
        current_stamp, is_stored, load = _read_current_load(query, roster, pools, at)
        if current_stamp == stamp:
            break
        stamp, roster = _read_roster(query, at)
    return CurrentRoster(
        sha256=roster.sha256,
        unstored_text="" if is_stored else roster.text,
        lender=roster.lender,
        people=roster.with_current_load(load["now"]),
        turns=load["turns"],
    )


def store_rosters(rosters: Mapping[str, str], *, at: datetime) -> None:
    """Store the rosters (text by hash) that decisions use, skipping those already stored.

    Sorted by hash, so that two writers never deadlock.
    """
    if not rosters:
        return
    rows: list[list[Any]] = [
        [uuid7_at(at), sha256, text, at] for sha256, text in sorted(rosters.items())
    ]
    execute_many(STORE_ROSTER_SQL, rows)


@lru_cache(maxsize=CACHE_SIZE)
def load_stored_roster(sha256: str) -> CachedRoster:
    """Load a stored roster by hash; a stored roster never changes."""
    stored = Roster.objects.values_list("people", flat=True).get(sha256=sha256)
    return _build_roster(json.dumps(stored), sha256)


def _read_roster(query: RosterQuery, at: datetime) -> tuple[int, CachedRoster]:
    stamp, text = query_row(
        ROSTER_SQL,
        {
            "at": at,
            "state": query.state,
            "everyone": query.everyone,
            "officers": list(query.officers),
            "paths": [f"%/{branch}/%" for branch in query.branches],
        },
    )
    roster = _build_roster(text, hashlib.sha256(text.encode()).hexdigest())
    while len(_cache) >= CACHE_SIZE:
        _cache.pop(next(iter(_cache)), None)
    _cache[query] = stamp, roster
    return stamp, roster


def _build_roster(text: str, sha256: str) -> CachedRoster:
    stored = json.loads(text)
    people = candidates.candidates_from_json(stored)
    return CachedRoster(
        sha256=sha256,
        text=text,
        lender=candidates.lender_from_json(stored["lender"]),
        people=people,
        positions={person.id: nth for nth, person in enumerate(people)},
    )


def _read_current_load(
    query: RosterQuery, roster: CachedRoster, pools: Sequence[str], at: datetime
) -> tuple[int, bool, dict[str, Any]]:
    stamp, is_stored, text = query_row(
        CURRENT_LOAD_SQL,
        {
            "at": at,
            "state": query.state,
            "everyone": query.everyone,
            "ids": [] if query.everyone else list(roster.positions),
            "sha256": roster.sha256,
            "pools": list(pools),
        },
    )
    return stamp, is_stored, json.loads(text)
