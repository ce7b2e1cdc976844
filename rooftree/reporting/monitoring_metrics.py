"""Metrics for a monitoring system, read from the database at each scrape.

Rates cover the last hour. They select by id, because ids are ordered by time, so the cost does not
grow with the years. No process keeps state, so any number of processes can answer.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from prometheus_client.metrics_core import GaugeMetricFamily

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.statements import query_rows

WINDOW = timedelta(hours=1)
WINDOW_TEXT = "over the last hour"

QUEUE_SQL = """
select queue, state::text, count(*),
       coalesce(extract(epoch from timezone('UTC', now()) - min(scheduled_at)
           filter (where state = 'available')), 0)
  from oban_jobs where state in ('available', 'scheduled', 'executing', 'retryable', 'discarded')
 group by 1, 2
"""
WORKERS_SQL = """
select count(distinct node) from oban_producers
 where updated_at > timezone('UTC', now()) - interval '10 s'
"""
CLOCKS_SQL = "select count(*) from pg_stat_activity where application_name = 'rooftree clock'"
UNSENT_SQL = """
select medium, count(*), extract(epoch from %(at)s - min(due_at)) from message
 where state in ('waiting', 'held', 'claimed') and due_at <= %(at)s group by 1
"""
MESSAGES_SQL = """
select medium, state, count(*) from message
 where id >= %(since)s and id < %(until)s and direction = 'out' group by 1, 2
"""
RECEIVED_SQL = (
    "select state, count(*) from delivery where id >= %(since)s and id < %(until)s group by 1"
)
LEADS_SQL = """
select count(*), count(first_message_at), count(first_attempt_at),
       percentile_cont(array[0.5, 0.95]) within group
           (order by extract(epoch from first_message_at - created_at)),
       percentile_cont(array[0.5, 0.95]) within group
           (order by extract(epoch from first_attempt_at - created_at))
  from lead where id >= %(since)s and id < %(until)s
"""
DECISIONS_SQL = """
select medium, decision, count(*) from verdict
 where id >= %(since)s and id < %(until)s group by 1, 2
"""
OFFERS_SQL = """
select count(*), count(accepted_at), count(expired_at), count(declined_at)
  from offer where id >= %(since)s and id < %(until)s
"""
HANDOFFS_SQL = """
select state, count(*), coalesce(extract(epoch from %(at)s - min(due_at)), 0) from handoff
 where state in ('pending', 'sending', 'uncertain') group by 1
"""
SEALING_SQL = """
select count(*), coalesce(extract(epoch from %(at)s - min(recorded_at)), 0)
  from event where sequence is null
