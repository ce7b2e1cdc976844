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
        idempotency_key=f"test:{make.number()}",
        **changes,
    )


def list_rows(user, tab=Tab.NOW, at=make.NOON):
    return work_queue.list_rows(user, at=at, tab=tab)


def test_queue_lists_deadlines_then_replies_then_best_calls(cast):
    two_days = make.NOON - 2 * make.DAY
    warm = make.lead(officer=cast.dana, score=60, at=two_days)
    hot = make.lead(officer=cast.dana, score=90, at=two_days)
    wrote = make.lead(officer=cast.dana, score=10, at=two_days)
    attempt(wrote, "in", at=HOUR_AGO)
    promised = make.lead(officer=cast.dana, response_due_at=make.NOON + make.MINUTE)
    offered = assign_leads.assign_to_best_officer(lead_id=cast.ben.pk, at=make.NOON)

    rows = list_rows(cast.dana.user)

    assert [row.lead_id for row in rows] == [
        promised.pk, cast.ben.pk, wrote.pk, hot.pk, warm.pk,
    ]  # fmt: skip
    assert [row.group for row in rows] == ["promise", "promise", "reply", "next", "next"]
    assert (rows[1].offer_id, rows[1].due_at) == (offered.offer_id, offered.due_at)
    assert rows[1].reason == "Zillow purchase in FL, 0 seconds ago"
    assert rows[2].reason == "Needs reply: wrote or called 1 hour ago"


def test_reply_stays_until_a_person_answers(cast):
    lead = make.lead(officer=cast.dana)
    attempt(lead, "in", at=HOUR_AGO)

    attempt(lead, "out", at=HOUR_AGO + make.MINUTE, is_automated=True)
    assert [row.group for row in list_rows(cast.dana.user)] == [Group.REPLY]

    attempt(lead, "out", at=HOUR_AGO + 2 * make.MINUTE)
    assert list_rows(cast.dana.user) == []
    assert [row.lead_id for row in list_rows(cast.dana.user, Tab.WAITING)] == [lead.pk]


def test_snoozed_lead_returns_on_its_day(cast):
    tonight = make.NOON + 6 * make.HOUR
    lead = make.lead(officer=cast.dana, snoozed_until=tonight)
    next_week = make.lead(officer=cast.dana, snoozed_until=make.NOON + 7 * make.DAY)

    assert list_rows(cast.dana.user) == []
    assert [row.lead_id for row in list_rows(cast.dana.user, Tab.TODAY)] == [lead.pk]
    waiting = list_rows(cast.dana.user, Tab.WAITING)
    assert {row.lead_id for row in waiting} == {lead.pk, next_week.pk}
    assert [row.lead_id for row in list_rows(cast.dana.user, at=tonight)] == [lead.pk]


def test_only_the_officer_and_their_assistant_see_the_queue(cast):
    lead = make.lead(officer=cast.dana)
    helper = make.assistant(cast.dana)

    assert [row.lead_id for row in list_rows(helper)] == [lead.pk]
    assert list_rows(cast.sam.user) == []
    assert list_rows(cast.ruth) == []


def test_stop_reply_needs_no_answer(cast):
    lead = make.lead(officer=cast.dana)
    store_inbound_text.receive_text(
        sender=lead.person.phones.get().e164, body="STOP", carrier_id="1", carrier="test",
        at=make.NOON,
    )  # fmt: skip

    assert [row.group for row in list_rows(cast.dana.user)] == ["next"]
    assert not lead.signals.exists()  # nor is it a sign of interest


def test_closed_lead_is_not_in_the_queue(cast):
    make.lead(officer=cast.dana, state="funded")
    make.lead(officer=cast.dana, retired_at=make.NOON)

    assert list_rows(cast.dana.user) == []


