from datetime import timedelta

import pytest

from rooftree.leads.models import Lead
from rooftree.org.models import LoanOfficer
from rooftree.routing import answer_offer, assign_leads, team_board
from tests import make

pytestmark = pytest.mark.django_db
LATER = make.NOON + timedelta(minutes=3)


def test_board_shows_waiting_leads_with_officer_and_deadline(cast):
    answer = assign_leads.assign_to_best_officer(lead_id=cast.ben.pk, at=make.NOON)

    offered = team_board.load_team_board(cast.ruth, at=make.NOON).waiting[0]
    answer_offer.take_offer(offer_id=answer.offer_id, officer_id=cast.dana.pk, at=make.NOON)
    board = team_board.load_team_board(cast.ruth, at=LATER)

    assert (offered.officer, offered.offered_until) == ("Dana Whitfield", answer.due_at)
    assert (offered.name, offered.summary) == ("Ben Ortiz", "Zillow purchase, $400,000, FL")
    assert (board.waiting[0].officer, board.waiting[0].offered_until) == ("Dana Whitfield", None)
    assert (board.late, board.longest_wait) == (1, timedelta(minutes=3))


def test_late_clock_stands_still_while_calls_are_closed(cast):
    make.lead(officer=cast.dana, response_due_at=make.NIGHT - make.HOUR)

    by_night = team_board.load_team_board(cast.ruth, at=make.NIGHT)
    in_the_morning = team_board.load_team_board(cast.ruth, at=make.NIGHT + 12 * make.HOUR)

    assert by_night.late == 0
    assert by_night.waiting[0].call_hours_text == "OK to call Tue 9:00 AM borrower's time"
    assert (in_the_morning.late, in_the_morning.waiting[0].call_hours_text) == (1, "")


def test_attempted_lead_leaves_board_and_counts_kept_or_late(cast):
    for seconds, promised in ((40, 120), (200, 120)):
        lead = make.lead(officer=cast.dana, response_due_at=make.NOON + timedelta(seconds=promised))
        Lead.objects.filter(pk=lead.pk).update(
            first_attempt_at=make.NOON + timedelta(seconds=seconds)
        )

    board = team_board.load_team_board(cast.ruth, at=make.NOON + make.HOUR)

    assert board.waiting == ()
    assert (board.tried_today, board.median_seconds) == (2, 120)
    assert (board.promises.kept, board.promises.due) == (1, 2)
    assert [member.median_seconds for member in board.people] == [120]


def test_board_shows_officer_availability(cast):
    lena = make.officer("Lena", branch=cast.tampa, hours={"tue": ["08:30", "17:00"]})
    nora = make.officer("Nora", branch=cast.tampa, paused_at=make.NOON)
    make.officer("Old", branch=cast.tampa, terminated_at=make.NOON)

    board = team_board.load_team_board(cast.ruth, at=LATER)

    assert [(member.name, member.availability) for member in board.people] == [
        ("Dana Whitfield", "available"),
        (lena.user.name, "off_work"),
        (nora.user.name, "paused"),
    ]
    assert board.people[1].availability_text == "Off until Tue 8:30 AM"
    assert board.available_count == 1


def test_board_takes_seven_queries(cast, django_assert_num_queries):
    for _ in range(4):
        make.lead(officer=cast.dana, response_due_at=make.NOON)
    LoanOfficer.objects.filter(pk=cast.sam.pk).update(branch=cast.tampa)
    ruth = type(cast.ruth).objects.select_related("branch").get(pk=cast.ruth.pk)

    with django_assert_num_queries(7):
        board = team_board.load_team_board(ruth, at=make.NOON)

    assert (len(board.waiting), len(board.people)) == (4, 2)
