"""A lead nobody answers ends by itself, with a reason, and not while anything is still owed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from rooftree.core.uuid7 import uuid7
from rooftree.flow import attempts, silence
from rooftree.leads.models import Lead, Task
from rooftree.ledger.models import Event
from rooftree.nurture import default_sequence, enrol
from rooftree.outreach.models import Message
from rooftree.rates import watch
from rooftree.reporting import history
from rooftree.tasks.postgresql.right import right
from tests import make
from tests.cast import Cast, gather
from tests.make import DAY, NOON

LATER = NOON + 91 * DAY


@pytest.fixture
def cast(db: None) -> Cast:
    return gather()


def _message(lead: Lead, at: datetime, **changes: object) -> Message:
    with right("door"):
        return Message.objects.create(
            lead=lead, person=lead.person, medium="text", purpose="marketing",
            cause=f"test:{uuid7()}", created_at=at, due_at=at, body="-",
            **{"direction": "out", "state": "sent", **changes},
        )  # fmt: skip


def _tried(cast: Cast, result: str) -> None:
    make.ownership(cast.ben, cast.dana)
    attempts.record(lead_id=cast.ben.pk, result=result, by=cast.dana.user, at=NOON)


@pytest.mark.parametrize(
    ("result", "days", "reason"),
    [
        ("", 90, silence.NEVER_TRIED),
        ("wrong_number", 90, silence.NO_ANSWER),
        ("spoken", 180, silence.WENT_QUIET),
    ],
)
def test_a_silent_lead_is_closed_on_its_day_and_says_why(cast, result, days, reason):
    if result:
        _tried(cast, result)
    the_day = NOON + days * DAY
    assert not silence.close(lead_id=cast.ben.pk, at=the_day - timedelta(seconds=1))
    assert silence.ends_at(cast.ben.pk) == the_day

    assert silence.close(lead_id=cast.ben.pk, at=the_day)

    ben = Lead.objects.get(pk=cast.ben.pk)
    assert (ben.state, ben.retired_at, ben.retired_reason) == ("retired", the_day, reason)
    assert ben.promise_at is None
    told = Event.objects.get(kind="flow.lead.retired", lead_id=ben.pk)
    assert told.data["reason"] == reason
    assert history.of_lead(ben)[0].rest == reason


def test_closing_twice_is_closing_once(cast):
    assert silence.close(lead_id=cast.ben.pk, at=LATER)

    assert not silence.close(lead_id=cast.ben.pk, at=LATER + DAY)
    assert Event.objects.filter(kind="flow.lead.retired").count() == 1


def _watched(cast: Cast) -> None:
    target = Decimal("5.5")
    watch.set_watch(lead=cast.ben, product="30yr_fixed", target_pct=target, by=None, at=NOON)


def _on_a_sequence(cast: Cast) -> None:
    enrol.ensure_first_sequence(at=NOON)
    assert enrol.enrol(lead_id=cast.ben.pk, key=default_sequence.NOT_REACHED, at=NOON)


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

    assert not silence.close(lead_id=cast.ben.pk, at=LATER)
    silence.close_quiet(at=LATER)

    assert Lead.objects.get(pk=cast.ben.pk).retired_at is None


def test_the_clock_closes_the_longest_silent_first_and_a_few_at_a_time(cast):
    older = make.lead(source=cast.zillow, at=NOON - 5 * DAY)
    Lead.objects.filter(pk=cast.mei.pk).update(state="application")

    assert silence.close_quiet(at=LATER, limit=1) == 1
    assert Lead.objects.get(retired_at__isnull=False).pk == older.pk
    assert silence.close_quiet(at=LATER) == 1
    assert silence.close_quiet(at=LATER) == 0


def test_a_borrower_who_asks_again_keeps_the_lead_open(cast):
    Lead.objects.filter(pk=cast.ben.pk).update(warmed_at=NOON + 60 * DAY)

    assert not silence.close(lead_id=cast.ben.pk, at=LATER)
    assert silence.close(lead_id=cast.ben.pk, at=NOON + 150 * DAY)
