"""A call deadline is one that can be kept: night hours are not a delay."""

from datetime import timedelta

import pytest

from rooftree.leads.models import Lead, Phone
from rooftree.routing import assign_leads, response_deadline, team_board
from tests import make

pytestmark = pytest.mark.django_db
NIGHT = make.NOON - timedelta(hours=8, minutes=30)  # 3:30 AM in Tampa
MORNING = make.NOON - timedelta(hours=4)  # 8:00 AM, when calls open


@pytest.fixture
def at_night(cast):
    cast.dana.hours = make.AROUND_THE_CLOCK
    cast.dana.save(update_fields=["hours"])
    return cast


def test_night_lead_is_due_a_call_in_the_morning(at_night):
    offer = assign_leads.assign_to_best_officer(lead_id=at_night.ben.pk, at=NIGHT)

    promised = Lead.objects.get(pk=at_night.ben.pk).response_due_at
    assert offer.due_at == NIGHT + timedelta(minutes=2)  # the officer's time to take it
    assert promised == MORNING + timedelta(minutes=2)


def test_no_lead_is_late_before_calling_hours(at_night):
    assign_leads.assign_to_best_officer(lead_id=at_night.ben.pk, at=NIGHT)

    assert team_board.load_team_board(at_night.ruth, at=MORNING + timedelta(minutes=1)).late == 0
    assert team_board.load_team_board(at_night.ruth, at=MORNING + timedelta(minutes=3)).late == 1


def test_call_right_after_opening_is_on_time(cast):
    for minutes in (3, 7):
        lead = make.lead(officer=cast.dana, created_at=NIGHT, property_zip="33602")
        Phone.objects.filter(person=lead.person).update(e164=f"+1813555010{minutes}")
        response_deadline.set_deadline(lead, by=NIGHT + timedelta(minutes=5), at=NIGHT)
        Lead.objects.filter(pk=lead.pk).update(
            first_attempt_at=MORNING + timedelta(minutes=minutes)
        )

    board = team_board.load_team_board(cast.ruth, at=make.NOON)

    assert (board.promises.due, board.promises.kept) == (2, 1)
