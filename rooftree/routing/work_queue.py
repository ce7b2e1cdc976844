"""The loan officer's list: what to do next, best first, each row with the reason for its place."""

import json
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from rooftree.org.models import User
from rooftree.routing.rule_words import PURPOSES

LONGEST = 200  # rows; a queue beyond it is not worked from the top


class Tab(StrEnum):
    """Which part of an officer's leads a list shows."""

    NOW = "now"
    TODAY = "today"
    WAITING = "waiting"


class Group(StrEnum):
    """Why a row stands where it does; the order is the order of the list."""

    PROMISE = "promise"
    REPLY = "reply"
    NEXT = "next"
    WAITING = "waiting"  # for the borrower, or for a day the officer chose


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the queue."""

    lead_id: UUID
    name: str
    group: Group
    reason: str  # "Zillow purchase in TX, 40 seconds ago"
    offer_id: UUID | None  # to be taken first; None: it is the officer's already
    due_at: datetime | None  # the end of the offer, or the promise to the borrower
    purpose: str
    amount_cents: int | None
    city: str
    state: str
    source: str
    score: int | None
    created_at: datetime
    replied_at: datetime | None  # unanswered
    snoozed_until: datetime | None


# A reply waits until a person of ours answers it, not until somebody has looked at it.
# The two halves of `mine` keep both on an index.
LISTED = """
with officers as (
    select o.id from loan_officer o
     where (o.user_id = %(user)s and o.terminated_at is null)
        or o.id in (select a.officer_id from assistance a where a.assistant_id = %(user)s)
), mine as (
    select l.id, null::uuid as offer_id, null::timestamptz as offer_due from lead l
     where l.officer_id in (select id from officers)
       and l.state in ('new', 'working', 'nurture') and l.retired_at is null
    union all
    select f.lead_id, f.id, f.due_at from offer f
     where f.officer_id in (select id from officers)
       and f.taken_at is null and f.passed_at is null and f.lapsed_at is null
), facts as (
    select l.*, m.offer_id, m.offer_due, heard.at as heard_at, tried.at as tried_at
      from mine m join lead l on l.id = m.id
      left join lateral (select max(a.at) as at from contact_attempt a
                          where a.lead_id = l.id and a.direction = 'in') heard on true
      left join lateral (select max(a.at) as at from contact_attempt a
                          where a.lead_id = l.id and a.direction = 'out'
                            and not a.is_automated) tried on true
), grouped as (
    select facts.*, case
        when offer_id is not null then 'promise'
        when promise_at is not null and first_attempt_at is null then 'promise'
        when heard_at is not null and (tried_at is null or heard_at > tried_at) then 'reply'
        when snoozed_until > %(at)s then 'waiting'
        when state = 'nurture' then 'waiting'
        when tried_at > %(at)s - interval '20 hours' then 'waiting'
        else 'next' end as kind from facts
)
select g.id, p.first_name, p.last_name, g.kind, g.offer_id,
       coalesce(g.offer_due, g.promise_at), g.purpose, g.amount_cents, g.property_city,
       g.property_state, s.name, g.score, g.created_at, g.snoozed_until, g.warmed_at,
       g.heard_at, g.tried_at, g.score_reasons::text
  from grouped g join person p on p.id = g.person_id join source s on s.id = g.source_id
 where case %(tab)s
       when 'now' then g.kind <> 'waiting'
       when 'waiting' then g.kind = 'waiting'
       else g.kind <> 'waiting' or g.snoozed_until < %(tomorrow)s end
 order by array_position(array['promise', 'reply', 'next', 'waiting'], g.kind),
       case when g.kind = 'promise' then coalesce(g.offer_due, g.promise_at) end,
       case when g.kind = 'reply' then g.heard_at end,
       g.score desc nulls last, g.warmed_at desc, g.id
 limit %(limit)s
"""

COLUMNS = (
    "id", "first_name", "last_name", "group", "offer_id", "due_at", "purpose", "amount_cents",
    "city", "state", "source", "score", "created_at", "snoozed_until", "warmed_at", "heard_at",
    "tried_at", "score_reasons",
)  # fmt: skip
SHOWN = COLUMNS[6:14]


def for_officer(user: User, *, at: datetime, tab: Tab = Tab.NOW) -> list[Row]:
    """The rows of one tab, best first: running promises, unanswered replies, best next calls.

    An assistant sees the lists of the officers assisted, as one. One query.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            LISTED,
            {
                "user": user.pk,
                "at": at,
                "tab": str(tab),
                "tomorrow": _tomorrow(user, at),
                "limit": LONGEST,
            },
        )
        return [_row(found, at) for found in cursor.fetchall()]


def _tomorrow(user: User, at: datetime) -> datetime:
    zone = ZoneInfo(user.branch.zone if user.branch else "America/New_York")
    return datetime.combine(at.astimezone(zone).date() + timedelta(days=1), time(0), zone)


def _row(found: tuple[Any, ...], at: datetime) -> Row:
    named = dict(zip(COLUMNS, found, strict=True))
    group = Group(named["group"])
    reply = group is Group.REPLY
    return Row(
        lead_id=named["id"],
        name=" ".join(filter(None, (named["first_name"], named["last_name"]))) or "No name yet",
        group=group,
        reason=_reason(group, named, at),
        offer_id=named["offer_id"],
        due_at=named["due_at"] if group is Group.PROMISE else None,
        replied_at=named["heard_at"] if reply else None,
        **{key: named[key] for key in SHOWN},
    )


def _reason(group: Group, named: dict[str, Any], at: datetime) -> str:
    """Why the row stands where it does, in words."""
    if group is Group.REPLY:
        return f"Wrote or called {ago(named['heard_at'], at)} and waits for an answer"
    if group is Group.WAITING and named["snoozed_until"] and named["snoozed_until"] > at:
        return f"Set aside until {named['snoozed_until']:%b} {named['snoozed_until'].day}"
    if group is Group.WAITING and named["tried_at"]:
        return f"Tried {ago(named['tried_at'], at)}; it is the borrower's turn"
    place = f" in {named['state']}" if named["state"] else ""
    what = f"{named['source']} {PURPOSES.get(named['purpose'], 'inquiry')}{place}"
    said = f"{what}, {ago(named['warmed_at'], at)}"
    best = json.loads(named["score_reasons"] or "[]")
    return f"{said}. {best[0]['text']}" if group is Group.NEXT and best else said


def ago(then: datetime, at: datetime) -> str:
    """How long before `at` something was, in one unit: `40 seconds ago`, `3 days ago`."""
    seconds = max(0, int((at - then).total_seconds()))
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return f"{seconds} second{'' if seconds == 1 else 's'} ago"
