"""Recording of outbound calls over real HTTP through the simulated carrier, after the notice."""

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
from tests.flow.recorded.telephone import BEN, connect, recordings_at_carrier, texts_heard_by

pytestmark = pytest.mark.usefixtures("committed")
CREATE = {"op": "create Recordings"}


def notice_heard(language: str) -> str:
    """Return the notice that Ben hears when Dana calls about the home he is buying."""
    first = {
        "en": "This is a call from Dana Whitfield of Lindenfield Mortgage about buying a home.",
        "es": "Le llama Dana Whitfield de Lindenfield Mortgage sobre la compra de una casa.",
    }
    return f"{first[language]} {call_recordings.NOTICES[language]}"


def callbacks_for(world: World, step: str) -> list[dict[str, Any]]:
    rows = world.simulators.twilio.state()["callbacks"]
    return [row for row in rows if row["url"].endswith(f"/{step}/")]


def recording_event_kinds() -> list[str]:
    rows = Event.objects.filter(kind__startswith="outreach.recording.").values_list(
        "kind", flat=True
    )
    return sorted(row.removeprefix("outreach.recording.") for row in rows)


def test_call_is_recorded_after_borrower_heard_whole_notice(world, recorded):
    connect(world)
    assert texts_heard_by(world, BEN) == [notice_heard("en")]
    assert recordings_at_carrier(world) == []  # the notice is over and was not recorded

    world.run(1)
    [sound] = recordings_at_carrier(world)
    [callback] = callbacks_for(world, "told")
    leg = next(call for call in world.simulators.twilio.state()["calls"] if call["to"] == BEN)
    assert (sound["call_sid"], sound["channels"]) == (leg["sid"], 2)
    assert callback["fields"]["Digits"] == ""
    world.pass_time("PT10M")

    recording = CallRecording.objects.select_related("attempt").get()
    assert recording.carrier_id == sound["sid"]
    assert (recording.notice, recording.language, recording.notice_played_at) == (
        notice_heard("en"),
        "en",
        make.NOON,
    )
    assert recording.seconds > 200
    assert recording.ended_at
    assert recording.attempt.idempotency_key.startswith("ring:")
    assert recording_event_kinds() == ["begun", "ended", "told"]


def test_borrower_hears_notice_in_their_language(world, recorded):
    world.post(f"/in/zillow/{journey.TOKEN}", journey.zillow_contact())
    world.run()
    Person.objects.update(language="es")

    world.pass_time("PT45S")

    assert texts_heard_by(world, BEN) == [notice_heard("es")]
    assert CallRecording.objects.get().language == "es"


def test_unsupported_language_gets_notice_in_english(world, recorded):
    world.post(f"/in/zillow/{journey.TOKEN}", journey.zillow_contact())
    world.run()
    Person.objects.update(language="vi")

    world.pass_time("PT45S")

    assert texts_heard_by(world, BEN) == [notice_heard("en")]


@pytest.mark.parametrize("language", ["en", "es"])
def test_notice_identifies_caller_within_every_states_time_limit(dana, language):
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


def test_officer_also_hears_recording_notice(world, recorded):
    connect(world)

    assert any(
        call_recordings.OFFICER_NOTICE in text for text in texts_heard_by(world, recorded.phone)
    )


def test_recording_off_means_no_notice_and_no_recording(world, dana):
    lead = connect(world)
    world.run(1)
    world.pass_time("PT10M")

    assert ContactAttempt.objects.get(lead=lead, medium="call").result == "spoken"
    assert texts_heard_by(world, BEN) == []
    assert recordings_at_carrier(world) == []
    assert not CallRecording.objects.exists()
    assert recording_event_kinds() == []


@pytest.mark.parametrize("key", ["5", "#", "*"])
def test_key_pressed_during_notice_prevents_recording_and_call_continues(world, recorded, key):
    lead = connect(world, digits=[key])
    world.run(1)
    world.pass_time("PT10M")

    recording = CallRecording.objects.get()
    assert recording.objected_at == make.NOON
    assert recording.requested_at is None
    assert recording.problem == "The borrower objected to recording."
    assert recordings_at_carrier(world) == []
    assert ContactAttempt.objects.get(lead=lead, medium="call").result == "spoken"
    assert recording_event_kinds() == ["objected", "told"]


