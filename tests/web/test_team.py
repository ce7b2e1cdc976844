from datetime import timedelta

import pytest
from django.urls import reverse

from rooftree.flow import promises
from rooftree.leads import lead_tasks
from rooftree.leads.models import ContactAttempt, Lead, Task
from rooftree.org.models import LoanOfficer
from rooftree.routing import call_hours, lead_ownership
from rooftree.routing.models import Ownership, Promise, TimeOff
from tests import make


@pytest.fixture
def at_noon(monkeypatch):
    """Return a function that sets the clock of the pages."""

    def set_clock(at):
        monkeypatch.setattr("rooftree.flow.clock.now", lambda: at)

    return set_clock


def waiting(cast):
    lead_ownership.give_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=make.NOON)
    Lead.objects.filter(pk=cast.ben.pk).update(response_due_at=make.NOON + make.MINUTE)


def test_team_page_shows_waiting_leads_and_available_officers(cast, signed_in, at_noon):
    waiting(cast)
    at_noon(make.NOON + 2 * make.MINUTE)  # calls are open

    page = signed_in(cast.ruth).get("/team/")

    assert "Tampa, right now" in page.text
    assert "Ben Ortiz" in page.text
    assert "1 overdue" in page.text
    assert "Dana Whitfield" in page.text
    assert "Sam Rivera" not in page.text  # in the Austin branch


def test_late_clock_stands_still_at_night_on_team_and_lead(cast, signed_in, at_noon):
    waiting(cast)
    at_noon(make.NIGHT)
    manager = signed_in(cast.ruth)

    team = manager.get("/team/").text
    queue = manager.get(reverse("team_queue", args=[cast.dana.pk])).text
    lead = manager.get(reverse("lead", args=[cast.ben.pk])).text

    assert "OK to call Tue 8:00 AM borrower" in team
    assert "First call due Tue 8 AM" in lead
    assert ["count-down" in page.split("<main")[1] for page in (team, queue, lead)] == [
        False,
        False,
        False,
    ]


def test_officers_cannot_open_the_team_page(cast, signed_in):
    assert signed_in(cast.dana.user).get("/team/").status_code == 403


def test_manager_reassigns_a_lead_to_another_officer(cast, signed_in):
    waiting(cast)
    other = make.officer("Kofi Mensah", licensed=("FL",), branch=cast.tampa)

    signed_in(cast.ruth).post(reverse("ownership", args=[cast.ben.pk]), {"officer": other.pk})

    assert Ownership.objects.get(lead=cast.ben, until_at=None).officer == other


def test_lead_cannot_be_reassigned_to_an_unlicensed_officer(cast, signed_in, htmx):
    waiting(cast)
    other = make.officer("Kofi Mensah", licensed=("TX",), branch=cast.tampa)

    answer = signed_in(cast.ruth).post(
        reverse("ownership", args=[cast.ben.pk]), {"officer": other.pk}, headers=htmx
    )

    assert answer.status_code == 409
    assert Ownership.objects.get(lead=cast.ben, until_at=None).officer == cast.dana


def test_officer_of_another_branch_cannot_be_chosen(cast, signed_in):
    waiting(cast)

    answer = signed_in(cast.ruth).post(
        reverse("ownership", args=[cast.ben.pk]), {"officer": cast.sam.pk}
    )

    assert answer.status_code == 404


def test_officer_cannot_reassign_a_lead(cast, signed_in):
    waiting(cast)

    answer = signed_in(cast.dana.user).post(
        reverse("ownership", args=[cast.ben.pk]), {"officer": cast.dana.pk}
    )

    assert answer.status_code == 403


def test_reassign_page_offers_only_officers_licensed_in_the_state(cast, signed_in):
    waiting(cast)
    kofi = make.officer("Kofi Mensah", licensed=("TX",), branch=cast.tampa)
    lena = make.officer("Lena Ortiz", licensed=("FL",), branch=cast.tampa)

    page = signed_in(cast.ruth).get(reverse("reassignment", args=[cast.ben.pk]))

    assert f'value="{lena.pk}"' in page.text
    assert f'value="{kofi.pk}"' not in page.text
    assert "Not licensed in FL" in page.text
    assert f'value="{cast.dana.pk}"' not in page.text  # the owner


def test_late_first_call_rings_on_the_team_page_until_somebody_calls(cast, signed_in):
    waiting(cast)
    for minute in (2, 8):
        promises.watch_promises(at=make.NOON + minute * make.MINUTE)
    team = signed_in(cast.ruth)

    alarm = team.get("/team/").text
    Lead.objects.filter(pk=cast.ben.pk).update(first_attempt_at=make.NOON + 9 * make.MINUTE)
    promises.watch_promises(at=make.NOON + 10 * make.MINUTE)
    after = team.get("/team/").text

    assert "Late first call" in alarm
    assert "Dana Whitfield hasn’t called Ben. The first call was due" in alarm
    assert "Late first call" not in after


