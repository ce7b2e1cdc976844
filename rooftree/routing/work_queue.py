"""The loan officer's work queue, best first, with the reason for each row's place."""

import json
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from rooftree.compliance.rule_changes import approved_changes
from rooftree.db.statements import query_rows
from rooftree.org.models import Branch, User
from rooftree.routing import response_deadline
from rooftree.routing.lead_filter import FILTER_SQL, LeadFilter
from rooftree.routing.rule_sentences import PURPOSE_NAMES

MAX_ROWS = 200  # a longer queue is not worked from the top anyway
CALLBACK_NOTICE = timedelta(minutes=10)  # how long before its time an agreed call comes to the top


class Tab(StrEnum):
    """The part of an officer's leads a list shows."""

    NOW = "now"
    TODAY = "today"
    WAITING = "waiting"


class Group(StrEnum):
    """Why a row is where it is, in the order of the list."""

    PROMISE = "promise"
    REPLY = "reply"
    TASK = "task"  # due
    NEXT = "next"
    WAITING = "waiting"  # on the borrower, or until a day the officer chose


GROUP_ORDER = {group: place for place, group in enumerate(Group)}


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """One line of the queue."""

    lead_id: UUID
    name: str
    group: Group
    reason: str  # "Zillow purchase in TX, 40 seconds ago"
    offer_id: UUID | None  # to be taken first; None: the officer owns the lead
    due_at: datetime | None  # the end of the offer, or the response deadline
    purpose: str
    amount_cents: int | None
    city: str
    state: str
    source: str
    score: int | None
    created_at: datetime
    replied_at: datetime | None  # unanswered
    opens_at: datetime | None  # when calls open, in the borrower's zone; None: now, or unknown
    snoozed_until: datetime | None
    is_missed_at_night: bool  # due before calls closed: the clock stands still until they open


# A reply waits until a staff member answers it, not until someone has read it.
# The parts of `mine` each use an index; the third is what a backup covers.
QUEUE_SQL = f"""
with officers as (
    select o.id from loan_officer o
     where (o.user_id = %(user)s and o.terminated_at is null)
        or o.id in (select a.officer_id from assistance a where a.assistant_id = %(user)s)
), mine as (
    select l.id, null::uuid as offer_id, null::timestamptz as offer_due,
           null::timestamptz as cover_due, '' as cover_for from lead l
     where l.officer_id in (select id from officers)
       and l.state in ('new', 'working', 'nurture') and l.retired_at is null
    union all
    select f.lead_id, f.id, f.due_at, null, '' from offer f
     where f.officer_id in (select id from officers)
       and f.accepted_at is null and f.declined_at is null and f.expired_at is null
    union all
    select p.lead_id, null, null, min(p.due_at), min(u.name) from promise p
      join lead l on l.id = p.lead_id
      join loan_officer o on o.id = l.officer_id join "user" u on u.id = o.user_id
     where p.backup_id in (select id from officers) and o.id not in (select id from officers)
       and p.kept_at is null and p.canceled_at is null
     group by p.lead_id
), facts as (
    select l.*, m.offer_id, m.offer_due, m.cover_due, m.cover_for,
           heard.at as heard_at, tried.at as tried_at,
           owed.call_at, owed.meet_at, owed.task_at, owed.task
      from mine m join lead l on l.id = m.id
      left join lateral (select max(a.at) as at from contact_attempt a
                          where a.lead_id = l.id and a.direction = 'in'
                            and a.result not in ('revoke', 'wrong_person')) heard on true
      left join lateral (select max(a.at) as at from contact_attempt a
                          where a.lead_id = l.id and a.direction = 'out'
                            and not a.is_automated) tried on true
      left join lateral (select min(t.due_at) filter (where t.kind = 'call_back') as call_at,
                                min(t.due_at) filter (where t.kind = 'appointment') as meet_at,
                                min(t.due_at) as task_at,
                                (array_agg(t.title order by t.due_at, t.id))[1] as task
                           from task t
                          where t.lead_id = l.id and t.role = ''
                            and t.done_at is null and t.canceled_at is null) owed on true
), grouped as (
    select facts.*, case
        when offer_id is not null or cover_due is not null then 'promise'
        when response_due_at is not null and first_attempt_at is null then 'promise'
        when least(call_at, meet_at) <= %(soon)s then 'promise'
        when heard_at is not null and (tried_at is null or heard_at > tried_at) then 'reply'
        when task_at <= %(at)s then 'task'
        when snoozed_until > %(at)s or call_at is not null or meet_at is not null then 'waiting'
        when state = 'nurture' then 'waiting'
        when tried_at > %(at)s - interval '20 hours' then 'waiting'
        else 'next' end as kind,
        coalesce(offer_due, cover_due,
                 case when first_attempt_at is null then response_due_at end,
                 least(call_at, meet_at))
          as promised_at
      from facts
)
select g.id, p.first_name, p.last_name, g.kind, g.offer_id,
       g.promised_at, g.purpose, g.amount_cents, g.property_city,
       g.property_state, s.name, g.score, g.created_at, g.snoozed_until, g.last_inquiry_at,
       g.heard_at, g.tried_at, g.score_reasons::text, g.snooze_reason, g.call_at,
       g.meet_at, g.task_at,
       g.task, g.property_zip, g.cover_for,
       (select e164 from phone where phone.person_id = g.person_id and unlinked_at is null
         order by is_primary desc, given_at limit 1),
       {approved_changes.APPROVED_CHANGES_SQL}
  from grouped g join person p on p.id = g.person_id join source s on s.id = g.source_id
 where case %(tab)s
       when 'now' then g.kind <> 'waiting'
       when 'waiting' then g.kind = 'waiting'
       else g.kind <> 'waiting' or g.snoozed_until < %(tomorrow)s
            or g.task_at < %(tomorrow)s end
   and {FILTER_SQL}
 order by array_position(array['promise', 'reply', 'task', 'next', 'waiting'], g.kind),
       case when g.kind = 'promise' then g.promised_at end,
       case when g.kind = 'reply' then g.heard_at end,
       case when g.kind = 'task' then g.task_at end,
       g.score desc nulls last, g.last_inquiry_at desc, g.id
 limit %(limit)s
"""  # noqa: S608

