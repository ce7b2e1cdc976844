"""Promises: made and ended by what happens to a lead, warned of, missed and escalated."""

from datetime import date

import pytest

from rooftree.core.uuid7 import uuid7_at
from rooftree.flow import call_outcomes, lead_offers, promises
from rooftree.leads import lead_tasks
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.ledger.models import Event
from rooftree.org.models import LoanOfficer, StaffNotice
from rooftree.routing import (
    assign_leads,
    lead_ownership,
    promise_figures,
    response_deadline,
    time_off,
    work_queue,
)
from rooftree.routing.models import Promise
from rooftree.routing.permissions import leads_visible_to
from tests import make

pytestmark = pytest.mark.django_db
MINUTE = make.MINUTE


def take_ben(cast):
    """Give Ben to Dana at noon: a first call is due at 12:02 PM."""
    lead_ownership.give_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=make.NOON)
    return Promise.objects.get(lead=cast.ben)


def contact(lead, at, **changes):
    return ContactAttempt.objects.create(
        **{
            "lead": lead, "person": lead.person, "medium": "text", "at": at,
            "idempotency_key": f"test:{uuid7_at(at)}", **changes,
        }
    )  # fmt: skip


def ask_for_reply(lead, at):
    """Let a borrower who was tried before write; a reply is due five minutes later."""
    Lead.objects.filter(pk=lead.pk).update(first_attempt_at=at - make.DAY, state="working")
    contact(lead, at, direction="in")
    Lead.objects.filter(pk=lead.pk).update(response_due_at=at + 5 * MINUTE)
    return Promise.objects.get(lead=lead, kind="reply", kept_at=None)


def unread(user):
    return [
        notice.text
        for notice in StaffNotice.objects.filter(user=user, read_at=None).order_by("at", "id")
        if notice.kind in ("promise_due", "promise_late", "covering")
    ]


def watch(*minutes):
    for minute in minutes:
        promises.watch_promises(at=make.NOON + minute * MINUTE)


def test_taking_a_lead_and_forgetting_it_warns_then_alarms_the_manager_by_name(cast):
    take_ben(cast)

    watch(1, 3)
    assert unread(cast.dana.user) == [
        "Call Ben by 12:02 PM: the first call is due.",
        "The first call to Ben was due 12:02 PM. Call now.",
    ]
    assert unread(cast.ruth) == []
    watch(8, 9)

    promise = Promise.objects.get(lead=cast.ben)
    assert unread(cast.ruth) == [
        "Late first call: Dana Whitfield hasn’t called Ben. The first call was due 12:02 PM."
    ]
    assert promise.sentence.endswith("The first call was due 12:02 PM. Told Ruth Adler.")
    assert [event.kind for event in Event.objects.filter(kind__startswith="routing.promise")] == [
        "routing.promise.missed",
        "routing.promise.escalated",
    ]


def test_alarm_clears_when_the_officer_calls(cast):
    take_ben(cast)
    watch(1, 3, 8)

    call_outcomes.record_outcome(
        lead_id=cast.ben.pk, result="no_answer", by=cast.dana.user, at=make.NOON + 9 * MINUTE
    )
    watch(10)

    promise = Promise.objects.get(lead=cast.ben)
    assert promise.kept_at == make.NOON + 9 * MINUTE
    assert (unread(cast.dana.user), unread(cast.ruth)) == ([], [])


def test_first_call_in_time_keeps_the_promise_without_a_notice(cast):
    take_ben(cast)
    call_outcomes.record_outcome(
        lead_id=cast.ben.pk, result="spoken", by=cast.dana.user, at=make.NOON + MINUTE / 2
    )

    watch(1, 3, 8)

    assert Promise.objects.get(lead=cast.ben).breached_at is None
    assert unread(cast.dana.user) == []


def test_alarm_about_an_unclaimed_lead_clears_when_somebody_owns_it(cast):
    LoanOfficer.objects.update(paused_at=make.NOON)
    assign_leads.assign_to_best_officer(lead_id=cast.ben.pk, at=make.NOON)
    notice = StaffNotice.objects.get(user=cast.ruth, kind="unclaimed")

    take_ben(cast)
    watch(0)

    notice.refresh_from_db()
    assert notice.read_at == make.NOON