def test_officer_objection_stops_and_deletes_recording(world, recorded):
    lead = connect(world)
    world.run(1)
    world.pass_time("PT1M")
    assert len(recordings_at_carrier(world)) == 1

    call_events.record_recording_objection(lead=lead, by=recorded.user, at=journey.later(2))
    world.run(2)
    assert recordings_at_carrier(world) == []
    recording = CallRecording.objects.get()
    assert (recording.objected_by, recording.erased_at) == (recorded.user, journey.later(2))

    world.pass_time("PT10M")
    world.run(5)
    assert ContactAttempt.objects.get(lead=lead, medium="call").result == "spoken"
    assert recordings_at_carrier(world) == []
    assert recording_event_kinds() == ["begun", "ended", "erased", "objected", "told"]
    with pytest.raises(call_events.NoActiveRecording):
        call_events.record_recording_objection(lead=lead, by=recorded.user, at=journey.later(6))


def test_recording_deletion_is_retried_after_carrier_outage(world, recorded):
    lead = connect(world)
    world.run(1)
    world.say("twilio/faults", {"match": {"op": "delete Recordings"}, "action": "drop_before"})

    call_events.record_recording_objection(lead=lead, by=recorded.user, at=journey.later(2))
    world.run(2)
    assert len(recordings_at_carrier(world)) == 1
    assert CallRecording.objects.get().erased_at is None

    world.simulators.twilio.faults.clear_faults()
    world.run(4)
    assert recordings_at_carrier(world) == []
    assert CallRecording.objects.get().erased_at == journey.later(4)


def test_unfinished_notice_prevents_recording(world, recorded):
    connect(world, wait="PT20S")  # Ben is still hearing it
    assert callbacks_for(world, "notice")
    assert not callbacks_for(world, "told")
    CallRecording.objects.update(due_at=make.NOON)  # as if something had made it due

    world.run(1)

    recording = CallRecording.objects.get()
    assert recording.notice_played_at is None
    assert recording.requested_at is None
    assert "notice" in recording.problem
    assert recordings_at_carrier(world) == []


def test_duplicate_callback_starts_one_recording(world, recorded):
    world.say("twilio/switches", {"dup_rate": 1})
    connect(world)
    [callback] = callbacks_for(world, "told")
    markup = call_events.on_notice_played(
        recording_id=CallRecording.objects.get().pk,
        call_id=callback["fields"]["CallSid"],
        digits="",
        at=journey.later(0.5),
    )
    world.run(1)
    world.run(2)
    world.pass_time("PT10M")

    assert markup.endswith("<Response />")
    assert len(recordings_at_carrier(world)) == 1
    assert len(callbacks_for(world, "status")) >= 2
    assert recording_event_kinds() == ["begun", "ended", "told"]


def test_unreported_recording_end_is_looked_up(world, recorded):
    connect(world)
    world.say("twilio/switches", {"loss_rate": 1})
    world.run(1)
    world.pass_time("PT10M")
    assert CallRecording.objects.get().ended_at is None

    world.run(5 * 60)

    recording = CallRecording.objects.get()
    assert recording.seconds > 200
    assert recording.due_at is None
    assert recording_event_kinds() == ["begun", "ended", "told"]


@pytest.mark.parametrize("fault", ["drop_after_commit", "drop_before"])
def test_uncertain_recording_is_looked_up_and_never_started_twice(world, recorded, fault):
    connect(world)
    world.say("twilio/faults", {"match": CREATE, "count": 1, "action": fault})
    world.run(1)
    started_count = len(recordings_at_carrier(world))
    assert CallRecording.objects.get().carrier_id == ""

    world.run(3)

    assert len(recordings_at_carrier(world)) == started_count
    recording = CallRecording.objects.get()
    assert bool(recording.carrier_id) is bool(started_count)
    assert bool(recording.problem) is not bool(started_count)


def test_objection_deletes_recording_of_uncertain_start(world, recorded):
    lead = connect(world)
    world.say("twilio/faults", {"match": CREATE, "count": 1, "action": "drop_after_commit"})
    world.run(1)
    assert len(recordings_at_carrier(world)) == 1

    call_events.record_recording_objection(lead=lead, by=recorded.user, at=journey.later(2))
    world.run(2)

    assert recordings_at_carrier(world) == []
    assert CallRecording.objects.get().erased_at == journey.later(2)


def test_objection_wins_over_recording_being_started(world, recorded):
    lead = connect(world)
    world.say("twilio/faults", {"match": CREATE, "count": 1, "action": "delay:2500"})
    at = journey.later(1)

    def begin() -> None:
        call_events.process_due_recordings(at=at)
        connection.close()

    beginning = threading.Thread(target=begin)
    beginning.start()
    while not CallRecording.objects.filter(requested_at=at).exists():
        assert beginning.is_alive()
        time.sleep(0.02)
    call_events.record_recording_objection(lead=lead, by=recorded.user, at=at)
    call_events.process_due_recordings(at=at)
    assert CallRecording.objects.get().erased_at is None  # it can still be starting
    beginning.join()
    assert len(recordings_at_carrier(world)) == 1

    call_events.process_due_recordings(at=at)

    assert recordings_at_carrier(world) == []
    assert CallRecording.objects.get().erased_at == at


