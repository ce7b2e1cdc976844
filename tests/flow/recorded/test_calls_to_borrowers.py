"""Calls are recorded, over real HTTP through the simulated carrier, never before the notice."""

import threading
import time
from typing import Any

import pytest
from django.db import connection

from rooftree.compliance.gate import call_rules
from rooftree.compliance.gate.rulebook import STATES
from rooftree.flow import call_events
from rooftree.leads.models import ContactAttempt, Lead, Person
from rooftree.ledger.models import Event
from rooftree.org.models import User
from rooftree.outreach.calls import call_recordings, call_script
from rooftree.outreach.models import CallRecording
from rooftree.outreach.wording import message_templates
from rooftree.reporting.evidence import evidence_data
from rooftree.reporting.evidence.chronology_document import build_chronology
from rooftree.retention import legal_holds, purges
from rooftree_simulators.twilio.twilio_account import AUTH_TOKEN
from tests import make
from tests.flow import journey
from tests.flow.outside_world import World
from tests.flow.recorded.telephone import BEN, at_carrier, connect, heard_by

pytestmark = pytest.mark.usefixtures("committed")
CREATE = {"op": "create Recordings"}


def said(language: str) -> str:
    """What Ben hears when Dana calls about the home he buys."""
    first = {
        "en": "This is a call from Dana Whitfield of Lindenfield Mortgage about buying a home.",
        "es": "Le llama Dana Whitfield de Lindenfield Mortgage sobre la compra de una casa.",
    }
    return f"{first[language]} {call_recordings.NOTICES[language]}"


def told_about(world: World, step: str) -> list[dict[str, Any]]:
    rows = world.simulators.twilio.state()["callbacks"]
    return [row for row in rows if row["url"].endswith(f"/{step}/")]


def kinds() -> list[str]:
    rows = Event.objects.filter(kind__startswith="outreach.recording.").values_list(
        "kind", flat=True
    )
    return sorted(row.removeprefix("outreach.recording.") for row in rows)


def test_a_call_is_recorded_once_the_borrower_has_heard_the_notice_to_its_end(world, recorded):
    connect(world)
    assert heard_by(world, BEN) == [said("en")]
    assert at_carrier(world) == []  # the notice is over, and nothing was recorded of it

    world.run(1)
    [sound] = at_carrier(world)
    [told] = told_about(world, "told")
    leg = next(one for one in world.simulators.twilio.state()["calls"] if one["to"] == BEN)
    assert (sound["call_sid"], sound["channels"]) == (leg["sid"], 2)
    assert told["fields"]["Digits"] == ""
    world.pass_time("PT10M")

    one = CallRecording.objects.select_related("attempt").get()
    assert one.carrier_id == sound["sid"]
    assert (one.notice, one.language, one.told_at) == (said("en"), "en", make.NOON)
    assert one.seconds > 200
    assert one.ended_at
    assert one.attempt.cause.startswith("ring:")
    assert kinds() == ["begun", "ended", "told"]


def test_whoever_we_call_hears_it_in_the_language_they_told_us(world, recorded):
    world.post(f"/in/zillow/{journey.TOKEN}", journey.zillow_contact())
    world.run()
    Person.objects.update(language="es")

    world.pass_time("PT45S")

    assert heard_by(world, BEN) == [said("es")]
    assert CallRecording.objects.get().language == "es"


def test_a_language_we_do_not_speak_is_told_in_english(world, recorded):
    world.post(f"/in/zillow/{journey.TOKEN}", journey.zillow_contact())
    world.run()
    Person.objects.update(language="vi")

    world.pass_time("PT45S")

    assert heard_by(world, BEN) == [said("en")]


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_notice_says_who_for_whom_and_why_within_the_seconds_of_every_state(dana, language):
    longest = User(name=call_script.LONG_CALLER_NAME)
    for purpose in message_templates.LOAN_PHRASES[language]:
        call = ContactAttempt(lead=Lead(purpose=purpose), by=longest, direction="out")
        first = call_recordings.build_notice_text(call, language).removesuffix(
            call_recordings.NOTICES[language]
        )
        seconds = call_script.spoken_seconds(first)
        for state in STATES:
            assert (
                call_rules.check_identification_time(state=state, seconds=seconds).decision
                == "allow"
            ), state


def test_the_officer_hears_it_too(world, recorded):
    connect(world)

    assert any(call_recordings.OFFICER_NOTICE in one for one in heard_by(world, recorded.phone))


def test_where_it_is_off_nobody_hears_a_notice_and_nothing_is_recorded(world, dana):
    lead = connect(world)
    world.run(1)
    world.pass_time("PT10M")

    assert ContactAttempt.objects.get(lead=lead, medium="call").result == "spoken"
    assert heard_by(world, BEN) == []
    assert at_carrier(world) == []
    assert not CallRecording.objects.exists()
    assert kinds() == []