"""
PAUSED_SQL = "select count(*) from sending_pause where released_at is null"


def metric_families(at: datetime) -> list[GaugeMetricFamily]:
    """Return all metrics as of `at`."""
    params = {"at": at, "since": uuid7_at(at - WINDOW), "until": uuid7_at(at)}
    return [
        *_queue_metrics(params),
        *_message_metrics(params),
        *_lead_metrics(params),
        *_other_metrics(params),
    ]


def build_gauge(
    name: str, help_text: str, labels: Sequence[str], rows: Iterable[Sequence[Any]]
) -> GaugeMetricFamily:
    """Build one metric; a row has a value for each label, then the number."""
    family = GaugeMetricFamily(name, help_text, labels=labels)
    for *label_values, number in rows:
        family.add_metric(label_values, float(number))
    return family


def _queue_metrics(params: dict[str, Any]) -> list[GaugeMetricFamily]:
    rows = _query_rows(QUEUE_SQL, params)
    return [
        build_gauge(
            "rooftree_tasks",
            "Tasks in the queue, by urgency and state; discarded tasks have failed for good",
            ("queue", "state"),
            [(queue, state, number) for queue, state, number, _ in rows],
        ),
        build_gauge(
            "rooftree_tasks_oldest_seconds",
            "Age of the oldest task that is ready to run, by urgency",
            ("queue",),
            [(queue, age) for queue, state, _, age in rows if state == "available"],
        ),
        build_gauge("rooftree_workers", "Live workers", (), _query_rows(WORKERS_SQL, params)),
        build_gauge("rooftree_clocks", "Connected clocks", (), _query_rows(CLOCKS_SQL, params)),
    ]


def _message_metrics(params: dict[str, Any]) -> list[GaugeMetricFamily]:
    unsent = _query_rows(UNSENT_SQL, params)
    return [
        build_gauge(
            "rooftree_messages_due",
            "Texts and emails that are due and not sent",
            ("medium",),
            [(medium, number) for medium, number, _ in unsent],
        ),
        build_gauge(
            "rooftree_messages_due_oldest_seconds",
            "How long the oldest due text or email is overdue",
            ("medium",),
            [(medium, age) for medium, _, age in unsent],
        ),
        build_gauge(
            "rooftree_messages_last_hour",
            f"Texts and emails queued {WINDOW_TEXT}, by state",
            ("medium", "state"),
            _query_rows(MESSAGES_SQL, params),
        ),
        build_gauge(
            "rooftree_gate_decisions_last_hour",
            f"Gate decisions {WINDOW_TEXT}",
            ("medium", "decision"),
            _query_rows(DECISIONS_SQL, params),
        ),
    ]


def _lead_metrics(params: dict[str, Any]) -> list[GaugeMetricFamily]:
    leads = _query_rows(LEADS_SQL, params)[0]
    speeds = [
        (to, quantile, seconds)
        for to, quantiles in (("message", leads[3]), ("attempt", leads[4]))
        for quantile, seconds in zip(("0.5", "0.95"), quantiles or (), strict=False)
        if seconds is not None
    ]
    offers = _query_rows(OFFERS_SQL, params)[0]
    return [
        build_gauge(
            "rooftree_deliveries_last_hour",
            f"Authentic deliveries {WINDOW_TEXT}, by state",
            ("state",),
            _query_rows(RECEIVED_SQL, params),
        ),
        build_gauge("rooftree_leads_last_hour", f"Leads accepted {WINDOW_TEXT}", (), [leads[:1]]),
        build_gauge(
            "rooftree_speed_to_lead_seconds",
            "From a lead's arrival to the first message, and to the first attempt by staff, "
            f"{WINDOW_TEXT}",
            ("to", "quantile"),
            speeds,
        ),
        build_gauge(
            "rooftree_offers_last_hour",
            f"Offers to loan officers {WINDOW_TEXT}",
            ("became",),
            zip(("made", "taken", "lapsed", "refused"), offers, strict=True),
        ),
    ]


def _other_metrics(params: dict[str, Any]) -> list[GaugeMetricFamily]:
    handoffs = _query_rows(HANDOFFS_SQL, params)
    unsealed, lag = _query_rows(SEALING_SQL, params)[0]
    return [
        build_gauge(
            "rooftree_los_handoffs_open",
            "Handoffs not yet confirmed by the LOS",
            ("state",),
            [(state, number) for state, number, _ in handoffs],
        ),
        build_gauge(
            "rooftree_los_handoffs_overdue_seconds",
            "How long the oldest open handoff is overdue; negative if none is",
            ("state",),
            [(state, age) for state, _, age in handoffs],
        ),
        build_gauge("rooftree_ledger_unsealed", "Ledger events not sealed yet", (), [(unsealed,)]),
        build_gauge(
            "rooftree_ledger_lag_seconds", "Age of the oldest unsealed event", (), [(lag,)]
        ),
        build_gauge(
            "rooftree_sending_paused",
            "1 while sending is paused",
            (),
            _query_rows(PAUSED_SQL, params),
        ),
    ]


def _query_rows(statement: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    return query_rows(statement, params if "%(" in statement else None)
