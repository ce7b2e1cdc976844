"""Stale leads are closed automatically with a reason, but not while work is pending."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from rooftree.core.uuid7 import uuid7
from rooftree.db.db_role import assume_role
from rooftree.flow import call_outcomes, close_stale_leads
from rooftree.leads.models import Lead, Task
from rooftree.ledger.models import Event
from rooftree.nurture import default_sequence, sequence_enrollment
from rooftree.outreach.models import Message
from rooftree.rates import rate_watch
from rooftree.reporting.timeline import lead_history
from tests import make
from tests.cast import Cast, gather
from tests.make import DAY, NOON

LATER = NOON + 91 * DAY


@pytest.fixture
def cast(db: None) -> Cast:
    return gather()


def _create_message(lead: Lead, at: datetime, **changes: object) -> Message:
    with assume_role("door"):
        return Message.objects.create(
            lead=lead, person=lead.person, medium="text", purpose="marketing",
            idempotency_key=f"test:{uuid7()}", created_at=at, due_at=at, body="-",
            **{"direction": "out", "state": "sent", **changes},
        )  # fmt: skip


def _record_outcome(cast: Cast, result: str) -> None:
    make.ownership(cast.ben, cast.dana)
    call_outcomes.record_outcome(lead_id=cast.ben.pk, result=result, by=cast.dana.user, at=NOON)


@pytest.mark.parametrize(
    ("result", "days", "reason"),
    [
        ("", 90, close_stale_leads.NEVER_TRIED_REASON),
        ("wrong_number", 90, close_stale_leads.NO_ANSWER_REASON),
        ("spoken", 180, close_stale_leads.WENT_QUIET_REASON),
    ],
)
def test_stale_lead_is_closed_on_its_day_with_reason(cast, result, days, reason):
    if result:
        _record_outcome(cast, result)
    the_day = NOON + days * DAY
    assert not close_stale_leads.close_if_stale(
        lead_id=cast.ben.pk, at=the_day - timedelta(seconds=1)
    )
    assert close_stale_leads.find_closing_time(cast.ben.pk) == the_day

    assert close_stale_leads.close_if_stale(lead_id=cast.ben.pk, at=the_day)

    ben = Lead.objects.get(pk=cast.ben.pk)
    assert (ben.state, ben.retired_at, ben.retired_reason) == ("retired", the_day, reason)
    assert ben.response_due_at is None
    event = Event.objects.get(kind="flow.lead.retired", lead_id=ben.pk)
    assert event.data["reason"] == reason
    assert lead_history.build_timeline(ben)[0].detail == reason


def test_closing_lead_twice_closes_it_once(cast):
    assert close_stale_leads.close_if_stale(lead_id=cast.ben.pk, at=LATER)

    assert not close_stale_leads.close_if_stale(lead_id=cast.ben.pk, at=LATER + DAY)
    assert Event.objects.filter(kind="flow.lead.retired").count() == 1


def _add_rate_watch(cast: Cast) -> None:
    target = Decimal("5.5")
    rate_watch.set_watch(lead=cast.ben, product="30yr_fixed", target_pct=target, by=None, at=NOON)


def _enroll(cast: Cast) -> None:
    sequence_enrollment.ensure_first_sequence(at=NOON)
    assert sequence_enrollment.enroll_lead(
        lead_id=cast.ben.pk, key=default_sequence.NOT_REACHED, at=NOON
    )


def _add_callback_task(cast: Cast) -> None:
    Task.objects.create(
        lead=cast.ben, idempotency_key="test", title="Call back", due_at=LATER, created_at=NOON
    )


def _snooze(cast: Cast) -> None:
    Lead.objects.filter(pk=cast.ben.pk).update(snoozed_until=LATER)


def _add_unread_reply(cast: Cast) -> None:
    _create_message(cast.ben, NOON, direction="in", state="received")


def _hold_message(cast: Cast) -> None:
    _create_message(cast.ben, NOON, state="held")


def _add_recent_message(cast: Cast) -> None:
    _create_message(cast.ben, NOON + 30 * DAY)


def _set_application(cast: Cast) -> None:
    Lead.objects.filter(pk=cast.ben.pk).update(state="application")


@pytest.mark.parametrize(
    "holds",
    [
        _add_rate_watch,
        _enroll,
        _add_callback_task,
        _snooze,
        _add_unread_reply,
        _hold_message,
        _add_recent_message,
        _set_application,
    ],
)
def test_pending_work_keeps_lead_open(cast, holds: Callable[[Cast], None]):
    holds(cast)

    assert not close_stale_leads.close_if_stale(lead_id=cast.ben.pk, at=LATER)
    close_stale_leads.close_due_leads(at=LATER)

    assert Lead.objects.get(pk=cast.ben.pk).retired_at is None


def test_stale_leads_are_closed_oldest_first_in_batches(cast):
    older = make.lead(source=cast.zillow, at=NOON - 5 * DAY)
    Lead.objects.filter(pk=cast.mei.pk).update(state="application")

    assert close_stale_leads.close_due_leads(at=LATER, limit=1) == 1
    assert Lead.objects.get(retired_at__isnull=False).pk == older.pk
    assert close_stale_leads.close_due_leads(at=LATER) == 1
    assert close_stale_leads.close_due_leads(at=LATER) == 0


def test_repeat_inquiry_keeps_lead_open(cast):
    Lead.objects.filter(pk=cast.ben.pk).update(last_inquiry_at=NOON + 60 * DAY)

    assert not close_stale_leads.close_if_stale(lead_id=cast.ben.pk, at=LATER)
    assert close_stale_leads.close_if_stale(lead_id=cast.ben.pk, at=NOON + 150 * DAY)