@pytest.mark.parametrize("key", ["5", "#", "*"])
def test_a_key_pressed_in_the_notice_means_no_recording_and_the_call_goes_on(world, recorded, key):
    lead = connect(world, digits=[key])
    world.run(1)
    world.pass_time("PT10M")

    one = CallRecording.objects.get()
    assert one.objected_at == make.NOON
    assert one.asked_at is None
    assert one.problem == "The borrower objected to recording."
    assert at_carrier(world) == []
    assert ContactAttempt.objects.get(lead=lead, medium="call").result == "spoken"
    assert kinds() == ["objected", "told"]


def test_a_tap_of_the_officer_stops_it_and_what_was_recorded_is_deleted(world, recorded):
    lead = connect(world)
    world.run(1)
    world.pass_time("PT1M")
    assert len(at_carrier(world)) == 1

    call_events.record_recording_objection(lead=lead, by=recorded.user, at=journey.later(2))
    world.run(2)
    assert at_carrier(world) == []
    one = CallRecording.objects.get()
    assert (one.objected_by, one.erased_at) == (recorded.user, journey.later(2))

    world.pass_time("PT10M")
    world.run(5)
    assert ContactAttempt.objects.get(lead=lead, medium="call").result == "spoken"
    assert at_carrier(world) == []
    assert kinds() == ["begun", "ended", "erased", "objected", "told"]
    with pytest.raises(call_events.NoActiveRecording):
        call_events.record_recording_objection(lead=lead, by=recorded.user, at=journey.later(6))


def test_a_carrier_that_is_down_is_asked_again_to_erase(world, recorded):
    lead = connect(world)
    world.run(1)
    world.say("twilio/faults", {"match": {"op": "delete Recordings"}, "action": "drop_before"})

    call_events.record_recording_objection(lead=lead, by=recorded.user, at=journey.later(2))
    world.run(2)
    assert len(at_carrier(world)) == 1
    assert CallRecording.objects.get().erased_at is None

    world.simulators.twilio.faults.clear_faults()
    world.run(4)
    assert at_carrier(world) == []
    assert CallRecording.objects.get().erased_at == journey.later(4)


def test_a_notice_whose_end_we_were_not_told_of_is_no_notice(world, recorded):
    connect(world, wait="PT20S")  # Ben hears it still
    assert told_about(world, "notice")
    assert not told_about(world, "told")
    CallRecording.objects.update(due_at=make.NOON)  # whatever put it in line

    world.run(1)

    one = CallRecording.objects.get()
    assert one.told_at is None
    assert one.asked_at is None
    assert "notice" in one.problem
    assert at_carrier(world) == []


def test_a_doubled_callback_records_and_tells_once(world, recorded):
    world.say("twilio/switches", {"dup_rate": 1})
    connect(world)
    [told] = told_about(world, "told")
    again = call_events.on_notice_played(
        recording_id=CallRecording.objects.get().pk,
        call_id=told["fields"]["CallSid"],
        digits="",
        at=journey.later(0.5),
    )
    world.run(1)
    world.run(2)
    world.pass_time("PT10M")

    assert again.endswith("<Response />")
    assert len(at_carrier(world)) == 1
    assert len(told_about(world, "status")) >= 2
    assert kinds() == ["begun", "ended", "told"]


def test_an_end_that_was_never_told_is_looked_up(world, recorded):
    connect(world)
    world.say("twilio/switches", {"loss_rate": 1})
    world.run(1)
    world.pass_time("PT10M")
    assert CallRecording.objects.get().ended_at is None

    world.run(5 * 60)

    one = CallRecording.objects.get()
    assert one.seconds > 200
    assert one.due_at is None
    assert kinds() == ["begun", "ended", "told"]


@pytest.mark.parametrize("fault", ["drop_after_commit", "drop_before"])
def test_one_of_unknown_fate_is_looked_up_and_never_begun_twice(world, recorded, fault):
    connect(world)
    world.say("twilio/faults", {"match": CREATE, "count": 1, "action": fault})
    world.run(1)
    begun = len(at_carrier(world))
    assert CallRecording.objects.get().carrier_id == ""

    world.run(3)

    assert len(at_carrier(world)) == begun
    one = CallRecording.objects.get()
    assert bool(one.carrier_id) is bool(begun)
    assert bool(one.problem) is not bool(begun)


def test_an_objection_reaches_one_whose_begin_is_not_known(world, recorded):
    lead = connect(world)
    world.say("twilio/faults", {"match": CREATE, "count": 1, "action": "drop_after_commit"})
    world.run(1)
    assert len(at_carrier(world)) == 1

    call_events.record_recording_objection(lead=lead, by=recorded.user, at=journey.later(2))
    world.run(2)

    assert at_carrier(world) == []
    assert CallRecording.objects.get().erased_at == journey.later(2)


