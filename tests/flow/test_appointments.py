"""Reminders of appointments, and how a call or the lead's end settles one."""

import pytest

from rooftree.flow import appointments as flow
from rooftree.flow import call_outcomes
from rooftree.leads import appointments, snooze
from rooftree.leads.appointments import AppointmentDetails, InvalidAppointment
from rooftree.leads.models import Task
from rooftree.org.models import StaffNotice
from rooftree.outreach.models import Message
from rooftree.routing import lead_ownership, work_queue
from rooftree.routing.work_queue import Group, Tab
from tests import make

pytestmark = pytest.mark.django_db
STARTS = make.NOON + make.DAY


@pytest.fixture
def owned(cast):
    person = make.person(first_name="Ben", last_name="Ortiz")
    return make.lead(officer=cast.dana, person=person, property_state="FL")


def book(lead, by, *, meeting="office", starts_at=STARTS, at=make.NOON, **changes):
    details = AppointmentDetails(meeting=meeting, starts_at=starts_at, minutes=30, **changes)
    return flow.book_appointment(details, lead=lead, by=by, at=at)


def test_officer_is_reminded_once_with_borrower_and_event(cast, owned):
    book(owned, cast.dana.user)
    assert flow.send_due_reminders(at=STARTS - 16 * make.MINUTE) == 0

    assert flow.send_due_reminders(at=STARTS - 14 * make.MINUTE) == 1
    assert flow.send_due_reminders(at=STARTS - 13 * make.MINUTE) == 0

    notice = StaffNotice.objects.get()
    assert notice.user == cast.dana.user
    assert notice.text == "Ben O.: office appointment at 12:00 PM."
    assert notice.link == f"/leads/{owned.pk}/"
    assert not Message.objects.exists()  # nothing goes to the borrower


def test_moved_appointment_is_reminded_again(cast, owned):
    book(owned, cast.dana.user)
    flow.send_due_reminders(at=STARTS - 10 * make.MINUTE)

    later = STARTS + make.DAY
    _, is_new = book(owned, cast.dana.user, starts_at=later, at=STARTS - 5 * make.MINUTE)

    assert not is_new
    assert Task.objects.filter(lead=owned).count() == 1
    assert flow.send_due_reminders(at=later - 5 * make.MINUTE) == 1


def test_new_owner_of_the_lead_is_reminded(cast, owned):
    make.license_of(cast.sam, "FL")
    book(owned, cast.dana.user)
    lead_ownership.give_lead(lead_id=owned.pk, officer_id=cast.sam.pk, by=None, at=make.NOON)

    flow.send_due_reminders(at=STARTS - make.MINUTE)

    assert StaffNotice.objects.get(kind="appointment").user == cast.sam.user


def test_canceled_or_long_past_appointment_is_not_reminded(cast, owned):
    book(owned, cast.dana.user)

    assert flow.send_due_reminders(at=STARTS + make.HOUR) == 0


def log_call(lead, by, result, at):
    call_outcomes.record_outcome(lead_id=lead.pk, result=result, by=by, at=at)
    return Task.objects.get(lead=lead, kind=appointments.APPOINTMENT)


def test_conversation_at_the_time_keeps_a_phone_appointment(cast, owned):
    book(owned, cast.dana.user, meeting="phone")

    assert log_call(owned, cast.dana.user, "spoken", make.NOON + make.HOUR).done_at is None
    assert log_call(owned, cast.dana.user, "no_answer", STARTS).done_at is None
    assert log_call(owned, cast.dana.user, "spoken", STARTS + make.MINUTE).done_at is not None


def test_closing_the_lead_cancels_its_appointment(cast, owned):
    book(owned, cast.dana.user)

    task = log_call(owned, cast.dana.user, "not_interested", make.NOON + make.HOUR)

    assert task.cancel_reason == "not_interested"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"meeting": "lunch"}, "Choose phone, office or video"),
        ({"starts_at": make.NOON - make.MINUTE}, "within the next year"),
        ({"starts_at": make.NOON + 400 * make.DAY}, "within the next year"),
    ],
)
def test_impossible_appointment_is_refused(cast, owned, changes, problem):
    with pytest.raises(InvalidAppointment, match=problem):
        book(owned, cast.dana.user, **changes)
    assert not Task.objects.exists()


def queue_row(cast, tab, at):
    return [row for row in work_queue.list_rows(cast.dana.user, at=at, tab=tab)][0]


def test_lead_with_appointment_waits_and_comes_to_the_top_ten_minutes_before(cast, owned):
    book(owned, cast.dana.user)

    waiting = queue_row(cast, Tab.WAITING, make.NOON)
    assert (waiting.group, waiting.reason) == (Group.WAITING, "Appointment Tue 12:00 PM")

    top = queue_row(cast, Tab.NOW, STARTS - 9 * make.MINUTE)
    assert (top.group, top.due_at) == (Group.PROMISE, STARTS)
    assert top.reason.startswith("Appointment at 12:00 PM")


def test_lead_with_appointment_due_cannot_be_snoozed(cast, owned):
    book(owned, cast.dana.user)

    with pytest.raises(snooze.CannotSnooze, match="An appointment is due"):
        snooze.snooze_lead(
            lead_id=owned.pk, until=STARTS + make.DAY, because="", by=cast.dana.user.pk, at=STARTS
        )
