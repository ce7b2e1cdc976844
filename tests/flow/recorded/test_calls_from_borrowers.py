"""Recording of inbound calls: the caller hears the notice before the recording starts."""

import pytest

from rooftree.leads.models import ContactAttempt
from rooftree.outreach.calls import call_recordings
from rooftree.outreach.models import CallRecording
from rooftree.routing import lead_ownership
from rooftree_simulators.twilio.twilio_account import MAIN_NUMBER
from tests import make
from tests.flow import journey
from tests.flow.outside_world import World
from tests.flow.recorded.telephone import BEN, recordings_at_carrier, texts_heard_by

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def ben(world, recorded):
    """Return Ben's lead, owned by Dana, with our number routed to the server."""
    lead = journey.deliver(journey.create_website(), journey.form_post())
    lead_ownership.give_lead(lead_id=lead.pk, officer_id=recorded.pk, by=None, at=make.NOON)
    world.say(
        "twilio/seed",
        {"numbers": [{"number": MAIN_NUMBER, "voice_url": f"{world.url}/in/twilio/call/"}]},
    )
    return lead


def call_in(world: World, wait: str = "PT20S") -> None:
    world.say("twilio/call", {"from": BEN, "to": MAIN_NUMBER})
    world.pass_time(wait)


def test_caller_hears_notice_and_is_recorded_once_officer_answers(world, ben):
    call_in(world, "PT8S")
    assert texts_heard_by(world, BEN) == [
        f"Thank you for calling Lindenfield Mortgage. {call_recordings.NOTICES['en']}"
    ]
    world.run(0.1)
    assert recordings_at_carrier(world) == []  # still ringing
    world.pass_time("PT15S")
    world.run(0.5)

    [sound] = recordings_at_carrier(world)
    leg = next(
        call for call in world.simulators.twilio.state()["calls"] if call["direction"] == "inbound"
    )
    assert sound["call_sid"] == leg["sid"]
    world.pass_time("PT10M")
    attempt = ContactAttempt.objects.get(lead=ben, direction="in")
    assert attempt.recording.seconds > 200
    assert attempt.result == "spoken"


def test_objecting_caller_is_connected_and_officer_is_told(world, ben, recorded):
    world.officer_behaves(BEN, digits=["3"])
    call_in(world, "PT30S")
    world.run(1)

    assert call_recordings.OBJECTION_NOTICE in texts_heard_by(world, recorded.phone)
    assert recordings_at_carrier(world) == []
    assert CallRecording.objects.get().objected_at


def test_unanswered_call_is_not_recorded(world, ben, recorded):
    world.officer_behaves(recorded.phone, voice="no-answer")
    call_in(world, "PT2M")
    world.run(1)

    assert ContactAttempt.objects.get(lead=ben, direction="in").result == "missed"
    assert CallRecording.objects.get().requested_at is None
    assert recordings_at_carrier(world) == []


def test_unknown_caller_is_connected_and_not_recorded(world, ben):
    world.say("twilio/call", {"from": "+14155550199", "to": MAIN_NUMBER})
    world.pass_time("PT30S")

    assert texts_heard_by(world, "+14155550199") == []
    assert not CallRecording.objects.exists()
