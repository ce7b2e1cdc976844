"""After a restore nothing is sent, and messages possibly sent before are never sent again."""

from datetime import UTC, datetime

import pytest

from rooftree.flow import lead_arrival, message_dispatch, restore_recovery
from rooftree.ledger.models import Event
from rooftree.org import sending_pause, staff_mail
from rooftree.org.models import SendingPause, StaffNotice
from rooftree.outreach.calls import dial_borrower, officer_calls
from rooftree.outreach.messages import send
from rooftree.outreach.models import Message
from rooftree.outreach.wording.message_templates import MessageContent
from tests import make
from tests.flow import journey

LATER = make.NOON + 10 * make.MINUTE


@pytest.fixture
def restored(cast):
    """Restore a backup of an hour ago, with a queued message that may have been sent since."""
    journey.set_up_company()
    sending_pause.begin_pause(
        reason="A backup was restored.", backup_at=make.NOON - make.HOUR, at=make.NOON
    )
    return queue_text(cast.ben, at=make.NOON)


def queue_text(lead, *, at, **changes):
    """Queue a text to the lead's person, not decided yet."""
    message = send.queue_message(
        lead=lead, medium="text", purpose="informational", cause=f"step:{make.number()}",
        words=MessageContent(body="Hello"), to="+18135550101", at=at,
    )  # fmt: skip
    Message.objects.filter(pk=message.pk).update(**changes)
    message.refresh_from_db()
    return message


def test_pause_leaves_messages_queued(restored):
    assert message_dispatch.send_due_messages(at=LATER) == 0

    restored.refresh_from_db()
    assert (restored.state, restored.verdict_id) == ("waiting", None)


def test_same_message_is_sent_when_nothing_is_paused(restored):
    SendingPause.objects.update(released_at=LATER)

    message_dispatch.send_due_messages(at=LATER)

    restored.refresh_from_db()
    assert restored.verdict_id is not None
    assert restored.state != "waiting"


def test_pause_stops_staff_mail_and_officer_calls(restored, cast, mailoutbox):
    StaffNotice.objects.create(
        user=cast.ruth, idempotency_key="t:1", kind="given", text="A lead", at=LATER - make.HOUR
    )

    assert staff_mail.mail_due_notices(at=LATER, limit=10) == 0
    assert officer_calls.place_due_calls(at=LATER) == 0
    assert not mailoutbox


def test_pause_blocks_officer_calls(restored, cast):
    with pytest.raises(dial_borrower.CannotCall, match="Sending is paused"):
        dial_borrower.begin_call(lead_id=cast.ben.pk, by=cast.dana.user, at=LATER)


def test_ending_pause_cancels_messages_possibly_sent(restored):
    work = restore_recovery.resume_sending(by=make.user("administrator"), at=LATER)

    restored.refresh_from_db()
    assert work.messages_to_cancel == 1
    assert (restored.state, restored.due_at) == ("cancelled", None)
    assert "restore" in restored.problem
    assert not sending_pause.is_sending_paused()
    assert Event.objects.filter(kind="outreach.messages.cancelled", lead_id=restored.lead_id)
    assert message_dispatch.send_due_messages(at=LATER + make.DAY) == 0


def test_message_held_past_restore_stays(restored, cast):
    tomorrow = make.NOON + make.DAY
    message = queue_text(cast.ben, at=make.NOON - 2 * make.HOUR, state="held", due_at=tomorrow)

    work = restore_recovery.resume_sending(by=make.user("administrator"), at=LATER)

    message.refresh_from_db()
    assert (message.state, message.due_at, work.held_messages) == ("held", tomorrow, 1)


def test_jobs_from_before_restore_are_finished_first(restored):
    lead_arrival.process_deliveries.enqueue()
    SendingPause.objects.update(from_at=datetime.now(UTC) + make.HOUR)

    with pytest.raises(restore_recovery.CannotResume, match="aren't finished"):
        restore_recovery.resume_sending(by=make.user("administrator"), at=LATER)

    assert sending_pause.is_sending_paused()


def test_manual_pause_cancels_nothing(cast):
    journey.set_up_company()
    sending_pause.begin_pause(reason="The carrier asked us to.", backup_at=None, at=make.NOON)
    message = queue_text(cast.ben, at=make.NOON)

    restore_recovery.resume_sending(by=make.user("administrator"), at=LATER)

    message.refresh_from_db()
    assert message.state == "waiting"


def test_only_one_pause_exists_at_a_time(restored):
    again = sending_pause.begin_pause(reason="Once more.", backup_at=None, at=LATER)

    assert again == SendingPause.objects.get()
    assert again.reason == "A backup was restored."
