"""The call records page, the button that stops a recording, and incomplete calls."""

import pytest
from django.urls import reverse
from django.utils import timezone

from rooftree.flow import call_events, call_outcomes
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.org.models import Company
from rooftree.outreach.models import CallRecording
from rooftree.routing import lead_ownership
from tests import make

pytestmark = pytest.mark.django_db
CALLS, SHOWN = "/compliance/calls/", "+15125550100"


@pytest.fixture
def ben(cast):
    """Ben is assigned to Dana."""
    lead_ownership.give_lead(
        lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=timezone.now()
    )
    return Lead.objects.select_related("person").get(pk=cast.ben.pk)


@pytest.fixture
def nina():
    return make.user("compliance")


def call_of(lead, cause="ring:1", **changes):
    at = changes.pop("at", timezone.now() - 5 * make.HOUR)
    return ContactAttempt.objects.create(
        lead=lead, person=lead.person, medium="call", idempotency_key=cause, at=at,
        **{"address": "+18135550142", "our_number": SHOWN, **changes},
    )  # fmt: skip


def recording_of(lead, **changes):
    now = timezone.now()
    at = now - 2 * make.MINUTE
    fields = {
        "notice_played_at": at,
        "requested_at": at,
        "call_id": "CA1",
        "carrier_id": "RE1",
        "carrier": "twilio",
    }
    return CallRecording.objects.create(
        attempt=call_of(lead, at=at), notice="This call may be recorded.", language="en",
        **fields | changes,
    )  # fmt: skip


def test_compliance_turns_recording_on_and_off(signed_in, nina, cast):
    browser = signed_in(nina)
    assert "Calls are not recorded" in browser.get(CALLS).text

    browser.post(CALLS, {"act": "on"})
    assert Company.objects.get().records_calls_from
    assert "are recorded since" in browser.get(CALLS).text

    browser.post(CALLS, {"act": "off"})
    assert Company.objects.get().records_calls_from is None


@pytest.mark.parametrize("role", ["officer", "manager", "operations", "marketing", "executive"])
def test_other_roles_cannot_change_recording(signed_in, cast, role):
    assert signed_in(make.user(role)).post(CALLS, {"act": "on"}).status_code == 403
    assert Company.objects.get().records_calls_from is None


def test_branch_compliance_cannot_change_company_recording(signed_in, cast):
    branch_user = make.user("compliance", branch=cast.dana.branch)

    assert signed_in(branch_user).post(CALLS, {"act": "on"}).status_code == 403
    assert "Start recording calls" not in signed_in(branch_user).get(CALLS).text
    assert Company.objects.get().records_calls_from is None


def test_incomplete_call_is_listed_with_its_missing_facts(signed_in, nina, ben):
    call_of(ben, our_number="", by=ben.officer.user)

    page = signed_in(nina).get(CALLS).text

    assert "Call to Ben Ortiz" in page
    assert "calling number, outcome, length" in page


def test_ongoing_and_hand_dialed_calls_are_not_listed_as_incomplete(signed_in, nina, ben):
    call_of(ben, at=timezone.now())
    call_of(ben, cause="call:1", our_number="")

    assert "All call records are complete" in signed_in(nina).get(CALLS).text


def test_call_ended_by_the_carrier_is_complete(signed_in, nina, ben):
    at = timezone.now()
    call_events.on_inbound_call(sender="+18135550142", called=SHOWN, call_id="CA9", at=at)
    call_events.on_inbound_call_ended(
        call_id="CA9", dial_status="completed", seconds=64, at=at + make.MINUTE
    )

    attempt = ContactAttempt.objects.get()
    assert (attempt.our_number, attempt.seconds) == (SHOWN, 64)
    assert attempt.completed_at == at + make.MINUTE


def test_call_without_a_carrier_duration_is_incomplete(ben):
    at = timezone.now()
    call_events.on_inbound_call(sender="+18135550142", called=SHOWN, call_id="CA9", at=at)
    call_events.on_inbound_call_ended(call_id="CA9", dial_status="completed", at=at + make.MINUTE)

    attempt = ContactAttempt.objects.get()
    assert (attempt.seconds, attempt.completed_at) == (None, None)


def test_officer_outcome_completes_the_call_record(ben):
    call = call_of(ben, seconds=31, at=timezone.now(), by=ben.officer.user)

    call_outcomes.record_outcome(
        lead_id=ben.pk, result="voicemail", by=ben.officer.user, at=timezone.now() + make.MINUTE
    )

    call.refresh_from_db()
    assert call.result == "voicemail"
    assert call.completed_at


def test_officer_stops_recording_when_the_borrower_objects(signed_in, cast, ben, htmx):
    recording = recording_of(ben)
    browser, page = signed_in(cast.dana.user), reverse("lead", args=[ben.pk])
    assert "Stop and delete recording" in browser.get(page).text

    answer = browser.post(reverse("recording_objection", args=[ben.pk]), headers=htmx)

    recording.refresh_from_db()
    assert answer.status_code == 200
    assert recording.objected_by == cast.dana.user
    assert recording.erase_from == recording.due_at == recording.objected_at
    after = browser.get(page).text
    assert "This call is being recorded" not in after
    assert "(told Dana Whitfield). The recording is being deleted." in after
    assert (
        browser.post(reverse("recording_objection", args=[ben.pk]), headers=htmx).status_code == 409
    )


def test_signed_out_visitor_and_read_only_user_cannot_stop_recording(signed_in, cast, ben):
    recording = recording_of(ben)
    address = reverse("recording_objection", args=[ben.pk])

    assert signed_in(cast.sam.user).post(address).status_code == 404
    assert signed_in(cast.omar).post(address).status_code == 403
    recording.refresh_from_db()
    assert recording.objected_at is None
    assert (
        "Stop and delete recording"
        not in signed_in(cast.omar).get(reverse("lead", args=[ben.pk])).text
    )


def test_recording_reference_is_shown_with_its_call(signed_in, cast, ben):
    recording_of(ben, ended_at=timezone.now(), seconds=252)

    page = signed_in(cast.dana.user).get(reverse("lead", args=[ben.pk])).text

    assert "Recorded after the notice, 4 min 12 s. Carrier recording RE1." in page
    assert "This call is being recorded" not in page


def test_compliance_sees_recordings_that_the_carrier_did_not_delete(signed_in, nina, ben):
    now = timezone.now()
    late = {"objected_at": now, "erase_from": now - 2 * make.HOUR, "problem": "Twilio is busy."}
    recording = recording_of(ben, **late)

    assert "1 recording should be deleted but" in signed_in(nina).get(CALLS).text
    CallRecording.objects.filter(pk=recording.pk).update(erased_at=now)
    assert "should be deleted" not in signed_in(nina).get(CALLS).text
