"""What waited together leaves at a pace, and what is new does not wait behind it."""

import pytest

from rooftree.flow import message_dispatch, restore_recovery
from rooftree.org import sending_pause
from rooftree.outreach.messages import send, send_pacing
from rooftree.outreach.models import Message
from rooftree.outreach.wording.message_templates import MessageContent
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
PACE, WAIT = 4, 10
LATER = make.NOON + make.HOUR


@pytest.fixture(autouse=True)
def company(settings):
    journey.ready()
    settings.RELEASE_PER_SECOND = PACE


def in_line(number, *, at=make.NOON, **changes):
    """Texts to as many people that wait to be decided."""
    found = [
        send.queue_message(
            lead=make.lead(),
            medium="text",
            purpose="informational",
            words=MessageContent(body="Hi"),
            cause=f"step:{make.number()}",
            to="+18135550101",
            at=at,
        ).pk
        for _ in range(number)
    ]
    Message.objects.filter(pk__in=found).update(**changes or {"due_at": at})
    return Message.objects.filter(pk__in=found)


def handled(rows):
    """How many were decided, whatever it was."""
    return rows.filter(verdict__isnull=False).count()


def seconds(rows, since, number):
    """How many are decided after each of some seconds in which the clock ticks."""
    told = []
    for n in range(number):
        message_dispatch.send_due_messages(at=since + n * make.SECOND)
        told.append(handled(rows))
    return told


def test_after_a_pause_no_second_lets_more_go_than_the_pace():
    sending_pause.begin_pause(reason="The wrong list.", backup_at=None, at=make.NOON)
    rows = in_line(WAIT)
    message_dispatch.send_due_messages(at=LATER)
    assert handled(rows) == 0
    assert set(rows.values_list("due_at", flat=True)) == {make.NOON}, "nothing moves meanwhile"

    restore_recovery.resume_sending(by=make.user("administrator"), at=LATER)

    assert seconds(rows, LATER, 4) == [PACE, 2 * PACE, WAIT, WAIT]


def test_those_who_waited_for_the_same_hour_leave_one_after_the_other():
    rows = in_line(WAIT, state="held", due_at=LATER)

    told = seconds(rows, LATER, 5)

    assert told[-1] == WAIT
    steps = [now - before for before, now in zip([0, *told], told, strict=False)]
    assert max(steps) <= PACE


def test_a_borrower_who_asks_now_does_not_stand_behind_them():
    rows, new = in_line(WAIT), in_line(1, at=LATER)

    message_dispatch.send_due_messages(at=LATER)

    assert (handled(rows), handled(new)) == (PACE, 1)


def test_few_leave_when_they_are_due():
    rows = in_line(PACE)

    assert send_pacing.spread_due_messages(at=LATER) == 0
    message_dispatch.send_due_messages(at=LATER)

    assert handled(rows) == PACE


def test_looking_again_in_the_same_second_changes_nothing():
    rows = in_line(WAIT)

    assert send_pacing.spread_due_messages(at=LATER) == WAIT - PACE
    first = sorted(rows.values_list("due_at", flat=True))

    assert send_pacing.spread_due_messages(at=LATER) == 0
    assert sorted(rows.values_list("due_at", flat=True)) == first
    assert first[-1] == LATER + (WAIT - PACE) * make.SECOND / PACE
