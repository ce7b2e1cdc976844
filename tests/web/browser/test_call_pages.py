"""The call records page and the button that stops a recording, on a phone and at a desk."""

from django.urls import reverse
from playwright.sync_api import expect

from rooftree.leads.models import ContactAttempt, Lead
from rooftree.outreach.models import CallRecording
from tests import make
from tests.web.browser.conftest import check_page, open_as


def call(people, at, **changes):
    ben = Lead.objects.get(pk=people.ben.pk)
    fields = {"address": "+18135550142", "our_number": "+15125550100", "by": people.dana.user}
    return ContactAttempt.objects.create(
        lead=ben, person=ben.person, medium="call", at=at, **fields | changes
    )


def test_call_records_page_fits_and_changes_recording(chromium, front, people, noon):
    page = open_as(chromium, front, "Compliance")
    page.goto(reverse("call_records"))
    check_page(page, "calls-empty")
    for n in range(24):
        at = noon - n * make.DAY / 3 - 5 * make.HOUR
        call(people, at, idempotency_key=f"ring:{n}", result="spoken" if n % 2 else "")
    call(
        people,
        noon - 6 * make.HOUR,
        idempotency_key="call_in:CA1",
        direction="in",
        our_number="",
        by=None,
    )

    CallRecording.objects.create(
        attempt=ContactAttempt.objects.first(), notice="…", language="en", notice_played_at=noon,
        requested_at=noon, carrier_id="RE" + "2b" * 16, objected_at=noon,
        erase_from=noon - 3 * make.HOUR, problem="Twilio does not accept our account (20003).",
    )  # fmt: skip
    page.get_by_role("button", name="Start recording calls").click()

    expect(page.get_by_text("are recorded since")).to_be_visible()
    expect(page.get_by_text("Missing: length").first).to_be_visible()
    check_page(page, "calls")


def test_recording_is_stopped_with_one_tap_during_the_call(chromium, front, people, noon):
    attempt = call(people, noon - make.MINUTE, idempotency_key="ring:1")
    earlier = call(people, noon - make.DAY, idempotency_key="ring:2", result="spoken", seconds=260)
    fields = {"notice": "This call may be recorded.", "language": "en", "carrier": "twilio"}
    for row, sid, seconds in ((attempt, "RE2", None), (earlier, "RE" + "1a" * 16, 252)):
        CallRecording.objects.create(
            attempt=row, notice_played_at=row.at, requested_at=row.at, carrier_id=sid,
            call_id="CA1",
            seconds=seconds, ended_at=seconds and row.at, **fields,
        )  # fmt: skip
    page = open_as(chromium, front, "Loan officer")
    page.goto(reverse("lead", args=[people.ben.pk]))
    check_page(page, "call-recorded")

    page.get_by_role("button", name="Stop and delete recording").click()

    expect(page.get_by_text("This call is being recorded")).to_have_count(0)
    expect(page.get_by_text("Recording stopped. The recording is being deleted.")).to_be_visible()
    check_page(page, "call-objected")
    assert CallRecording.objects.get(attempt=attempt).objected_by == people.dana.user
