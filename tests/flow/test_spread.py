"""Messages that waited together are sent at a pace, and new ones do not wait for them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rooftree.flow import message_dispatch, restore_recovery
from rooftree.org import sending_pause
from rooftree.outreach.messages import send, send_pacing
from rooftree.outreach.models import Message
from rooftree.outreach.wording.message_templates import MessageContent
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
PACE, WAITING = 4, 10
LATER = make.NOON + make.HOUR


@pytest.fixture(autouse=True)
def company(settings):
    journey.set_up_company()
    settings.RELEASE_PER_SECOND = PACE


def queue_texts(number, *, at=make.NOON, **changes):
    """Queue texts to as many people, not decided yet."""
    ids = [
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
    Message.objects.filter(pk__in=ids).update(**changes or {"due_at": at})
    return Message.objects.filter(pk__in=ids)


def count_decided(rows):
    """Count the decided messages, whatever the verdict."""
    return rows.filter(verdict__isnull=False).count()


def counts_by_second(rows, since, number):
    """Return the decided count after each of `number` seconds."""
    counts = []
    for offset in range(number):
        message_dispatch.send_due_messages(at=since + offset * make.SECOND)
        counts.append(count_decided(rows))
    return counts


def test_message_alone_is_not_delayed_and_takes_no_lock():
    """The lock is held until the end of the caller's transaction."""
    queue_texts(1)

    with CaptureQueriesContext(connection) as queries:
        assert send_pacing.spread_due_messages(at=LATER) == 0

    assert not any("advisory" in query["sql"] for query in queries)


def test_messages_after_pause_are_sent_at_the_pace():
    sending_pause.begin_pause(reason="The wrong list.", backup_at=None, at=make.NOON)
    rows = queue_texts(WAITING)
    message_dispatch.send_due_messages(at=LATER)
    assert count_decided(rows) == 0
    assert set(rows.values_list("due_at", flat=True)) == {make.NOON}, "nothing moves meanwhile"

    restore_recovery.resume_sending(by=make.user("administrator"), at=LATER)

    assert counts_by_second(rows, LATER, 4) == [PACE, 2 * PACE, WAITING, WAITING]


def test_messages_due_at_same_time_are_spread():
    rows = queue_texts(WAITING, state="held", due_at=LATER)

    counts = counts_by_second(rows, LATER, 5)

    assert counts[-1] == WAITING
    steps = [now - before for before, now in zip([0, *counts], counts, strict=False)]
    assert max(steps) <= PACE


def test_new_inquiry_is_not_delayed_by_waiting_messages():
    rows, new = queue_texts(WAITING), queue_texts(1, at=LATER)

    message_dispatch.send_due_messages(at=LATER)

    assert (count_decided(rows), count_decided(new)) == (PACE, 1)


def test_few_messages_are_sent_when_due():
    rows = queue_texts(PACE)

    assert send_pacing.spread_due_messages(at=LATER) == 0
    message_dispatch.send_due_messages(at=LATER)

    assert count_decided(rows) == PACE


def test_spreading_again_in_same_second_changes_nothing():
    rows = queue_texts(WAITING)

    assert send_pacing.spread_due_messages(at=LATER) == WAITING - PACE
    first = sorted(rows.values_list("due_at", flat=True))

    assert send_pacing.spread_due_messages(at=LATER) == 0
    assert sorted(rows.values_list("due_at", flat=True)) == first
    assert first[-1] == LATER + (WAITING - PACE) * make.SECOND / PACE