def test_queue_takes_one_query(cast, django_assert_num_queries):
    for _ in range(5):
        make.lead(officer=cast.dana, score_reasons=[{"text": "Has a signed contract", "points": 9}])
    user = type(cast.ruth).objects.select_related("branch").get(pk=cast.dana.user_id)

    with django_assert_num_queries(1):
        rows = list_rows(user)

    assert len(rows) == 5
    assert rows[0].reason.endswith("Has a signed contract")


def test_lead_age_is_shown_in_one_unit():
    ages = [
        work_queue.format_ago(make.NOON - timedelta(seconds=s), make.NOON)
        for s in (1, 59, 60, 7200)
    ]

    assert ages == ["1 second ago", "59 seconds ago", "1 minute ago", "2 hours ago"]


def call_back(lead, due_at):
    wanted = lead_tasks.SystemTask(
        kind=lead_tasks.CALL_BACK, title="Call back as agreed", due_at=due_at
    )
    return lead_tasks.add_or_update_task(wanted, lead_id=lead.pk, at=make.NOON)


def test_callback_waits_until_due_and_then_comes_first(cast):
    lead = make.lead(officer=cast.dana, score=90, first_attempt_at=make.NOON - make.DAY)
    call_back(lead, make.NOON + 5 * make.HOUR)

    waiting = list_rows(cast.dana.user, Tab.WAITING)
    assert [row.reason for row in waiting] == ["You agreed to call back 5:00 PM"]
    assert list_rows(cast.dana.user) == []

    due = list_rows(cast.dana.user, at=make.NOON + 5 * make.HOUR)
    assert [(row.group, row.due_at) for row in due] == [(Group.PROMISE, make.NOON + 5 * make.HOUR)]


def test_due_task_returns_snoozed_lead_after_replies(cast):
    snoozed = make.lead(officer=cast.dana, first_attempt_at=HOUR_AGO)
    snooze.snooze_lead(
        lead_id=snoozed.pk, until=make.NOON + 9 * make.DAY, because="On vacation",
        by=cast.dana.user.pk, at=make.NOON - 2 * make.HOUR,
    )  # fmt: skip
    lead_tasks.add_task(
        lead_id=snoozed.pk, user_id=None, title="Send the checklist", due_at=make.NOON, at=HOUR_AGO
    )
    hot = make.lead(officer=cast.dana, score=99)
    wrote = make.lead(officer=cast.dana, score=1)
    attempt(wrote, "in")

    assert [row.lead_id for row in list_rows(cast.dana.user)] == [wrote.pk, snoozed.pk, hot.pk]
    assert "Send the checklist" in list_rows(cast.dana.user)[1].reason


def test_lead_outside_calling_hours_ranks_lower_with_opening_time(cast):
    far = make.lead(
        officer=cast.dana,
        score=95,
        person=make.person(phone="+14155550142", state="CA"),
        property_state="CA",
        property_zip="94110",
    )
    near = make.lead(officer=cast.dana, score=20)
    at = make.NOON + 21 * make.HOUR  # 9:00 in New York, 6:00 in San Francisco

    rows = list_rows(cast.dana.user, at=at)

    assert [row.lead_id for row in rows] == [near.pk, far.pk]
    assert rows[0].opens_at is None
    assert rows[1].opens_at == at + 2 * make.HOUR
    assert "OK to call 8:00 AM borrower's time" in rows[1].reason


def test_snoozed_lead_shows_reason_and_returns_on_time(cast):
    lead = make.lead(officer=cast.dana, first_attempt_at=HOUR_AGO)
    until = make.NOON + 3 * make.DAY
    snooze.snooze_lead(
        lead_id=lead.pk, until=until, because="On vacation", by=cast.dana.user.pk, at=make.NOON
    )

    assert list_rows(cast.dana.user) == []
    assert list_rows(cast.dana.user, Tab.WAITING)[0].reason == (
        "Snoozed until Thu 12:00 PM: On vacation"
    )
    assert [row.lead_id for row in list_rows(cast.dana.user, at=until)] == [lead.pk]
