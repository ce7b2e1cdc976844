"""Tasks, snooze and appointment at the top of a lead; the list of tasks; the line on the queue."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from rooftree.flow import clock
from rooftree.leads import appointments, lead_tasks
from rooftree.leads.models import Lead, Task
from tests import make

EASTERN, PACIFIC = ZoneInfo("America/New_York"), ZoneInfo("America/Los_Angeles")
WEDNESDAY = datetime(2026, 12, 2, 14, 30, tzinfo=EASTERN)
FRIDAY = datetime(2026, 12, 4, 14, 30, tzinfo=EASTERN)


@pytest.fixture
def lead(cast):
    return make.lead(officer=cast.dana, first_attempt_at=make.NOON, property_state="FL")


@pytest.fixture
def at_time(monkeypatch):
    """Return a function that sets the time of every request."""
    return lambda moment: monkeypatch.setattr(clock, "now", lambda: moment)


def add_task(browser, lead, **data):
    return browser.post(reverse("tasks", args=[lead.pk]), {"title": "Send the list", **data})


def due_in_eastern(lead):
    return f"{Task.objects.get(lead=lead).due_at.astimezone(EASTERN):%a %b %d %H:%M}"


def test_tomorrow_is_tomorrow_at_nine(cast, lead, signed_in, at_time):
    at_time(WEDNESDAY)

    add_task(signed_in(cast.dana.user), lead, due="day")

    assert due_in_eastern(lead) == "Thu Dec 03 09:00"


def test_tomorrow_on_a_friday_is_monday_for_an_officer_off_on_weekends(
    cast, lead, signed_in, at_time
):
    at_time(FRIDAY)
    cast.dana.hours = {day: ["08:00", "18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
    cast.dana.save(update_fields=["hours"])
    browser = signed_in(cast.dana.user)

    assert "Monday, 9 AM" in browser.get(reverse("lead", args=[lead.pk])).text
    add_task(browser, lead)

    assert due_in_eastern(lead) == "Mon Dec 07 09:00"


def test_tomorrow_is_nine_in_the_officers_own_zone(cast, signed_in, at_time):
    at_time(WEDNESDAY)
    lead = make.lead(officer=cast.sam, property_state="TX")

    add_task(signed_in(cast.sam.user), lead, due="day")

    assert due_in_eastern(lead) == "Thu Dec 03 10:00"  # Sam works in Austin


def test_callback_tomorrow_waits_until_calls_open_for_the_borrower(cast, signed_in, at_time):
    at_time(WEDNESDAY)
    person = make.person(phone="+14155550142")
    lead = make.lead(officer=cast.dana, person=person, property_state="CA", property_zip="94110")

    signed_in(cast.dana.user).post(reverse("attempts", args=[lead.pk]), {"result": "call_back:day"})

    task = Task.objects.get(lead=lead, kind=lead_tasks.CALL_BACK)
    assert f"{task.due_at.astimezone(PACIFIC):%a %H:%M}" == "Thu 08:00"


def test_typed_task_moves_to_later_and_a_callback_keeps_its_time(cast, lead, signed_in, at_time):
    at_time(WEDNESDAY)
    browser = signed_in(cast.dana.user)
    add_task(browser, lead, due="hour")
    task = Task.objects.get(lead=lead)

    browser.post(reverse("task_due", args=[task.pk]), {"due": "day"})

    assert due_in_eastern(lead) == "Thu Dec 03 09:00"
    Task.objects.filter(pk=task.pk).update(kind=lead_tasks.CALL_BACK)
    assert browser.post(reverse("task_due", args=[task.pk]), {"due": "week"}).status_code == 303
    assert due_in_eastern(lead) == "Thu Dec 03 09:00"


def test_snooze_takes_one_choice_and_no_reason(cast, lead, signed_in, at_time):
    at_time(WEDNESDAY)

    signed_in(cast.dana.user).post(reverse("snooze", args=[lead.pk]), {"due": "day"})

    snoozed_until = Lead.objects.get(pk=lead.pk).snoozed_until
    assert f"{snoozed_until.astimezone(EASTERN):%a %H:%M}" == "Thu 09:00"


def compliance_task(lead, **changes):
    task = lead_tasks.SystemTask(
        kind="require:x", title="Read their answer", due_at=make.NOON, role="compliance", **changes
    )
    return lead_tasks.add_or_update_task(task, lead_id=lead.pk, at=make.NOON)


def test_officer_cannot_tick_off_compliances_task_and_compliance_can(cast, lead, signed_in, htmx):
    task = compliance_task(lead)
    address = reverse("completion", args=[task.pk])
    officer = signed_in(cast.dana.user)

    page = officer.get(reverse("lead", args=[lead.pk])).text
    assert "Read their answer" in page
    assert address not in page
    answer = officer.post(address, headers=htmx)
    assert (answer.status_code, "compliance’s" in answer.text) == (403, True)
    assert Task.objects.get(pk=task.pk).done_at is None

    compliance = signed_in(cast.omar)
    assert address in compliance.get(reverse("my_tasks")).text
    compliance.post(address)
    assert Task.objects.get(pk=task.pk).done_by == cast.omar


def test_task_given_to_a_compliance_user_is_theirs_alone(cast, lead, signed_in):
    task = lead_tasks.add_task(
        lead_id=lead.pk, user_id=cast.omar.pk, title="Check", due_at=make.NOON, at=make.NOON
    )
    address = reverse("completion", args=[task.pk])

    assert signed_in(cast.dana.user).post(address).status_code == 403
    assert signed_in(cast.omar).post(address).status_code == 303


def test_officer_and_assistant_finish_each_others_tasks(cast, lead, signed_in):
    assistant = make.assistant(cast.dana)
    task = lead_tasks.add_task(
        lead_id=lead.pk, user_id=assistant.pk, title="Check", due_at=make.NOON, at=make.NOON
    )

    signed_in(cast.dana.user).post(reverse("completion", args=[task.pk]))

    assert Task.objects.get(pk=task.pk).done_by == cast.dana.user


def test_deadlines_task_cannot_be_ticked_off(cast, lead, signed_in, htmx):
    task = compliance_task(lead)
    Task.objects.filter(pk=task.pk).update(kind="clock:decision")

    answer = signed_in(cast.omar).post(reverse("completion", args=[task.pk]), headers=htmx)

    assert answer.status_code == 403
    assert "closes when its disclosure deadline does" in answer.text


def booking(**changes):
    return {
        "meeting": "office", "starts_at": "2026-12-03T10:30", "minutes": "30",
        "note": "Bring <W-2s>", **changes,
    }  # fmt: skip


def test_appointment_is_booked_moved_and_kept(cast, lead, signed_in, at_time):
    at_time(WEDNESDAY)
    browser, address = signed_in(cast.dana.user), reverse("appointment", args=[lead.pk])
    assert browser.get(address).status_code == 200

    browser.post(address, booking())

    page = browser.get(reverse("lead", args=[lead.pk])).text
    assert "Office, 30 min" in page
    assert "tomorrow, 10:30 AM" in page
    assert "Bring &lt;W-2s&gt;" in page
    browser.post(address, booking(meeting="video", starts_at="2026-12-04T11:00"))
    task = Task.objects.get(lead=lead)
    assert (task.title, task.meeting) == ("Video appointment", "video")
    assert f"{task.due_at.astimezone(EASTERN):%a %H:%M}" == "Fri 11:00"

    at_time(FRIDAY)
    assert "No-show" in browser.get(reverse("lead", args=[lead.pk])).text
    browser.post(reverse("completion", args=[task.pk]))
    assert appointments.open_appointment(lead.pk) is None


@pytest.mark.parametrize(("ending", "reason"), [("no_show", "no-show"), ("canceled", "canceled")])
def test_appointment_ends_as_no_show_or_canceled(cast, lead, signed_in, at_time, ending, reason):
    at_time(WEDNESDAY)
    browser = signed_in(cast.dana.user)
    browser.post(reverse("appointment", args=[lead.pk]), booking())

    browser.post(reverse("appointment_end", args=[lead.pk]), {"ending": ending})

    assert Task.objects.get(lead=lead).cancel_reason == reason


def test_phone_appointment_outside_calling_hours_is_refused_with_the_hour(
    cast, signed_in, at_time, htmx
):
    at_time(WEDNESDAY)
    person = make.person(first_name="Mei", phone="+14155550142")
    lead = make.lead(officer=cast.dana, person=person, property_state="CA", property_zip="94110")
    browser, address = signed_in(cast.dana.user), reverse("appointment", args=[lead.pk])

    answer = browser.post(address, booking(meeting="phone"), headers=htmx)

    assert answer.status_code == 422
    assert "Calls to Mei open Thu 8:00 AM their time" in answer.text
    assert not Task.objects.filter(lead=lead).exists()
    browser.post(address, booking(meeting="phone", starts_at="2026-12-03T11:30"))
    assert Task.objects.get(lead=lead).meeting == "phone"


def test_officer_who_does_not_own_the_lead_cannot_book(cast, lead, signed_in):
    answer = signed_in(cast.sam.user).post(reverse("appointment", args=[lead.pk]), booking())

    assert answer.status_code == 404


def test_queue_shows_what_is_due_today_above_the_rows(cast, lead, signed_in, at_time):
    at_time(WEDNESDAY)
    browser = signed_in(cast.dana.user)
    assert "Today:" not in browser.get("/queue/").text

    add_task(browser, lead, due="hour")
    browser.post(reverse("appointment", args=[lead.pk]), booking(starts_at="2026-12-02T16:00"))

    page = browser.get("/queue/").text
    assert "1 appointment" in page
    assert "1 task" in page
    assert "4:00 PM" in page


def test_task_list_separates_overdue_today_and_later(cast, lead, signed_in, at_time):
    at_time(WEDNESDAY)
    browser = signed_in(cast.dana.user)
    add_task(browser, lead, title="Soon", due="hour")
    add_task(browser, lead, title="Someday", due="week")
    at_time(WEDNESDAY + 2 * make.HOUR)

    page = browser.get(reverse("my_tasks")).text

    assert page.index("Overdue") < page.index("Soon") < page.index("Later<") < page.index("Someday")
