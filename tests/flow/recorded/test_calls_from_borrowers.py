"""A caller hears the notice first, and is recorded once the officer answers."""

import pytest

from rooftree.leads.models import ContactAttempt
from rooftree.outreach.calls import call_recordings
from rooftree.outreach.models import CallRecording
from rooftree.routing import lead_ownership
from rooftree_simulators.twilio.twilio_account import MAIN_NUMBER
from tests import make
from tests.flow import journey
from tests.flow.outside_world import World
from tests.flow.recorded.telephone import BEN, at_carrier, heard_by

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def ben(world, recorded):
    """Ben is Dana's, and calls our number."""
    lead = journey.deliver(journey.website(), journey.form_post())
    lead_ownership.give_lead(lead_id=lead.pk, officer_id=recorded.pk, by=None, at=make.NOON)
    world.say(
        "twilio/seed",
        {"numbers": [{"number": MAIN_NUMBER, "voice_url": f"{world.url}/in/twilio/call/"}]},
    )
    return lead


def call_in(world: World, wait: str = "PT20S") -> None:
    world.say("twilio/call", {"from": BEN, "to": MAIN_NUMBER})
    world.pass_time(wait)


def test_a_caller_hears_the_notice_first_and_is_recorded_once_the_officer_answers(world, ben):
    call_in(world, "PT8S")
    assert heard_by(world, BEN) == [
        f"Thank you for calling Lindenfield Mortgage. {call_recordings.NOTICES['en']}"
    ]
    world.run(0.1)
    assert at_carrier(world) == []  # it still rings
    world.pass_time("PT15S")
    world.run(0.5)

    [sound] = at_carrier(world)
    leg = next(
        one for one in world.simulators.twilio.state()["calls"] if one["direction"] == "inbound"
    )
    assert sound["call_sid"] == leg["sid"]
    world.pass_time("PT10M")
    attempt = ContactAttempt.objects.get(lead=ben, direction="in")
    assert attempt.recording.seconds > 200
    assert attempt.result == "spoken"


def test_a_caller_who_objects_is_put_through_and_the_officer_hears_why(world, ben, recorded):
    world.officer_behaves(BEN, digits=["3"])
    call_in(world, "PT30S")
    world.run(1)

    assert call_recordings.OBJECTION_NOTICE in heard_by(world, recorded.phone)
    assert at_carrier(world) == []
    assert CallRecording.objects.get().objected_at


def test_a_call_that_nobody_answers_is_not_recorded(world, ben, recorded):
    world.officer_behaves(recorded.phone, voice="no-answer")
    call_in(world, "PT2M")
    world.run(1)

    assert ContactAttempt.objects.get(lead=ben, direction="in").result == "missed"
    assert CallRecording.objects.get().asked_at is None
    assert at_carrier(world) == []


def test_a_caller_nobody_knows_is_put_through_and_not_recorded(world, ben):
    world.say("twilio/call", {"from": "+14155550199", "to": MAIN_NUMBER})
    world.pass_time("PT30S")

    assert heard_by(world, "+14155550199") == []
    assert not CallRecording.objects.exists()
