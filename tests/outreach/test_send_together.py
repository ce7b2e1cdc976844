"""Messages in hand together: one look, one moment at the carrier, and no harm to each other."""

import threading

import pytest

from rooftree.compliance.models import Verdict
from rooftree.flow import clock, lead_arrival, message_dispatch
from rooftree.leads.models import ContactAttempt, Lead, Touch
from rooftree.outreach.media import console
from rooftree.outreach.messages import first_response, lock_messages, send
from rooftree.outreach.models import Message
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
FIVE = ("Ana", "Ben", "Cleo", "Dan", "Eve")


@pytest.fixture(autouse=True)
def company():
    journey.ready()


@pytest.fixture
def waiting() -> list[Message]:
    """A first text for each of five, in line and due, and nothing sent yet."""
    site = journey.website()
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


def test_all_are_at_the_carrier_in_the_moment_of_the_last_look(waiting, monkeypatch):
    """One by one, a slow carrier would stretch it; here each waits there for the others."""
    there, send_text = threading.Barrier(len(waiting), timeout=30), console.send_text

    def slow(*args, **rest):
        there.wait()
        return send_text(*args, **rest)

    monkeypatch.setattr(console, "send_text", slow)
    done = send.deliver_messages([one.pk for one in waiting], at=make.NOON)

    assert done == {one.pk for one in waiting}
    assert sent() == len(waiting)


def test_each_keeps_a_verdict_of_its_own_for_each_look(waiting):
    send.deliver_messages([one.pk for one in waiting], at=make.NOON)

    for one in waiting:
        kept = Verdict.objects.filter(cause=f"message:{one.pk}", at=make.NOON)
        assert sorted(kept.values_list("stage", "lead_id")) == [
            ("dequeued", one.lead_id),
            ("handoff", one.lead_id),
        ]
        assert ContactAttempt.objects.filter(cause=f"message:{one.pk}").count() == 1
    assert Lead.objects.filter(first_message_at=make.NOON).count() == len(waiting)


def test_a_bug_in_one_call_leaves_it_in_doubt_and_the_others_sent(waiting, monkeypatch):
    bad, send_text = waiting[2], console.send_text

    def strikes(settings, *, to, **rest):
        if to == bad.to_address:
            raise KeyError("a bug of ours")
        return send_text(settings, to=to, **rest)

    monkeypatch.setattr(console, "send_text", strikes)
    with clock.freeze(make.NOON):
        message_dispatch.send_due_messages(at=make.NOON)

    bad.refresh_from_db()
    assert (bad.state, "KeyError" in bad.problem) == ("uncertain", True)
    assert sent() == len(waiting) - 1


def test_what_was_given_up_between_the_claim_and_the_last_look_is_not_handed_over(
    waiting, monkeypatch
):
    still_claimed = lock_messages.lock_still_claimed

    def late(message_ids, *, at):
        Message.objects.filter(pk=waiting[0].pk).update(state="uncertain")
        return still_claimed(message_ids, at=at)

    monkeypatch.setattr(lock_messages, "lock_still_claimed", late)
    send.deliver_messages([one.pk for one in waiting], at=make.NOON)

    assert Message.objects.get(pk=waiting[0].pk).state == "uncertain"
    assert sent() == len(waiting) - 1
