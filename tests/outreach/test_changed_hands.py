"""Automatic messages held overnight while their lead is reassigned."""

import pytest

from rooftree.ledger.models import Event
from rooftree.outreach.messages import automatic_messages, send
from rooftree.outreach.models import Message
from rooftree.routing import lead_ownership
from tests import make
from tests.flow import journey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("carriers")]
LATER = make.NIGHT + make.MINUTE


@pytest.fixture
def sam(db):
    return make.officer("Sam Okafor", licensed=("FL",), text_number="")


@pytest.fixture
def held_text(dana) -> Message:
    """Return a text in Dana's name that is held until morning."""
    post = journey.form_post(
        rendered_at="2026-11-24T03:58:00Z", submitted_at="2026-11-24T03:59:30Z"
    )
    lead = journey.deliver(journey.create_website(), post, at=make.NIGHT)
    lead_ownership.give_lead(lead_id=lead.pk, officer_id=dana.pk, by=None, at=make.NIGHT)
    lead.refresh_from_db()
    (planned,) = automatic_messages.queue_template(
        lead=lead, key="not_reached_1", cause="step:1", media=["text"], at=make.NIGHT
    )
    send.deliver_messages([planned.pk], at=make.NIGHT)
    planned.refresh_from_db()
    assert planned.state == "held", planned.problem
    assert f"Dana Whitfield NMLS {dana.nmls_id}" in planned.body
    return planned


def in_the_morning(held_text: Message) -> Message:
    journey.run(held_text.due_at + make.SECOND)  # messages due together are sent one after another
    held_text.refresh_from_db()
    return held_text


def test_message_is_signed_by_current_owner(held_text, sam, carriers):
    lead_ownership.give_lead(lead_id=held_text.lead_id, officer_id=sam.pk, by=None, at=LATER)

    sent = in_the_morning(held_text)

    assert (sent.state, sent.officer) == ("sent", sam)
    words = next(text.body for text in carriers.texts if text.sid == sent.carrier_id)
    assert f"Sam Okafor NMLS {sam.nmls_id}" in words
    assert "Dana Whitfield" not in words
    noted = Event.objects.get(kind="outreach.message.signed_anew")
    assert noted.data["officer_id"] == str(sam.pk)


def test_message_of_unowned_lead_is_signed_by_company(held_text):
    lead_ownership.release_lead(lead_id=held_text.lead_id, by=None, at=LATER, because="given_up")

    sent = in_the_morning(held_text)

    assert (sent.state, sent.officer) == ("sent", None)
    assert "Dana Whitfield" not in sent.body
    assert "Lindenfield" in sent.body


def test_message_is_unchanged_while_owner_is_unchanged(held_text, dana):
    words = held_text.body

    sent = in_the_morning(held_text)

    assert (sent.state, sent.officer, sent.body) == ("sent", dana, words)
    assert not Event.objects.filter(kind="outreach.message.signed_anew").exists()


def test_message_with_missing_signature_is_stopped(held_text, sam):
    words = held_text.body.replace("Dana Whitfield", "Dana W.")
    Message.objects.filter(pk=held_text.pk).update(body=words)
    lead_ownership.give_lead(lead_id=held_text.lead_id, officer_id=sam.pk, by=None, at=LATER)

    stopped = in_the_morning(held_text)

    assert (stopped.state, stopped.verdict.reason) == ("blocked", "not_the_owner")
    assert stopped.body == words