def test_repeated_ticks_ring_once(cast):
    take_ben(cast)

    watch(1, 1, 3, 3, 8, 8, 9, 30)

    assert StaffNotice.objects.filter(kind__startswith="promise").count() == 3


def test_call_that_is_forbidden_at_night_is_not_escalated_before_morning(cast):
    take_ben(cast)
    Promise.objects.update(due_at=make.NIGHT, warn_at=make.NIGHT, escalate_at=make.NIGHT + MINUTE)

    promises.watch_promises(at=make.NIGHT + 2 * MINUTE)

    promise = Promise.objects.get(lead=cast.ben)
    assert promise.escalated_at is None
    assert promise.escalate_at == make.NIGHT + 9 * make.HOUR + MINUTE  # 8 AM in Florida


def test_unanswered_reply_is_late_and_an_answer_keeps_it(cast):
    take_ben(cast)
    ask_for_reply(cast.ben, make.NOON)

    watch(4, 6, 21)
    late = unread(cast.ruth)
    contact(cast.ben, make.NOON + 30 * MINUTE, direction="out")

    assert late == ["Late reply: Dana Whitfield hasn’t replied to Ben. A reply was due 12:05 PM."]
    reply = Promise.objects.get(lead=cast.ben, kind="reply")
    assert reply.kept_at == make.NOON + 30 * MINUTE
    assert reply.breached_at


def test_automatic_message_does_not_keep_a_reply(cast):
    take_ben(cast)
    reply = ask_for_reply(cast.ben, make.NOON)

    contact(cast.ben, make.NOON + MINUTE, direction="out", is_automated=True)

    reply.refresh_from_db()
    assert reply.kept_at is None


def test_reply_that_came_in_after_work_is_due_when_the_officer_is_back(cast):
    LoanOfficer.objects.filter(pk=cast.dana.pk).update(hours=make.WORKDAYS)
    take_ben(cast)
    evening = make.NOON + 7 * make.HOUR
    ask_for_reply(cast.ben, evening)

    promises.watch_promises(at=evening + 6 * MINUTE)

    reply = Promise.objects.get(lead=cast.ben, kind="reply")
    assert reply.due_at == make.NOON + 20 * make.HOUR + 15 * MINUTE  # Tuesday 8:15 AM
    assert reply.sentence == (
        "Due Nov 24, 8:15 AM: Dana Whitfield was off work when the borrower wrote."
    )


def test_opt_out_ends_what_is_owed(cast):
    take_ben(cast)
    reply = ask_for_reply(cast.ben, make.NOON)

    contact(cast.ben, make.NOON + MINUTE, direction="in", result="revoke")

    reply.refresh_from_db()
    assert (reply.kept_at, reply.end_reason) == (None, "the borrower opted out")


def agree_callback(cast, due_at, at=make.NOON):
    task = lead_tasks.SystemTask(
        kind=lead_tasks.CALL_BACK, title="Call back as agreed", due_at=due_at,
        user_id=cast.dana.user_id, updates_due_at=True,
    )  # fmt: skip
    return lead_tasks.add_or_update_task(task, lead_id=cast.ben.pk, at=at)


def test_missed_callback_rings_and_a_call_keeps_it(cast):
    take_ben(cast)
    Lead.objects.filter(pk=cast.ben.pk).update(first_attempt_at=make.NOON, state="working")
    agree_callback(cast, make.NOON + 60 * MINUTE)

    watch(50, 66, 81)
    late = unread(cast.ruth)
    contact(cast.ben, make.NOON + 90 * MINUTE, direction="out", medium="call")

    assert unread(cast.dana.user)[0] == "You agreed to call Ben back at 1:00 PM."
    assert late == [
        "Missed callback: Dana Whitfield hasn’t called Ben back. The call was agreed for 1:00 PM."
    ]
    assert Promise.objects.get(kind="callback").kept_at == make.NOON + 90 * MINUTE


def test_callback_at_a_new_time_is_a_new_promise(cast):
    take_ben(cast)
    agree_callback(cast, make.NOON + 60 * MINUTE)

    agree_callback(cast, make.NOON + 120 * MINUTE)

    callbacks = Promise.objects.filter(kind="callback").order_by("due_at")
    assert [row.end_reason for row in callbacks] == ["a new time was agreed", ""]
    assert callbacks[1].due_at == make.NOON + 125 * MINUTE


