from datetime import timedelta

import pytest

from rooftree.leads.models import Lead
from rooftree.org.models import LoanOfficer
from rooftree.routing import answer_offer, assign_leads, team_board
from tests import make

pytestmark = pytest.mark.django_db
LATER = make.NOON + timedelta(minutes=3)


def test_the_wall_shows_who_waits_with_whom_and_until_when(cast):
    answer = assign_leads.assign_to_best_officer(lead_id=cast.ben.pk, at=make.NOON)

    offered = team_board.load_team_board(cast.ruth, at=make.NOON).waiting[0]
    answer_offer.take_offer(offer_id=answer.offer_id, officer_id=cast.dana.pk, at=make.NOON)
    wall = team_board.load_team_board(cast.ruth, at=LATER)

    assert (offered.officer, offered.offered_until) == ("Dana Whitfield", answer.due_at)
    assert (offered.name, offered.what) == ("Ben Ortiz", "Zillow purchase, $400,000, FL")
    assert (wall.waiting[0].officer, wall.waiting[0].offered_until) == ("Dana Whitfield", None)
    assert (wall.late, wall.longest_wait) == (1, timedelta(minutes=3))


def test_a_lead_somebody_tried_leaves_the_wall_and_counts_as_kept_or_broken(cast):
    for seconds, promised in ((40, 120), (200, 120)):
        lead = make.lead(officer=cast.dana, promise_at=make.NOON + timedelta(seconds=promised))
        Lead.objects.filter(pk=lead.pk).update(
            first_attempt_at=make.NOON + timedelta(seconds=seconds)
        )

    wall = team_board.load_team_board(cast.ruth, at=make.NOON + make.HOUR)

    assert wall.waiting == ()
    assert (wall.tried_today, wall.on_time_today, wall.median_seconds) == (2, 1, 120)
    assert [member.median_seconds for member in wall.people] == [120]


def test_the_wall_tells_who_takes_leads(cast):
    lena = make.officer("Lena", branch=cast.tampa, hours={"tue": ["08:30", "17:00"]})
    nora = make.officer("Nora", branch=cast.tampa, paused_at=make.NOON)
    make.officer("Old", branch=cast.tampa, terminated_at=make.NOON)

    wall = team_board.load_team_board(cast.ruth, at=LATER)

    assert [(member.name, member.availability) for member in wall.people] == [
        ("Dana Whitfield", "available"),
        (lena.user.name, "off_work"),
        (nora.user.name, "paused"),
    ]
    assert wall.people[1].availability_text == "Off until Tue 8:30 AM"
    assert wall.available_count == 1


def test_the_wall_is_three_queries_however_many_wait(cast, django_assert_num_queries):
    for _ in range(4):
        make.lead(officer=cast.dana, promise_at=make.NOON)
    LoanOfficer.objects.filter(pk=cast.sam.pk).update(branch=cast.tampa)
    ruth = type(cast.ruth).objects.select_related("branch").get(pk=cast.ruth.pk)

    with django_assert_num_queries(3):
        wall = team_board.load_team_board(ruth, at=make.NOON)

    assert (len(wall.waiting), len(wall.people)) == (4, 2)