def test_team_figures_open_the_records_behind_them(cast, signed_in, at_noon):
    waiting(cast)
    at_noon(make.NOON + make.HOUR)
    team = signed_in(cast.ruth)

    board, records = team.get("/team/").text, team.get("/team/promises/?show=today").text

    assert "0 of 1 that came due" in board
    assert "?show=today" in board
    assert "Ben Ortiz" in records
    assert "0 of 1 that came due today were kept" in records


def test_manager_opens_an_officers_day_queue_and_leads(cast, signed_in):
    waiting(cast)
    team = signed_in(cast.ruth)

    pages = [
        team.get(reverse(name, args=[cast.dana.pk])).text
        for name in ("team_officer", "team_queue", "team_leads")
    ]

    assert all("Ben Ortiz" in page for page in pages)


def test_manager_cannot_open_an_officer_of_another_branch(cast, signed_in):
    assert signed_in(cast.ruth).get(reverse("team_officer", args=[cast.sam.pk])).status_code == 404


def test_officer_opens_their_own_day_but_no_colleagues(cast, signed_in):
    kofi = make.officer("Kofi Mensah", branch=cast.tampa)
    officer = signed_in(cast.dana.user)

    assert officer.get(reverse("team_officer", args=[cast.dana.pk])).status_code == 200
    assert officer.get(reverse("team_officer", args=[kofi.pk])).status_code == 404


def test_team_page_shows_who_is_on_a_call(cast, signed_in, at_noon):
    at_noon(make.NOON)
    ContactAttempt.objects.create(
        lead=cast.ben, person=cast.ben.person, medium="call", by=cast.dana.user,
        at=make.NOON - make.MINUTE, idempotency_key="call:1",
    )  # fmt: skip

    assert "On a call since 11:59 AM" in signed_in(cast.ruth).get("/team/").text


def test_manager_pauses_an_officer_for_an_hour_and_resumes_them(cast, signed_in, at_noon):
    at_noon(make.NOON)
    team = signed_in(cast.ruth)

    team.post(reverse("officer_pause", args=[cast.dana.pk]), {"span": "60"})
    paused = LoanOfficer.objects.get(pk=cast.dana.pk)
    team.post(reverse("officer_resume", args=[cast.dana.pk]))

    assert paused.paused_until == make.NOON + make.HOUR
    assert LoanOfficer.objects.get(pk=cast.dana.pk).paused_at is None


def test_officer_enters_and_cancels_time_off(cast, signed_in, at_noon):
    at_noon(make.NOON)
    officer = signed_in(cast.dana.user)

    officer.post(
        reverse("officer_time_off", args=[cast.dana.pk]),
        {"first": "2026-12-21", "last": "2026-12-23", "note": "Skiing"},
    )
    row = TimeOff.objects.get()
    page = officer.get(reverse("team_officer", args=[cast.dana.pk])).text
    officer.post(reverse("time_off_cancellation", args=[row.pk]))

    assert (row.officer, row.until_date.isoformat()) == (cast.dana, "2026-12-24")
    assert "Dec 21 – Dec 23, 2026" in page
    assert TimeOff.objects.get().canceled_at == make.NOON


def test_time_off_that_ends_before_it_begins_is_explained(cast, signed_in, at_noon):
    at_noon(make.NOON)

    answer = signed_in(cast.dana.user).post(
        reverse("officer_time_off", args=[cast.dana.pk]),
        {"first": "2026-12-21", "last": "2026-12-20", "note": ""},
    )

    assert answer.status_code == 422
    assert "Choose a last day on or after the first day." in answer.text


def test_holidays_are_entered_for_the_whole_company_only_by_company_users(cast, signed_in, at_noon):
    at_noon(make.NOON)
    typed = {"first": "2026-11-26", "last": "", "note": "Thanksgiving"}

    refused = signed_in(cast.ruth).post("/team/holidays/", typed)
    signed_in(make.user("administrator")).post("/team/holidays/", typed)

    assert refused.status_code == 403
    assert TimeOff.objects.get().note == "Thanksgiving"
    assert "Thanksgiving" in signed_in(cast.ruth).get("/team/holidays/").text


def test_manager_approves_the_hour_of_a_call_on_the_team_page(cast, signed_in):
    waiting(cast)
    task = lead_tasks.add_or_update_task(
        lead_tasks.SystemTask(
            kind=call_hours.TASK_KIND,
            title="Approve the time of a call",
            due_at=make.NOON + timedelta(days=1),
            role="manager",
        ),
        lead_id=cast.ben.pk,
        at=make.NOON,
    )
    team = signed_in(cast.ruth)

    page = team.get("/team/").text
    team.post(reverse("call_hour_approval", args=[task.pk]))

    assert "Call times to approve" in page
    assert Task.objects.get(pk=task.pk).done_by == cast.ruth


def test_promise_of_a_colleague_in_another_branch_stays_hidden(cast, signed_in):
    waiting(cast)
    promises.watch_promises(at=make.NOON + make.HOUR)
    austin = make.user("manager", branch=cast.austin)

    assert Promise.objects.get().escalated_at
    assert "Ben Ortiz" not in signed_in(austin).get("/team/promises/").text
