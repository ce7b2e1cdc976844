"""Figures for a monitoring system, read from the database at each asking.

What is counted over time is counted over the last hour, by ids, which are ordered by time: the
cost does not grow with the years. Nothing is kept in a process, so any number may answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from rooftree.core.uuid7 import uuid7_at

WINDOW = timedelta(hours=1)
OVER = "over the last hour"

QUEUE = """
select queue, state::text, count(*),
       coalesce(extract(epoch from timezone('UTC', now()) - min(scheduled_at)
           filter (where state = 'available')), 0)
  from oban_jobs where state in ('available', 'scheduled', 'executing', 'retryable', 'discarded')
 group by 1, 2
"""
WORKERS = """
select count(distinct node) from oban_producers
 where updated_at > timezone('UTC', now()) - interval '10 s'
"""
CLOCKS = "select count(*) from pg_stat_activity where application_name = 'rooftree clock'"
UNSENT = """
select medium, count(*), extract(epoch from %(at)s - min(due_at)) from message
 where state in ('waiting', 'held', 'claimed') and due_at <= %(at)s group by 1
"""
MESSAGES = """
select medium, state, count(*) from message
 where id >= %(since)s and id < %(until)s and direction = 'out' group by 1, 2
"""
RECEIVED = (
    "select state, count(*) from delivery where id >= %(since)s and id < %(until)s group by 1"
)
LEADS = """
select count(*), count(first_message_at), count(first_attempt_at),
       percentile_cont(array[0.5, 0.95]) within group
           (order by extract(epoch from first_message_at - created_at)),
       percentile_cont(array[0.5, 0.95]) within group
           (order by extract(epoch from first_attempt_at - created_at))
  from lead where id >= %(since)s and id < %(until)s
"""
DECISIONS = """
select medium, decision, count(*) from verdict
 where id >= %(since)s and id < %(until)s group by 1, 2
"""
OFFERS = """
select count(*), count(taken_at), count(lapsed_at), count(passed_at)
  from offer where id >= %(since)s and id < %(until)s
"""
HANDOFFS = """
select state, count(*), coalesce(extract(epoch from %(at)s - min(due_at)), 0) from handoff
 where state in ('pending', 'sending', 'uncertain') group by 1
"""
SEALING = """
select count(*), coalesce(extract(epoch from %(at)s - min(recorded_at)), 0)
  from event where sequence is null
"""
PAUSED = "select count(*) from sending_pause where released_at is null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One metric: its name, its meaning, and its values by labels."""

    name: str
    what: str
    values: tuple[tuple[dict[str, str], float], ...]
    kind: str = "gauge"


def families(at: datetime) -> list[Family]:
    """Everything there is to tell at `at`."""
    given = {"at": at, "since": uuid7_at(at - WINDOW), "until": uuid7_at(at)}
    return [
        *_queue(given),
        *_messages(given),
        *_leads(given),
        *_others(given),
    ]


def _queue(given: dict[str, Any]) -> list[Family]:
    rows = _rows(QUEUE, given)
    return [
        _family(
            "rooftree_tasks",
            "Tasks in the queue, by urgency and state; discarded ones gave up",
            [({"queue": row[0], "state": row[1]}, row[2]) for row in rows],
        ),
        _family(
            "rooftree_tasks_oldest_seconds",
            "Age of the oldest task that could run now, by urgency",
            [({"queue": row[0]}, row[3]) for row in rows if row[1] == "available"],
        ),
        _one("rooftree_workers", "Workers that live", _rows(WORKERS, given)[0][0]),
        _one("rooftree_clocks", "Clocks that are connected", _rows(CLOCKS, given)[0][0]),
    ]


def _messages(given: dict[str, Any]) -> list[Family]:
    unsent = _rows(UNSENT, given)
    return [
        _family(
            "rooftree_messages_due",
            "Texts and mails that are due and have not gone",
            [({"medium": row[0]}, row[1]) for row in unsent],
        ),
        _family(
            "rooftree_messages_due_oldest_seconds",
            "How long the oldest of them is overdue",
            [({"medium": row[0]}, row[2]) for row in unsent],
        ),
        _family(
            "rooftree_messages_last_hour",
            f"Texts and mails planned {OVER}, by what became of them",
            [({"medium": row[0], "state": row[1]}, row[2]) for row in _rows(MESSAGES, given)],
        ),
        _family(
            "rooftree_gate_decisions_last_hour",
            f"Answers of the gate {OVER}",
            [({"medium": row[0], "decision": row[1]}, row[2]) for row in _rows(DECISIONS, given)],
        ),
    ]


def _leads(given: dict[str, Any]) -> list[Family]:
    leads = _rows(LEADS, given)[0]
    speeds = [
        ({"to": to, "quantile": quantile}, seconds)
        for to, found in (("message", leads[3]), ("attempt", leads[4]))
        for quantile, seconds in zip(("0.5", "0.95"), found or (), strict=False)
        if seconds is not None
    ]
    offered, taken, lapsed, passed = _rows(OFFERS, given)[0]
    return [
        _family(
            "rooftree_deliveries_last_hour",
            f"Authentic deliveries {OVER}, by state",
            [({"state": row[0]}, row[1]) for row in _rows(RECEIVED, given)],
        ),
        _one("rooftree_leads_last_hour", f"Leads accepted {OVER}", leads[0]),
        _family(
            "rooftree_speed_to_lead_seconds",
            f"From a lead's arrival to the first message, and to a person's first attempt, {OVER}",
            speeds,
        ),
        _family(
            "rooftree_offers_last_hour",
            f"Offers to officers {OVER}",
            [
                ({"became": "made"}, offered),
                ({"became": "taken"}, taken),
                ({"became": "lapsed"}, lapsed),
                ({"became": "refused"}, passed),
            ],
        ),
    ]


def _others(given: dict[str, Any]) -> list[Family]:
    handoffs = _rows(HANDOFFS, given)
    unsealed, lag = _rows(SEALING, given)[0]
    return [
        _family(
            "rooftree_los_handoffs_open",
            "Hand-offs on their way to the LOS",
            [({"state": row[0]}, row[1]) for row in handoffs],
        ),
        _family(
            "rooftree_los_handoffs_overdue_seconds",
            "How long the oldest of them is overdue; negative when none is",
            [({"state": row[0]}, row[2]) for row in handoffs],
        ),
        _one("rooftree_ledger_unsealed", "Events that wait to be sealed", unsealed),
        _one("rooftree_ledger_lag_seconds", "Age of the oldest of them", lag),
        _one("rooftree_sending_paused", "1 while nothing may leave", _rows(PAUSED, given)[0][0]),
    ]


def _one(name: str, what: str, value: float) -> Family:
    return _family(name, what, [({}, value)])


def _family(name: str, what: str, values: Sequence[tuple[dict[str, str], Any]]) -> Family:
    return Family(
        name=name, what=what, values=tuple((labels, float(value)) for labels, value in values)
    )


def _rows(statement: str, given: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        if "%(" in statement:
            cursor.execute(statement, given)
        else:
            cursor.execute(statement)
        return list(cursor.fetchall())
