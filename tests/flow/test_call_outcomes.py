"""What an officer says of a call: once, and with what follows from it."""

import threading

import pytest
from django.db import connection

from rooftree.flow import call_events, call_outcomes
from rooftree.leads import lead_tasks
from rooftree.leads.models import ContactAttempt, Task
from rooftree.org.models import Company
from tests import make

pytestmark = pytest.mark.django_db
LATER = make.NOON + make.MINUTE


def said(lead, by, result, at=LATER, **more):
    return call_outcomes.record_outcome(lead_id=lead.pk, result=result, by=by, at=at, **more)


@pytest.fixture
def dialled(cast):
    Company.objects.update(emergencies_checked_at=make.NOON, telemarketer_states=["FL"])
    lead = make.lead(officer=cast.dana, source=make.source("website_form"))
    make.touch(lead)
    call_events.start_call(lead_id=lead.pk, by=cast.dana.user, at=make.NOON)
    return lead


def test_a_double_tap_after_a_call_is_one_attempt(cast, dialled):
    for seconds in (0, 1):
        said(dialled, cast.dana.user, "no_answer", at=LATER + seconds * make.SECOND)

    attempt = ContactAttempt.objects.get(lead=dialled)
    assert (attempt.result, attempt.result_at) == ("no_answer", LATER)


def test_a_double_tap_over_the_turn_of_a_minute_is_one_attempt(cast):
    lead = make.lead(officer=cast.dana)
    for seconds in (59, 60):
        said(lead, cast.dana.user, "voicemail", at=make.NOON + seconds * make.SECOND)

    assert ContactAttempt.objects.filter(lead=lead).count() == 1


def test_the_same_outcome_of_a_later_call_is_another_attempt(cast, dialled):
    said(dialled, cast.dana.user, "no_answer")
    call_events.start_call(lead_id=dialled.pk, by=cast.dana.user, at=LATER + make.HOUR)
    said(dialled, cast.dana.user, "no_answer", at=LATER + make.HOUR + make.MINUTE)

    assert ContactAttempt.objects.filter(lead=dialled, result="no_answer").count() == 2


@pytest.mark.usefixtures("committed")
@pytest.mark.django_db(transaction=True)
def test_two_taps_in_the_same_instant_are_one_attempt(cast):
    lead = make.lead(officer=cast.dana)

    def tap():
        said(lead, cast.dana.user, "spoken")
        connection.close()

    both = [threading.Thread(target=tap) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()

    assert ContactAttempt.objects.filter(lead=lead).count() == 1


def agreed(cast, lead, due, at=LATER):
    said(lead, cast.dana.user, "call_back", at=at, call_back_at=due)
    return Task.objects.get(lead=lead, kind=lead_tasks.CALL_BACK, done_at=None, cancelled_at=None)


def test_a_new_time_takes_the_place_of_the_one_agreed_before(cast, dialled):
    agreed(cast, dialled, LATER + make.DAY)
    task = agreed(cast, dialled, LATER + 2 * make.DAY, at=LATER + make.HOUR)

    assert task.due_at == LATER + 2 * make.DAY
    assert Task.objects.filter(lead=dialled).count() == 1


def test_a_call_at_the_agreed_time_keeps_the_agreement(cast, dialled):
    due = LATER + make.DAY
    task = agreed(cast, dialled, due)

    said(dialled, cast.dana.user, "no_answer", at=due - 5 * make.HOUR)
    assert Task.objects.get(pk=task.pk).done_at is None
    said(dialled, cast.dana.user, "voicemail", at=due - make.MINUTE)
    assert Task.objects.get(pk=task.pk).done_at == due - make.MINUTE


@pytest.mark.parametrize("result", ["not_interested", "wrong_number"])
def test_a_closed_lead_or_a_wrong_number_ends_the_agreed_call(cast, dialled, result):
    task = agreed(cast, dialled, LATER + make.DAY)

    said(dialled, cast.dana.user, result, at=LATER + make.HOUR)

    task = Task.objects.get(pk=task.pk)
    assert (task.done_at, task.cancelled_because) == (None, result)
    assert lead_tasks.open_tasks(dialled) == []


@pytest.mark.parametrize("result", [one for one in call_outcomes.RESULTS if one != "call_back"])
def test_every_outcome_is_one_tap_and_one_attempt(cast, dialled, result):
    said(dialled, cast.dana.user, result)

    assert ContactAttempt.objects.get(lead=dialled).result == result
