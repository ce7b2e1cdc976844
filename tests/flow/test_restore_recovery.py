"""After a restore nothing leaves, and what may have left before is never sent again."""

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
    """A backup of an hour ago is back, with a first hello in line that may have gone since."""
    journey.ready()
    sending_pause.begin_pause(
        reason="A backup was restored.", backup_at=make.NOON - make.HOUR, at=make.NOON
    )
    return in_line(cast.ben, at=make.NOON)


def in_line(lead, *, at, **changes):
    """A text to the lead's person that waits to be decided."""
    message = send.queue_message(
        lead=lead, medium="text", purpose="informational", cause=f"step:{make.number()}",
        words=MessageContent(body="Hello"), to="+18135550101", at=at,
    )  # fmt: skip
    Message.objects.filter(pk=message.pk).update(**changes)
    message.refresh_from_db()
    return message


def test_while_paused_no_message_is_taken_from_the_line(restored):
    assert message_dispatch.send_due_messages(at=LATER) == 0

    restored.refresh_from_db()
    assert (restored.state, restored.verdict_id) == ("waiting", None)


def test_the_same_message_goes_when_nothing_is_paused(restored):
    SendingPause.objects.update(released_at=LATER)

    message_dispatch.send_due_messages(at=LATER)

    restored.refresh_from_db()
    assert restored.verdict_id is not None
    assert restored.state != "waiting"


def test_while_paused_staff_get_no_mail_and_officers_no_call(restored, cast, mailoutbox):
    StaffNotice.objects.create(
        user=cast.ruth, cause="t:1", kind="given", text="A lead", at=LATER - make.HOUR
    )

    assert staff_mail.mail_due_notices(at=LATER, limit=10) == 0
    assert officer_calls.place_due_calls(at=LATER) == 0
    assert not mailoutbox


def test_while_paused_an_officer_may_not_call_because_a_stop_may_be_missing(restored, cast):
    with pytest.raises(dial_borrower.CannotCall, match="Sending is paused"):
        dial_borrower.begin_call(lead_id=cast.ben.pk, by=cast.dana.user, at=LATER)


def test_ending_the_pause_takes_back_what_may_have_gone(restored):
    found = restore_recovery.resume_sending(by=make.user("administrator"), at=LATER)

    restored.refresh_from_db()
    assert found.messages_to_cancel == 1
    assert (restored.state, restored.due_at) == ("cancelled", None)
    assert "restore" in restored.problem
    assert not sending_pause.is_sending_paused()
    assert Event.objects.filter(kind="outreach.messages.cancelled", lead_id=restored.lead_id)
    assert message_dispatch.send_due_messages(at=LATER + make.DAY) == 0


def test_what_was_held_until_after_the_restore_could_not_have_gone_and_stays(restored, cast):
    tomorrow = make.NOON + make.DAY
    held = in_line(cast.ben, at=make.NOON - 2 * make.HOUR, state="held", due_at=tomorrow)

    found = restore_recovery.resume_sending(by=make.user("administrator"), at=LATER)

    held.refresh_from_db()
    assert (held.state, held.due_at, found.held_messages) == ("held", tomorrow, 1)


def test_work_from_before_the_restore_is_done_first(restored):
    lead_arrival.process_deliveries.enqueue()
    SendingPause.objects.update(from_at=datetime.now(UTC) + make.HOUR)

    with pytest.raises(restore_recovery.CannotResume, match="not done yet"):
        restore_recovery.resume_sending(by=make.user("administrator"), at=LATER)

    assert sending_pause.is_sending_paused()


def test_a_pause_by_hand_takes_nothing_back(cast):
    journey.ready()
    sending_pause.begin_pause(reason="The carrier asked us to.", backup_at=None, at=make.NOON)
    waiting = in_line(cast.ben, at=make.NOON)

    restore_recovery.resume_sending(by=make.user("administrator"), at=LATER)

    waiting.refresh_from_db()
    assert waiting.state == "waiting"


def test_there_is_one_pause_at_a_time(restored):
    again = sending_pause.begin_pause(reason="Once more.", backup_at=None, at=LATER)

    assert again == SendingPause.objects.get()
    assert again.because == "A backup was restored."
