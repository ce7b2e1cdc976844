"""Messages sent as a batch: one recheck, then all at the carrier at once, independently."""

import threading

import pytest

from rooftree.compliance.models import Verdict
from rooftree.flow import clock, lead_arrival, message_dispatch
from rooftree.leads.models import ContactAttempt, Lead, Touch
from rooftree.outreach.media import console
from rooftree.outreach.messages import first_response, message_verdicts, send
from rooftree.outreach.models import Message
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
FIVE = ("Ana", "Ben", "Cleo", "Dan", "Eve")


@pytest.fixture(autouse=True)
def company():
    journey.set_up_company()


@pytest.fixture
def queued_messages() -> list[Message]:
    """Return first texts to five borrowers, due and not sent yet."""
    site = journey.create_website()
    for nth, name in enumerate(FIVE):
        post = journey.form_post(
            first_name=name, last_name=name, phone=f"(813) 555-02{nth:02d}",
            email=f"{name}@home.example",
        )  # fmt: skip
        journey.arrive(site, post)
    assert lead_arrival.process_next_batch(at=make.NOON) == len(FIVE)
    first_response.queue_first_responses(Touch.objects.values_list("pk", flat=True), at=make.NOON)
    Message.objects.filter(medium="email").update(state="cancelled", due_at=None)
    return list(Message.objects.filter(medium="text"))


def sent() -> int:
    return Message.objects.filter(medium="text", state="sent").count()


def test_batch_reaches_carrier_right_after_recheck(queued_messages, monkeypatch):
    """Each call waits at the carrier until all have arrived, so sending one by one would hang."""
    there, send_text = threading.Barrier(len(queued_messages), timeout=30), console.send_text

    def slow(*args, **rest):
        there.wait()
        return send_text(*args, **rest)

    monkeypatch.setattr(console, "send_text", slow)
    done = send.deliver_messages([message.pk for message in queued_messages], at=make.NOON)

    assert done == {message.pk for message in queued_messages}
    assert sent() == len(queued_messages)


def test_each_message_of_batch_keeps_its_own_verdicts(queued_messages):
    send.deliver_messages([message.pk for message in queued_messages], at=make.NOON)

    for message in queued_messages:
        kept = Verdict.objects.filter(idempotency_key=f"message:{message.pk}", at=make.NOON)
        assert sorted(kept.values_list("stage", "lead_id")) == [
            ("dequeued", message.lead_id),
            ("handoff", message.lead_id),
        ]
        assert ContactAttempt.objects.filter(idempotency_key=f"message:{message.pk}").count() == 1
    assert Lead.objects.filter(first_message_at=make.NOON).count() == len(queued_messages)


def test_bug_in_one_carrier_call_leaves_others_sent(queued_messages, monkeypatch):
    bad, send_text = queued_messages[2], console.send_text

    def strikes(settings, *, to, **rest):
        if to == bad.to_address:
            raise KeyError("a bug of ours")
        return send_text(settings, to=to, **rest)

    monkeypatch.setattr(console, "send_text", strikes)
    with clock.freeze(make.NOON):
        message_dispatch.send_due_messages(at=make.NOON)

    bad.refresh_from_db()
    assert (bad.state, "KeyError" in bad.problem) == ("uncertain", True)
    assert sent() == len(queued_messages) - 1


def test_message_canceled_between_claim_and_recheck_is_not_sent(queued_messages, monkeypatch):
    still_claimed = message_verdicts.lock_still_claimed

    def late(message_ids, *, at):
        Message.objects.filter(pk=queued_messages[0].pk).update(state="uncertain")
        return still_claimed(message_ids, at=at)

    monkeypatch.setattr(message_verdicts, "lock_still_claimed", late)
    send.deliver_messages([message.pk for message in queued_messages], at=make.NOON)

    assert Message.objects.get(pk=queued_messages[0].pk).state == "uncertain"
    assert sent() == len(queued_messages) - 1