def test_recording_is_erased_with_call_after_five_years_unless_held(world, recorded):
    lead = connect(world)
    world.run(1)
    world.pass_time("PT10M")
    nina, last = make.user("compliance"), make.NOON.replace(year=2031)
    scope = legal_holds.HoldScope(person_id=lead.person_id)
    hold = legal_holds.place_hold(
        scope, matter="Ortiz v. Lindenfield", why="Counsel asked for it", by=nina,
        at=journey.later(20),
    )  # fmt: skip
    run_purge(last + 2 * make.DAY)
    call_events.process_due_recordings(at=last + 2 * make.DAY)
    assert len(recordings_at_carrier(world)) == 1

    legal_holds.lift_hold(
        hold_id=hold.pk, because="It was settled", by=nina, at=last + 3 * make.DAY
    )
    run_purge(last - make.DAY)
    assert CallRecording.objects.get().attempt
    run_purge(last + 4 * make.DAY)
    assert not ContactAttempt.objects.filter(medium="call").exists()
    recording = CallRecording.objects.get()
    assert (recording.attempt, recording.erase_from) == (None, last + 4 * make.DAY)

    call_events.process_due_recordings(at=last + 4 * make.DAY)

    assert recordings_at_carrier(world) == []
    assert not CallRecording.objects.exists()


def run_purge(at) -> None:
    if plan := purges.plan_scheduled_purge(at=at):
        if plan.approved_at is None:
            purges.request_purge(purge_id=plan.pk, by=make.user("compliance"), at=at)
            purges.approve_purge(purge_id=plan.pk, by=make.user("compliance"), at=at)
        while purges.remove_next_slice(at=at):
            pass


def test_evidence_file_names_recording_and_notice(world, recorded):
    connect(world)
    world.run(1)
    world.pass_time("PT10M")
    recording = CallRecording.objects.get()

    evidence = evidence_data.collect_evidence(BEN, at=journey.later(20))

    assert [row["carrier_id"] for row in evidence["recordings"]] == [recording.carrier_id]
    notes = [note for line in build_chronology(evidence)["lines"] for note in line["notes"]]
    assert (
        f"Recording {recording.carrier_id} at the carrier (twilio), {recording.seconds} seconds."
        in notes
    )
    assert any(call_recordings.NOTICES["en"] in note for note in notes)


@pytest.mark.parametrize("is_talk", [True, False])
def test_unreported_call_end_is_looked_up(world, dana, is_talk):
    if not is_talk:
        world.officer_behaves(BEN, voice="no-answer")
    lead = connect(world, wait="PT30S")
    attempt = ContactAttempt.objects.get(lead=lead, medium="call")
    world.simulators.twilio.account.auth_token = "so that its callbacks fail the signature check"
    world.pass_time("PT10M")
    world.simulators.twilio.account.auth_token = AUTH_TOKEN
    attempt.refresh_from_db()
    assert (attempt.result, attempt.seconds) == ("", None)

    world.run(5)
    attempt.refresh_from_db()
    assert attempt.result == ""  # the call can still be going on
    world.run(11)

    attempt.refresh_from_db()
    assert attempt.result == ("spoken" if is_talk else "no_answer")
    assert (attempt.seconds or 0) >= (300 if is_talk else 0)
    assert attempt.seconds is not None
    assert attempt.completed_at == journey.later(11)


def test_unsigned_recording_callback_is_refused(world, recorded):
    connect(world)
    recording = CallRecording.objects.get()

    for step in ("notice", "told", "officer", "status"):
        assert world.post(f"/in/twilio/recording/{recording.pk}/{step}/", {}).status_code == 403
    assert CallRecording.objects.get().carrier_id == ""


def test_switching_recording_is_in_ledger_once_each(world, dana):
    nina = make.user("compliance")
    for minute, is_on in enumerate((True, True, False, False)):
        call_recordings.switch_recording(is_on=is_on, by=nina, at=journey.later(minute))

    rows = Event.objects.filter(kind__startswith="compliance.recording.").order_by("id")
    assert [(row.kind, row.actor, row.occurred_at) for row in rows] == [
        ("compliance.recording.on", f"user:{nina.pk}", journey.later(0)),
        ("compliance.recording.off", f"user:{nina.pk}", journey.later(2)),
    ]