def test_promises_kept_counts_those_never_tried(cast):
    take_ben(cast)
    called = make.lead(officer=cast.dana)
    response_deadline.set_deadline(called, by=make.NOON + 2 * MINUTE, at=make.NOON)
    Lead.objects.filter(pk=called.pk).update(first_attempt_at=make.NOON + MINUTE)
    archived = make.lead(officer=cast.dana)
    response_deadline.set_deadline(archived, by=make.NOON + 2 * MINUTE, at=make.NOON)
    Lead.objects.filter(pk=archived.pk).update(state="retired", retired_at=make.NOON)

    at = make.NOON + 60 * MINUTE
    kept = promise_figures.count_kept(promise_figures.promises_today(cast.ruth, at), at=at)

    assert (kept.kept, kept.due) == (1, 2)


def test_promises_more_than_a_day_late_ring_once_together(cast):
    for _ in range(3):
        lead = make.lead(officer=cast.dana)
        response_deadline.set_deadline(lead, by=make.NOON, at=make.NOON)

    promises.watch_promises(at=make.NOON + 2 * make.DAY)

    assert unread(cast.ruth) == [
        "3 promises are more than a day late. Reassign them or ask their officers."
    ]
    assert Promise.objects.filter(escalated_at__isnull=False).count() == 3


def with_backup(cast, **changes):
    kofi = make.officer("Kofi Mensah", licensed=("FL",), branch=cast.tampa, **changes)
    LoanOfficer.objects.filter(pk=cast.dana.pk).update(backup=kofi)
    return kofi


def test_late_promise_goes_to_the_backup_who_then_sees_the_lead(cast):
    kofi = with_backup(cast)
    take_ben(cast)
    assert not leads_visible_to(kofi.user).filter(pk=cast.ben.pk).exists()

    watch(1, 3, 8)

    at = make.NOON + 9 * MINUTE
    assert unread(kofi.user) == ["Call Ben for Dana Whitfield: the first call was due 12:02 PM."]
    assert leads_visible_to(kofi.user).filter(pk=cast.ben.pk).exists()
    assert [row.reason for row in work_queue.list_rows(kofi.user, at=at)][0].startswith(
        "Covering for Dana Whitfield"
    )
    call_outcomes.record_outcome(lead_id=cast.ben.pk, result="spoken", by=kofi.user, at=at)
    assert not leads_visible_to(kofi.user).filter(pk=cast.ben.pk).exists()


@pytest.mark.parametrize(
    "changes", [{"licensed": ("TX",)}, {"paused_at": make.NOON}, {"hours": {}}]
)
def test_backup_who_is_unlicensed_paused_or_off_is_not_asked(cast, changes):
    changes = {"licensed": ("FL",), **changes}
    kofi = make.officer("Kofi Mensah", branch=cast.tampa, **changes)
    LoanOfficer.objects.filter(pk=cast.dana.pk).update(backup=kofi)
    take_ben(cast)

    watch(1, 3, 8)

    promise = Promise.objects.get(lead=cast.ben)
    assert promise.backup is None
    assert "The backup, Kofi Mensah, isn’t available." in promise.sentence
    assert unread(kofi.user) == []


def test_backup_covers_at_once_while_the_officer_is_off(cast):
    kofi = with_backup(cast)
    take_ben(cast)
    time_off.add_time_off(
        officer_id=cast.dana.pk, first=date(2026, 11, 23), last=date(2026, 11, 25),
        note="", by=cast.ruth, at=make.NOON,
    )  # fmt: skip

    watch(0)

    promise = Promise.objects.get(lead=cast.ben)
    assert promise.backup == kofi
    assert promise.sentence == "Dana Whitfield is off until Nov 26. Kofi Mensah covers."


def test_reassigning_moves_an_open_promise_to_the_new_owner(cast):
    kofi = with_backup(cast)
    take_ben(cast)

    lead_offers.reassign_lead(
        lead_id=cast.ben.pk, officer_id=kofi.pk, by=cast.ruth, at=make.NOON + MINUTE / 2
    )

    assert Promise.objects.get(lead=cast.ben).officer == kofi