COLUMNS = (
    "id", "first_name", "last_name", "group", "offer_id", "due_at", "purpose", "amount_cents",
    "city", "state", "source", "score", "created_at", "snoozed_until", "last_inquiry_at",
    "heard_at",
    "tried_at", "score_reasons", "snooze_reason", "call_at", "meet_at", "task_at", "task", "zip",
    "cover_for",
    "phone", "rules",
)  # fmt: skip
COPIED_COLUMNS = COLUMNS[6:14]
NO_FILTER = LeadFilter()


def list_rows(
    user: User, *, at: datetime, tab: Tab = Tab.NOW, only: LeadFilter = NO_FILTER
) -> list[QueueRow]:
    """List the rows of one tab, best first: deadlines, replies, due tasks, next calls.

    Among next calls, borrowers who can be called at this hour come first. An
    assistant sees one list for all officers they assist. One query.
    """
    home = user.branch or Branch.objects.filter(officers__user=user).first()
    local_now = at.astimezone(ZoneInfo(home.zone if home else "America/New_York"))
    parameters: dict[str, Any] = {
        "user": user.pk,
        "at": at,
        "soon": at + CALLBACK_NOTICE,
        "tab": str(tab),
        "tomorrow": datetime.combine(
            local_now.date() + timedelta(days=1), time(0), local_now.tzinfo
        ),
        "limit": MAX_ROWS,
        **only.sql_parameters(at),
    }
    rows = [_build_row(row, local_now) for row in query_rows(QUEUE_SQL, parameters)]
    return sorted(  # stable: otherwise the order of the query stays
        rows,
        key=lambda row: (
            GROUP_ORDER[row.group],
            row.group is Group.NEXT and row.opens_at is not None,
        ),
    )