def test_an_objection_wins_over_a_recording_that_is_just_being_begun(world, recorded):
    lead = connect(world)
    world.say("twilio/faults", {"match": CREATE, "count": 1, "action": "delay:2500"})
    at = journey.later(1)

    def begin() -> None:
        call_events.process_due_recordings(at=at)
        connection.close()

    beginning = threading.Thread(target=begin)
    beginning.start()
    while not CallRecording.objects.filter(asked_at=at).exists():
        assert beginning.is_alive()
        time.sleep(0.02)
    call_events.record_recording_objection(lead=lead, by=recorded.user, at=at)
    call_events.process_due_recordings(at=at)
    assert CallRecording.objects.get().erased_at is None  # it may begin only now
    beginning.join()
    assert len(at_carrier(world)) == 1

    call_events.process_due_recordings(at=at)

    assert at_carrier(world) == []
    assert CallRecording.objects.get().erased_at == at


def test_the_sound_of_a_call_goes_with_the_call_five_years_later_and_never_on_hold(world, recorded):
    lead = connect(world)
    world.run(1)
    world.pass_time("PT10M")
    nina, last = make.user("compliance"), make.NOON.replace(year=2031)
    scope = legal_holds.HoldScope(person_id=lead.person_id)
    placed = legal_holds.place_hold(
        scope, matter="Ortiz v. Lindenfield", why="Counsel asked for it", by=nina,
        at=journey.later(20),
    )  # fmt: skip
    purged(last + 2 * make.DAY)
    call_events.process_due_recordings(at=last + 2 * make.DAY)
    assert len(at_carrier(world)) == 1

    legal_holds.lift_hold(
        hold_id=placed.pk, because="It was settled", by=nina, at=last + 3 * make.DAY
    )
    purged(last - make.DAY)
    assert CallRecording.objects.get().attempt
    purged(last + 4 * make.DAY)
    assert not ContactAttempt.objects.filter(medium="call").exists()
    one = CallRecording.objects.get()
    assert (one.attempt, one.erase_from) == (None, last + 4 * make.DAY)

    call_events.process_due_recordings(at=last + 4 * make.DAY)

    assert at_carrier(world) == []
    assert not CallRecording.objects.exists()


def purged(at) -> None:
    if plan := purges.plan_scheduled_purge(at=at):
        if plan.approved_at is None:
            purges.request_purge(purge_id=plan.pk, by=make.user("compliance"), at=at)
            purges.approve_purge(purge_id=plan.pk, by=make.user("compliance"), at=at)
        while purges.remove_next_slice(at=at):
            pass


def test_an_evidence_file_names_the_recording_and_what_was_heard_before_it(world, recorded):
    connect(world)
    world.run(1)
    world.pass_time("PT10M")
    one = CallRecording.objects.get()

    found = evidence_data.collect_evidence(BEN, at=journey.later(20))

    assert [row["carrier_id"] for row in found["recordings"]] == [one.carrier_id]
    notes = [note for line in build_chronology(found)["lines"] for note in line["notes"]]
    assert f"Recording {one.carrier_id} at the carrier (twilio), {one.seconds} seconds." in notes
    assert any(call_recordings.NOTICES["en"] in note for note in notes)


@pytest.mark.parametrize("is_talk", [True, False])
def test_the_end_of_a_call_that_the_carrier_did_not_tell_is_looked_up(world, dana, is_talk):
    if not is_talk:
        world.officer_behaves(BEN, voice="no-answer")
    lead = connect(world, wait="PT30S")
    attempt = ContactAttempt.objects.get(lead=lead, medium="call")
    world.simulators.twilio.account.auth_token = "so that what it tells is not believed"
    world.pass_time("PT10M")
    world.simulators.twilio.account.auth_token = AUTH_TOKEN
    attempt.refresh_from_db()
    assert (attempt.result, attempt.seconds) == ("", None)

    world.run(5)
    attempt.refresh_from_db()
    assert attempt.result == ""  # it may go on
    world.run(11)

    attempt.refresh_from_db()
    assert attempt.result == ("spoken" if is_talk else "no_answer")
    assert (attempt.seconds or 0) >= (300 if is_talk else 0)
    assert attempt.seconds is not None
    assert attempt.completed_at == journey.later(11)


def test_a_stranger_cannot_tell_us_what_was_recorded(world, recorded):
    connect(world)
    one = CallRecording.objects.get()

    for step in ("notice", "told", "officer", "status"):
        assert world.post(f"/in/twilio/recording/{one.pk}/{step}/", {}).status_code == 403
    assert CallRecording.objects.get().carrier_id == ""


def test_switching_it_on_and_off_stands_in_the_ledger_once_each(world, dana):
    nina = make.user("compliance")
    for minute, is_on in enumerate((True, True, False, False)):
        call_recordings.switch_recording(is_on=is_on, by=nina, at=journey.later(minute))

    rows = Event.objects.filter(kind__startswith="compliance.recording.").order_by("id")
    assert [(row.kind, row.actor, row.occurred_at) for row in rows] == [
        ("compliance.recording.on", f"user:{nina.pk}", journey.later(0)),
        ("compliance.recording.off", f"user:{nina.pk}", journey.later(2)),
    ]
