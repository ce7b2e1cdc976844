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


def record_outcome(lead, by, result, at=LATER, **more):
    return call_outcomes.record_outcome(lead_id=lead.pk, result=result, by=by, at=at, **more)


@pytest.fixture
def dialed_lead(cast):
    Company.objects.update(emergencies_checked_at=make.NOON, telemarketer_states=["FL"])
    lead = make.lead(officer=cast.dana, source=make.source("website_form"))
    make.touch(lead)
    call_events.start_call(lead_id=lead.pk, by=cast.dana.user, at=make.NOON)
    return lead


def test_double_tap_after_call_is_one_attempt(cast, dialed_lead):
    for seconds in (0, 1):
        record_outcome(dialed_lead, cast.dana.user, "no_answer", at=LATER + seconds * make.SECOND)

    attempt = ContactAttempt.objects.get(lead=dialed_lead)
    assert (attempt.result, attempt.result_at) == ("no_answer", LATER)


def test_double_tap_across_minute_boundary_is_one_attempt(cast):
    lead = make.lead(officer=cast.dana)
    for seconds in (59, 60):
        record_outcome(lead, cast.dana.user, "voicemail", at=make.NOON + seconds * make.SECOND)

    assert ContactAttempt.objects.filter(lead=lead).count() == 1


def test_same_outcome_of_later_call_is_another_attempt(cast, dialed_lead):
    record_outcome(dialed_lead, cast.dana.user, "no_answer")
    call_events.start_call(lead_id=dialed_lead.pk, by=cast.dana.user, at=LATER + make.HOUR)
    record_outcome(dialed_lead, cast.dana.user, "no_answer", at=LATER + make.HOUR + make.MINUTE)

    assert ContactAttempt.objects.filter(lead=dialed_lead, result="no_answer").count() == 2


@pytest.mark.usefixtures("committed")
@pytest.mark.django_db(transaction=True)
def test_two_simultaneous_taps_are_one_attempt(cast):
    lead = make.lead(officer=cast.dana)

    def tap():
        record_outcome(lead, cast.dana.user, "spoken")
        connection.close()

    both = [threading.Thread(target=tap) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()

    assert ContactAttempt.objects.filter(lead=lead).count() == 1


def agree_callback(cast, lead, due_at, at=LATER):
    record_outcome(lead, cast.dana.user, "call_back", at=at, call_back_at=due_at)
    return Task.objects.get(lead=lead, kind=lead_tasks.CALL_BACK, done_at=None, canceled_at=None)


def test_new_callback_time_replaces_earlier_one(cast, dialed_lead):
    agree_callback(cast, dialed_lead, LATER + make.DAY)
    task = agree_callback(cast, dialed_lead, LATER + 2 * make.DAY, at=LATER + make.HOUR)

    assert task.due_at == LATER + 2 * make.DAY
    assert Task.objects.filter(lead=dialed_lead).count() == 1


def test_call_at_agreed_time_finishes_callback_task(cast, dialed_lead):
    due_at = LATER + make.DAY
    task = agree_callback(cast, dialed_lead, due_at)

    record_outcome(dialed_lead, cast.dana.user, "no_answer", at=due_at - 5 * make.HOUR)
    assert Task.objects.get(pk=task.pk).done_at is None
    record_outcome(dialed_lead, cast.dana.user, "voicemail", at=due_at - make.MINUTE)
    assert Task.objects.get(pk=task.pk).done_at == due_at - make.MINUTE


@pytest.mark.parametrize("result", ["not_interested", "wrong_number"])
def test_closed_lead_or_wrong_number_cancels_callback_task(cast, dialed_lead, result):
    task = agree_callback(cast, dialed_lead, LATER + make.DAY)

    record_outcome(dialed_lead, cast.dana.user, result, at=LATER + make.HOUR)

    task = Task.objects.get(pk=task.pk)
    assert (task.done_at, task.cancel_reason) == (None, result)
    assert lead_tasks.list_open_tasks(dialed_lead) == []


@pytest.mark.parametrize(
    "result", [result_code for result_code in call_outcomes.RESULTS if result_code != "call_back"]
)
def test_every_outcome_is_one_attempt(cast, dialed_lead, result):
    record_outcome(dialed_lead, cast.dana.user, result)

    assert ContactAttempt.objects.get(lead=dialed_lead).result == result