def _build_row(row: tuple[Any, ...], at: datetime) -> QueueRow:
    columns = dict(zip(COLUMNS, row, strict=True))
    group = Group(columns["group"])
    is_reply = group is Group.REPLY
    place = (columns["phone"], columns["state"], columns["zip"], columns["rules"])
    opens = response_deadline.calls_closed_until(*place, at=at)
    call_hours = ""
    if opens and group is not Group.WAITING:
        call_hours = f". {describe_opening(opens, at)}"
    return QueueRow(
        lead_id=columns["id"],
        name=" ".join(filter(None, (columns["first_name"], columns["last_name"]))) or "No name yet",
        group=group,
        reason=_describe_reason(group, columns, at) + call_hours,
        offer_id=columns["offer_id"],
        due_at=columns["due_at"] if group is Group.PROMISE else None,
        replied_at=columns["heard_at"] if is_reply else None,
        opens_at=opens,
        is_missed_at_night=bool(opens and columns["due_at"] and columns["due_at"] < at),
        **{key: columns[key] for key in COPIED_COLUMNS},
    )


def _describe_reason(group: Group, columns: dict[str, Any], at: datetime) -> str:
    """Describe why the row is where it is; `at` is in the reader's zone."""
    if columns["cover_for"]:
        return f"Covering for {columns['cover_for']}: {_inquiry_text(group, columns, at)}"
    if group is Group.REPLY:
        return f"Needs reply: wrote or called {format_ago(columns['heard_at'], at)}"
    if group is Group.PROMISE and columns["call_at"] and columns["call_at"] == columns["due_at"]:
        return f"You agreed to call back at {_format_when(columns['call_at'], at)}"
    if group is Group.PROMISE and columns["meet_at"] and columns["meet_at"] == columns["due_at"]:
        return f"Appointment at {_format_when(columns['meet_at'], at)}"
    if group is Group.TASK:
        return f"Due {_format_when(columns['task_at'], at)}: {columns['task']}"
    if group is Group.WAITING:
        return _waiting_reason(columns, at)
    return _inquiry_text(group, columns, at)


def _waiting_reason(columns: dict[str, Any], at: datetime) -> str:
    if columns["snoozed_until"] and columns["snoozed_until"] > at:
        why = f": {columns['snooze_reason']}" if columns["snooze_reason"] else ""
        return f"Snoozed until {_format_when(columns['snoozed_until'], at)}{why}"
    if columns["call_at"]:
        return f"You agreed to call back {_format_when(columns['call_at'], at)}"
    if columns["meet_at"]:
        return f"Appointment {_format_when(columns['meet_at'], at)}"
    if columns["tried_at"]:
        return f"Tried {format_ago(columns['tried_at'], at)}; waiting on borrower"
    return _inquiry_text(Group.WAITING, columns, at)


def _inquiry_text(group: Group, columns: dict[str, Any], at: datetime) -> str:
    place = f" in {columns['state']}" if columns["state"] else ""
    inquiry = f"{columns['source']} {PURPOSE_NAMES.get(columns['purpose'], 'inquiry')}{place}"
    text = f"{inquiry}, {format_ago(columns['last_inquiry_at'], at)}"
    score_reasons = json.loads(columns["score_reasons"] or "[]")
    if group is Group.NEXT and score_reasons:
        return f"{text}. {score_reasons[0]['text']}"
    return text


def describe_opening(opens: datetime, at: datetime) -> str:
    """Describe when calls open: `OK to call 8:00 AM borrower's time`; `opens` is on that clock."""
    return f"OK to call {_format_when(opens, at.astimezone(opens.tzinfo))} borrower's time"


def _format_when(moment: datetime, at: datetime) -> str:
    """Format as `5:00 PM`, `Thu 5:00 PM` (within a week) or `Nov 12, 5:00 PM`, in `at`'s zone."""
    local = moment.astimezone(at.tzinfo)
    clock = f"{local:%I:%M %p}".lstrip("0")
    days = (local.date() - at.date()).days
    if days == 0:
        return clock
    return f"{local:%a} {clock}" if 0 < days < 7 else f"{local:%b} {local.day}, {clock}"


def format_ago(then: datetime, at: datetime) -> str:
    """Format the time between `then` and `at` in one unit: `40 seconds ago`, `3 days ago`."""
    seconds = max(0, int((at - then).total_seconds()))
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return f"{seconds} second{'' if seconds == 1 else 's'} ago"
