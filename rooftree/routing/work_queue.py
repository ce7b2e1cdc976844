"""The loan officer's list: what to do next, best first, each row with the reason for its place."""

import json
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from rooftree.compliance.gate import next_calling_time
from rooftree.compliance.rule_changes import approved_changes
from rooftree.org.models import User
from rooftree.routing.rule_sentences import PURPOSE_NAMES

MAX_ROWS = 200  # rows; a queue beyond it is not worked from the top
CALLBACK_NOTICE = timedelta(minutes=10)  # an agreed call comes to the top that much before its time


class Tab(StrEnum):
    """Which part of an officer's leads a list shows."""

    NOW = "now"
    TODAY = "today"
    WAITING = "waiting"


class Group(StrEnum):
    """Why a row stands where it does; the order is the order of the list."""

    PROMISE = "promise"
    REPLY = "reply"
    TASK = "task"  # due
    NEXT = "next"
    WAITING = "waiting"  # for the borrower, or for a day the officer chose


GROUP_ORDER = {group: place for place, group in enumerate(Group)}


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
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
    opens_at: datetime | None  # when they may be called, by their clock; None: now, or unknown
    snoozed_until: datetime | None


# A reply waits until a person of ours answers it, not until somebody has looked at it.
# The two halves of `mine` keep both on an index.
QUEUE_SQL = f"""
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
    select l.*, m.offer_id, m.offer_due, heard.at as heard_at, tried.at as tried_at,
           owed.call_at, owed.task_at, owed.task
      from mine m join lead l on l.id = m.id
      left join lateral (select max(a.at) as at from contact_attempt a
                          where a.lead_id = l.id and a.direction = 'in'
                            and a.result not in ('revoke', 'wrong_person')) heard on true
      left join lateral (select max(a.at) as at from contact_attempt a
                          where a.lead_id = l.id and a.direction = 'out'
                            and not a.is_automated) tried on true
      left join lateral (select min(t.due_at) filter (where t.kind = 'call_back') as call_at,
                                min(t.due_at) as task_at,
                                (array_agg(t.title order by t.due_at, t.id))[1] as task
                           from task t
                          where t.lead_id = l.id and t.role = ''
                            and t.done_at is null and t.cancelled_at is null) owed on true
), grouped as (
    select facts.*, case
        when offer_id is not null then 'promise'
        when promise_at is not null and first_attempt_at is null then 'promise'
        when call_at <= %(soon)s then 'promise'
        when heard_at is not null and (tried_at is null or heard_at > tried_at) then 'reply'
        when task_at <= %(at)s then 'task'
        when snoozed_until > %(at)s or call_at is not null then 'waiting'
        when state = 'nurture' then 'waiting'
        when tried_at > %(at)s - interval '20 hours' then 'waiting'
        else 'next' end as kind,
        coalesce(offer_due, case when first_attempt_at is null then promise_at end, call_at)
          as promised_at
      from facts
)
select g.id, p.first_name, p.last_name, g.kind, g.offer_id,
       g.promised_at, g.purpose, g.amount_cents, g.property_city,
       g.property_state, s.name, g.score, g.created_at, g.snoozed_until, g.warmed_at,
       g.heard_at, g.tried_at, g.score_reasons::text, g.snoozed_because, g.call_at, g.task_at,
       g.task, g.property_zip,
       (select e164 from phone where phone.person_id = g.person_id and unlinked_at is null
         order by is_primary desc, given_at limit 1),
       {approved_changes.APPROVED_CHANGES_SQL}
  from grouped g join person p on p.id = g.person_id join source s on s.id = g.source_id
 where case %(tab)s
       when 'now' then g.kind <> 'waiting'
       when 'waiting' then g.kind = 'waiting'
       else g.kind <> 'waiting' or g.snoozed_until < %(tomorrow)s
            or g.task_at < %(tomorrow)s end
 order by array_position(array['promise', 'reply', 'task', 'next', 'waiting'], g.kind),
       case when g.kind = 'promise' then g.promised_at end,
       case when g.kind = 'reply' then g.heard_at end,
       case when g.kind = 'task' then g.task_at end,
       g.score desc nulls last, g.warmed_at desc, g.id
 limit %(limit)s
"""  # noqa: S608

COLUMNS = (
    "id", "first_name", "last_name", "group", "offer_id", "due_at", "purpose", "amount_cents",
    "city", "state", "source", "score", "created_at", "snoozed_until", "warmed_at", "heard_at",
    "tried_at", "score_reasons", "snoozed_because", "call_at", "task_at", "task", "zip", "phone",
    "rules",
)  # fmt: skip
COPIED_COLUMNS = COLUMNS[6:14]


