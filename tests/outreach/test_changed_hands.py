"""What a program wrote waits over night, and by the morning the lead is another officer's."""

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
def held(dana) -> Message:
    """A text in Dana's name that waits for the morning."""
    post = journey.form_post(
        rendered_at="2026-11-24T03:58:00Z", submitted_at="2026-11-24T03:59:30Z"
    )
    lead = journey.deliver(journey.website(), post, at=make.NIGHT)
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


def in_the_morning(held: Message) -> Message:
    journey.run(held.due_at + make.SECOND)  # what is due together leaves one after the other
    held.refresh_from_db()
    return held


def test_it_goes_signed_by_whoever_has_the_lead_then(held, sam, carriers):
    lead_ownership.give_lead(lead_id=held.lead_id, officer_id=sam.pk, by=None, at=LATER)

    sent = in_the_morning(held)

    assert (sent.state, sent.officer) == ("sent", sam)
    words = next(text.body for text in carriers.texts if text.sid == sent.carrier_id)
    assert f"Sam Okafor NMLS {sam.nmls_id}" in words
    assert "Dana Whitfield" not in words
    noted = Event.objects.get(kind="outreach.message.signed_anew")
    assert noted.data["officer_id"] == str(sam.pk)


def test_it_goes_in_the_companys_name_when_the_lead_is_nobodys(held):
    lead_ownership.release_lead(lead_id=held.lead_id, by=None, at=LATER, because="given_up")

    sent = in_the_morning(held)

    assert (sent.state, sent.officer) == ("sent", None)
    assert "Dana Whitfield" not in sent.body
    assert "Lindenfield" in sent.body


def test_it_stays_as_it_is_while_the_lead_does(held, dana):
    words = held.body

    sent = in_the_morning(held)

    assert (sent.state, sent.officer, sent.body) == ("sent", dana, words)
    assert not Event.objects.filter(kind="outreach.message.signed_anew").exists()


def test_one_whose_signature_is_not_found_is_stopped_not_sent_in_the_wrong_name(held, sam):
    words = held.body.replace("Dana Whitfield", "Dana W.")
    Message.objects.filter(pk=held.pk).update(body=words)
    lead_ownership.give_lead(lead_id=held.lead_id, officer_id=sam.pk, by=None, at=LATER)

    stopped = in_the_morning(held)

    assert (stopped.state, stopped.verdict.reason) == ("blocked", "not_the_owner")
    assert stopped.body == words
