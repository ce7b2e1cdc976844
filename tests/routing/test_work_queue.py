from datetime import timedelta

import pytest

from rooftree.leads import lead_tasks, snooze
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.outreach.inbound import store_inbound_text
from rooftree.routing import assign_leads, work_queue
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
    return work_queue.list_rows(user, at=at, tab=tab)


def test_promises_come_first_then_replies_then_the_best_calls(cast):
    two_days = make.NOON - 2 * make.DAY
    warm = make.lead(officer=cast.dana, score=60, at=two_days)
    hot = make.lead(officer=cast.dana, score=90, at=two_days)
    wrote = make.lead(officer=cast.dana, score=10, at=two_days)
    attempt(wrote, "in", at=HOUR_AGO)
    promised = make.lead(officer=cast.dana, promise_at=make.NOON + make.MINUTE)
    offered = assign_leads.assign_to_best_officer(lead_id=cast.ben.pk, at=make.NOON)

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


def test_who_says_stop_waits_for_no_answer(cast):
    lead = make.lead(officer=cast.dana)
    store_inbound_text.receive_text(
        sender=lead.person.phones.get().e164, body="STOP", carrier_id="1", carrier="test",
        at=make.NOON,
    )  # fmt: skip

    assert [row.group for row in listed(cast.dana.user)] == ["next"]
    assert not lead.signals.exists()  # nor is it a sign of interest


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
    said = [
        work_queue.format_ago(make.NOON - timedelta(seconds=s), make.NOON)
        for s in (1, 59, 60, 7200)
    ]

    assert said == ["1 second ago", "59 seconds ago", "1 minute ago", "2 hours ago"]


def call_back(lead, due_at):
    wanted = lead_tasks.SystemTask(
        kind=lead_tasks.CALL_BACK, title="Call back as agreed", due_at=due_at
    )
    return lead_tasks.add_or_update_task(wanted, lead_id=lead.pk, at=make.NOON)


def test_an_agreed_call_waits_until_its_time_and_is_then_a_promise(cast):
    lead = make.lead(officer=cast.dana, score=90, first_attempt_at=make.NOON - make.DAY)
    call_back(lead, make.NOON + 5 * make.HOUR)

    waiting = listed(cast.dana.user, Tab.WAITING)
    assert [row.reason for row in waiting] == ["You agreed to call back 5:00 PM"]
    assert listed(cast.dana.user) == []

    due = listed(cast.dana.user, at=make.NOON + 5 * make.HOUR)
    assert [(row.group, row.due_at) for row in due] == [(Group.PROMISE, make.NOON + 5 * make.HOUR)]


def test_a_due_task_brings_even_a_snoozed_lead_back_and_stands_after_replies(cast):
    aside = make.lead(officer=cast.dana, first_attempt_at=HOUR_AGO)
    snooze.snooze_lead(
        lead_id=aside.pk, until=make.NOON + 9 * make.DAY, because="On vacation",
        by=cast.dana.user.pk, at=make.NOON - 2 * make.HOUR,
    )  # fmt: skip
    lead_tasks.add_task(
        lead_id=aside.pk, user_id=None, title="Send the checklist", due_at=make.NOON, at=HOUR_AGO
    )
    hot = make.lead(officer=cast.dana, score=99)
    wrote = make.lead(officer=cast.dana, score=1)
    attempt(wrote, "in")

    assert [row.lead_id for row in listed(cast.dana.user)] == [wrote.pk, aside.pk, hot.pk]
    assert "Send the checklist" in listed(cast.dana.user)[1].reason


def test_whom_the_hour_forbids_to_call_stands_below_and_says_when(cast):
    far = make.lead(
        officer=cast.dana,
        score=95,
        person=make.person(phone="+14155550142", state="CA"),
        property_state="CA",
        property_zip="94110",
    )
    near = make.lead(officer=cast.dana, score=20)
    at = make.NOON + 21 * make.HOUR  # 9:00 in New York, 6:00 in San Francisco

    rows = listed(cast.dana.user, at=at)

    assert [row.lead_id for row in rows] == [near.pk, far.pk]
    assert rows[0].opens_at is None
    assert rows[1].opens_at == at + 2 * make.HOUR
    assert "Calls open 8:00 AM their time" in rows[1].reason


def test_a_snoozed_lead_says_why_and_is_back_at_its_moment(cast):
    lead = make.lead(officer=cast.dana, first_attempt_at=HOUR_AGO)
    until = make.NOON + 3 * make.DAY
    snooze.snooze_lead(
        lead_id=lead.pk, until=until, because="On vacation", by=cast.dana.user.pk, at=make.NOON
    )

    assert listed(cast.dana.user) == []
    assert listed(cast.dana.user, Tab.WAITING)[0].reason == (
        "Set aside until Thu 12:00 PM: On vacation"
    )
    assert [row.lead_id for row in listed(cast.dana.user, at=until)] == [lead.pk]