def list_rows(user: User, *, at: datetime, tab: Tab = Tab.NOW) -> list[QueueRow]:
    """The rows of one tab, best first: running promises, unanswered replies, due tasks, next calls.

    Of the next calls those come first whom the hour allows to be called. An
    assistant sees the lists of the officers assisted, as one. One query.
    """
    here = at.astimezone(ZoneInfo(user.branch.zone if user.branch else "America/New_York"))
    asked: dict[str, Any] = {
        "user": user.pk,
        "at": at,
        "soon": at + CALLBACK_NOTICE,
        "tab": str(tab),
        "tomorrow": datetime.combine(here.date() + timedelta(days=1), time(0), here.tzinfo),
        "limit": MAX_ROWS,
    }
    with connection.cursor() as cursor:
        cursor.execute(QUEUE_SQL, asked)
        rows = [_build_row(found, here) for found in cursor.fetchall()]
    return sorted(rows, key=_sort_key)  # stable: the order of the list otherwise stays


def _sort_key(row: QueueRow) -> tuple[int, bool]:
    return GROUP_ORDER[row.group], row.group is Group.NEXT and row.opens_at is not None


def _build_row(found: tuple[Any, ...], at: datetime) -> QueueRow:
    named = dict(zip(COLUMNS, found, strict=True))
    group = Group(named["group"])
    reply = group is Group.REPLY
    changes = approved_changes.parse_changes(named["rules"])
    opens = next_calling_time.next_opening(
        named["phone"] or "", named["state"], named["zip"], changes, at=at
    )
    opens = opens if opens and opens > at else None
    return QueueRow(
        lead_id=named["id"],
        name=" ".join(filter(None, (named["first_name"], named["last_name"]))) or "No name yet",
        group=group,
        reason=_describe_reason(group, named, at) + _call_hours_text(group, opens, at),
        offer_id=named["offer_id"],
        due_at=named["due_at"] if group is Group.PROMISE else None,
        replied_at=named["heard_at"] if reply else None,
        opens_at=opens,
        **{key: named[key] for key in COPIED_COLUMNS},
    )


def _describe_reason(group: Group, named: dict[str, Any], at: datetime) -> str:
    """Why the row stands where it does, in words; `at` is in the reader's zone."""
    if group is Group.REPLY:
        return f"Wrote or called {format_ago(named['heard_at'], at)} and waits for an answer"
    if group is Group.PROMISE and named["call_at"] and named["call_at"] == named["due_at"]:
        return f"You agreed to call back at {_format_when(named['call_at'], at)}"
    if group is Group.TASK:
        return f"Due {_format_when(named['task_at'], at)}: {named['task']}"
    if group is Group.WAITING:
        return _waiting_reason(named, at)
    return _inquiry_text(group, named, at)


def _waiting_reason(named: dict[str, Any], at: datetime) -> str:
    if named["snoozed_until"] and named["snoozed_until"] > at:
        why = f": {named['snoozed_because']}" if named["snoozed_because"] else ""
        return f"Set aside until {_format_when(named['snoozed_until'], at)}{why}"
    if named["call_at"]:
        return f"You agreed to call back {_format_when(named['call_at'], at)}"
    if named["tried_at"]:
        return f"Tried {format_ago(named['tried_at'], at)}; it is the borrower's turn"
    return _inquiry_text(Group.WAITING, named, at)


def _inquiry_text(group: Group, named: dict[str, Any], at: datetime) -> str:
    place = f" in {named['state']}" if named["state"] else ""
    what = f"{named['source']} {PURPOSE_NAMES.get(named['purpose'], 'inquiry')}{place}"
    said = f"{what}, {format_ago(named['warmed_at'], at)}"
    best = json.loads(named["score_reasons"] or "[]")
    return f"{said}. {best[0]['text']}" if group is Group.NEXT and best else said


def _call_hours_text(group: Group, opens: datetime | None, at: datetime) -> str:
    """Why not now, where the hour is against a call."""
    if opens is None or group is Group.WAITING:
        return ""
    return f". Calls open {_format_when(opens, at.astimezone(opens.tzinfo))} their time"


def _format_when(moment: datetime, at: datetime) -> str:
    """`5:00 PM`, within the week `Thu 5:00 PM`, else `Nov 12, 5:00 PM`; in the zone of `at`."""
    there = moment.astimezone(at.tzinfo)
    clock = f"{there:%I:%M %p}".lstrip("0")
    days = (there.date() - at.date()).days
    if days == 0:
        return clock
    return f"{there:%a} {clock}" if 0 < days < 7 else f"{there:%b} {there.day}, {clock}"


def format_ago(then: datetime, at: datetime) -> str:
    """How long before `at` something was, in one unit: `40 seconds ago`, `3 days ago`."""
    seconds = max(0, int((at - then).total_seconds()))
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return f"{seconds} second{'' if seconds == 1 else 's'} ago"
