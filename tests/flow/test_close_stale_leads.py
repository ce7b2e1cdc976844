"""A lead nobody answers ends by itself, with a reason, and not while anything is still owed."""

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


def _message(lead: Lead, at: datetime, **changes: object) -> Message:
    with assume_role("door"):
        return Message.objects.create(
            lead=lead, person=lead.person, medium="text", purpose="marketing",
            cause=f"test:{uuid7()}", created_at=at, due_at=at, body="-",
            **{"direction": "out", "state": "sent", **changes},
        )  # fmt: skip


def _tried(cast: Cast, result: str) -> None:
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
def test_a_silent_lead_is_closed_on_its_day_and_says_why(cast, result, days, reason):
    if result:
        _tried(cast, result)
    the_day = NOON + days * DAY
    assert not close_stale_leads.close_if_stale(
        lead_id=cast.ben.pk, at=the_day - timedelta(seconds=1)
    )
    assert close_stale_leads.closing_time(cast.ben.pk) == the_day

    assert close_stale_leads.close_if_stale(lead_id=cast.ben.pk, at=the_day)

    ben = Lead.objects.get(pk=cast.ben.pk)
    assert (ben.state, ben.retired_at, ben.retired_reason) == ("retired", the_day, reason)
    assert ben.promise_at is None
    told = Event.objects.get(kind="flow.lead.retired", lead_id=ben.pk)
    assert told.data["reason"] == reason
    assert lead_history.build_timeline(ben)[0].detail == reason


def test_closing_twice_is_closing_once(cast):
    assert close_stale_leads.close_if_stale(lead_id=cast.ben.pk, at=LATER)

    assert not close_stale_leads.close_if_stale(lead_id=cast.ben.pk, at=LATER + DAY)
    assert Event.objects.filter(kind="flow.lead.retired").count() == 1


def _watched(cast: Cast) -> None:
    target = Decimal("5.5")
    rate_watch.set_watch(lead=cast.ben, product="30yr_fixed", target_pct=target, by=None, at=NOON)


def _on_a_sequence(cast: Cast) -> None:
    sequence_enrollment.ensure_first_sequence(at=NOON)
    assert sequence_enrollment.enroll_lead(
        lead_id=cast.ben.pk, key=default_sequence.NOT_REACHED, at=NOON
    )


def _asked_for_a_call(cast: Cast) -> None:
    Task.objects.create(
        lead=cast.ben, cause="test", title="Call back", due_at=LATER, created_at=NOON
    )


def _snoozed(cast: Cast) -> None:
    Lead.objects.filter(pk=cast.ben.pk).update(snoozed_until=LATER)


def _wrote_unread(cast: Cast) -> None:
    _message(cast.ben, NOON, direction="in", state="received")


def _message_waits(cast: Cast) -> None:
    _message(cast.ben, NOON, state="held")


def _was_written_to_lately(cast: Cast) -> None:
    _message(cast.ben, NOON + 30 * DAY)


def _applied(cast: Cast) -> None:
    Lead.objects.filter(pk=cast.ben.pk).update(state="application")


@pytest.mark.parametrize(
    "holds",
    [
        _watched,
        _on_a_sequence,
        _asked_for_a_call,
        _snoozed,
        _wrote_unread,
        _message_waits,
        _was_written_to_lately,
        _applied,
    ],
)
def test_what_is_still_owed_or_awaited_keeps_a_lead_open(cast, holds: Callable[[Cast], None]):
    holds(cast)

    assert not close_stale_leads.close_if_stale(lead_id=cast.ben.pk, at=LATER)
    close_stale_leads.close_due(at=LATER)

    assert Lead.objects.get(pk=cast.ben.pk).retired_at is None


def test_the_clock_closes_the_longest_silent_first_and_a_few_at_a_time(cast):
    older = make.lead(source=cast.zillow, at=NOON - 5 * DAY)
    Lead.objects.filter(pk=cast.mei.pk).update(state="application")

    assert close_stale_leads.close_due(at=LATER, limit=1) == 1
    assert Lead.objects.get(retired_at__isnull=False).pk == older.pk
    assert close_stale_leads.close_due(at=LATER) == 1
    assert close_stale_leads.close_due(at=LATER) == 0


def test_a_borrower_who_asks_again_keeps_the_lead_open(cast):
    Lead.objects.filter(pk=cast.ben.pk).update(warmed_at=NOON + 60 * DAY)

    assert not close_stale_leads.close_if_stale(lead_id=cast.ben.pk, at=LATER)
    assert close_stale_leads.close_if_stale(lead_id=cast.ben.pk, at=NOON + 150 * DAY)
