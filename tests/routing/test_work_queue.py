from datetime import timedelta

import pytest

from rooftree.leads.models import ContactAttempt, Lead
from rooftree.routing import assign, work_queue
from rooftree.routing.work_queue import Group, Tab
from tests import make

pytestmark = pytest.mark.django_db
HOUR_AGO = make.NOON - make.HOUR


def attempt(lead, direction="out", at=HOUR_AGO, **changes):
    Lead.objects.filter(pk=lead.pk, first_attempt_at=None).update(first_attempt_at=at)
    return ContactAttempt.objects.create(
        lead=lead,
        person=lead.person,
        medium="call",
        direction=direction,
        at=at,
        cause=f"test:{make.number()}",
        **changes,
    )


def listed(user, tab=Tab.NOW, at=make.NOON):
    return work_queue.for_officer(user, at=at, tab=tab)


def test_promises_come_first_then_replies_then_the_best_calls(cast):
    two_days = make.NOON - 2 * make.DAY
    warm = make.lead(officer=cast.dana, score=60, at=two_days)
    hot = make.lead(officer=cast.dana, score=90, at=two_days)
    wrote = make.lead(officer=cast.dana, score=10, at=two_days)
    attempt(wrote, "in", at=HOUR_AGO)
    promised = make.lead(officer=cast.dana, promise_at=make.NOON + make.MINUTE)
    offered = assign.to_best_officer(lead_id=cast.ben.pk, at=make.NOON)

    rows = listed(cast.dana.user)

    assert [row.lead_id for row in rows] == [
        promised.pk, cast.ben.pk, wrote.pk, hot.pk, warm.pk,
    ]  # fmt: skip
    assert [row.group for row in rows] == ["promise", "promise", "reply", "next", "next"]
    assert (rows[1].offer_id, rows[1].due_at) == (offered.offer_id, offered.due_at)
    assert rows[1].reason == "Zillow purchase in FL, 0 seconds ago"
    assert rows[2].reason == "Wrote or called 1 hour ago and waits for an answer"


def test_a_reply_leaves_the_list_when_a_person_answers_and_not_when_a_machine_does(cast):
    lead = make.lead(officer=cast.dana)
    attempt(lead, "in", at=HOUR_AGO)

    attempt(lead, "out", at=HOUR_AGO + make.MINUTE, is_automated=True)
    assert [row.group for row in listed(cast.dana.user)] == [Group.REPLY]

    attempt(lead, "out", at=HOUR_AGO + 2 * make.MINUTE)
    assert listed(cast.dana.user) == []
    assert [row.lead_id for row in listed(cast.dana.user, Tab.WAITING)] == [lead.pk]


def test_what_waits_comes_back_when_its_day_has_come(cast):
    tonight = make.NOON + 6 * make.HOUR
    lead = make.lead(officer=cast.dana, snoozed_until=tonight)
    next_week = make.lead(officer=cast.dana, snoozed_until=make.NOON + 7 * make.DAY)

    assert listed(cast.dana.user) == []
    assert [row.lead_id for row in listed(cast.dana.user, Tab.TODAY)] == [lead.pk]
    waiting = listed(cast.dana.user, Tab.WAITING)
    assert {row.lead_id for row in waiting} == {lead.pk, next_week.pk}
    assert [row.lead_id for row in listed(cast.dana.user, at=tonight)] == [lead.pk]


def test_nobody_sees_the_queue_of_another_but_an_assistant_does(cast):
    lead = make.lead(officer=cast.dana)
    helper = make.assistant(cast.dana)

    assert [row.lead_id for row in listed(helper)] == [lead.pk]
    assert listed(cast.sam.user) == []
    assert listed(cast.ruth) == []


def test_a_lead_that_ended_is_not_work(cast):
    make.lead(officer=cast.dana, state="funded")
    make.lead(officer=cast.dana, retired_at=make.NOON)

    assert listed(cast.dana.user) == []


def test_a_list_is_one_query_however_long(cast, django_assert_num_queries):
    for _ in range(5):
        make.lead(officer=cast.dana, score_reasons=[{"text": "Has a signed contract", "points": 9}])
    user = type(cast.ruth).objects.select_related("branch").get(pk=cast.dana.user_id)

    with django_assert_num_queries(1):
        rows = listed(user)

    assert len(rows) == 5
    assert rows[0].reason.endswith("Has a signed contract")


def test_the_age_of_a_lead_is_said_in_one_unit():
    said = [work_queue.ago(make.NOON - timedelta(seconds=s), make.NOON) for s in (1, 59, 60, 7200)]

    assert said == ["1 second ago", "59 seconds ago", "1 minute ago", "2 hours ago"]
