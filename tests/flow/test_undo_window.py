"""Ten seconds of undo after an outcome: everything is put back, or its consequences start."""

import pytest

from rooftree.compliance.models import CreditClock, Revocation
from rooftree.db.db_role import assume_role
from rooftree.flow import call_events, call_outcomes, undo_window
from rooftree.leads import lead_tasks
from rooftree.leads.models import ContactAttempt, Lead, Task, UndoableAct
from rooftree.ledger.models import Event
from rooftree.nurture import default_sequence, sequence_enrollment
from rooftree.nurture.models import Enrollment
from rooftree.org.models import Company
from rooftree.outreach.models import Message
from rooftree.reporting.models import RollupDelta
from tests import make

pytestmark = pytest.mark.django_db
TAP = make.NOON + make.MINUTE
IN_TIME, SETTLED = TAP + 9 * make.SECOND, TAP + 13 * make.SECOND


@pytest.fixture
def lead(cast):
    sequence_enrollment.ensure_first_sequence(at=make.NOON)
    lead = make.lead(
        officer=cast.dana,
        source=make.source("website_form"),
        response_due_at=make.NOON + make.HOUR,
    )
    make.touch(lead)
    return lead


def tap(lead, cast, result, at=TAP, **more):
    call_outcomes.record_outcome(
        lead_id=lead.pk, result=result, by=cast.dana.user, at=at, can_undo=True, **more
    )
    return UndoableAct.objects.filter(lead=lead).latest("at")


def undo(act, cast, at=IN_TIME):
    undo_window.undo_act(act.pk, by=cast.dana.user, at=at)


def state_of(lead):
    """Return everything that an outcome can change, as rows."""
    return {
        "lead": Lead.objects.filter(pk=lead.pk).values(
            *("state", "response_due_at", "first_attempt_at", "first_conversation_at"),
            *("retired_at", "retired_reason", "score"),
        )[0],
        "attempts": _rows(ContactAttempt.objects.filter(lead=lead), "result"),
        "tasks": _rows(Task.objects.filter(lead=lead, done_at=None, canceled_at=None), "due_at"),
        "enrollments": _rows(Enrollment.objects.filter(lead=lead), "ended_at", "due_at"),
        "messages": _rows(Message.objects.filter(lead=lead), "state", "due_at"),
        "stops": Revocation.objects.count(),
        "clocks": CreditClock.objects.count(),
        "counted": sorted(_sums(lead).items()),
    }


def _rows(records, *fields):
    return list(records.order_by("pk").values("pk", *fields))


def _sums(lead):
    sums = {}
    for delta in RollupDelta.objects.filter(idempotency_key__startswith=str(lead.pk)):
        sums[delta.measure] = sums.get(delta.measure, 0) + delta.amount
    return {measure: amount for measure, amount in sums.items() if amount}


@pytest.fixture
def worked_lead(cast, lead):
    """A lead with an agreed callback, a running sequence and a greeting held for the morning."""
    callback = lead_tasks.SystemTask(
        kind=lead_tasks.CALL_BACK, title="Call back", due_at=TAP, user_id=cast.dana.user.pk
    )
    lead_tasks.add_or_update_task(callback, lead_id=lead.pk, at=make.NOON)
    sequence_enrollment.enroll_lead(lead_id=lead.pk, key=default_sequence.NOT_REACHED, at=make.NOON)
    for cause, due_at in (("touch:1", TAP + make.HOUR), ("watch:1", TAP + make.SECOND)):
        with assume_role("door"):
            Message.objects.create(
                lead=lead,
                person=lead.person,
                medium="text",
                purpose="marketing",
                idempotency_key=cause,
                to_address="+18135550142",
                body="Hello",
                state="held",
                due_at=due_at,
                created_at=make.NOON,
            )
    return lead


RESULTS = [key for key in call_outcomes.RESULTS if key != "call_back"]


@pytest.mark.parametrize("result", RESULTS)
def test_undone_outcome_leaves_lead_tasks_sequence_and_messages_as_before(
    cast, worked_lead, result
):
    before = state_of(worked_lead)

    act = tap(worked_lead, cast, result)
    assert state_of(worked_lead) != before
    undo(act, cast)
    undo_window.settle_due_acts(at=SETTLED)

    assert state_of(worked_lead) == before
    kinds = Event.objects.filter(lead_id=worked_lead.pk).values_list("kind", flat=True)
    assert {"flow.attempt.recorded", "flow.attempt.undone"} <= set(kinds)


@pytest.mark.parametrize("result", RESULTS)
def test_settled_outcome_ends_as_one_without_undo(cast, result):
    ends = []
    for can_undo in (True, False):
        lead = make.lead(officer=cast.dana)
        call_outcomes.record_outcome(
            lead_id=lead.pk, result=result, by=cast.dana.user, at=TAP, can_undo=can_undo
        )
        undo_window.settle_due_acts(at=SETTLED)
        lead.refresh_from_db()
        ends.append(
            (
                *(lead.state, lead.retired_reason, lead.first_attempt_at, lead.score),
                ContactAttempt.objects.get(lead=lead).result,
                Enrollment.objects.filter(lead=lead, ended_at=None).count(),
                Revocation.objects.filter(person=lead.person).count(),
                [clock.began_on for clock in CreditClock.objects.filter(lead=lead)],
                _sums(lead),
            )
        )

    assert ends[0] == ends[1]


def test_adverse_action_clock_and_wrong_number_wait_for_the_ten_seconds(cast, lead):
    tap(lead, cast, "told_no")
    tap(other := make.lead(officer=cast.dana), cast, "wrong_number")
    undo_window.settle_due_acts(at=IN_TIME)
    assert not CreditClock.objects.exists()
    assert not Revocation.objects.exists()

    undo_window.settle_due_acts(at=SETTLED)
    undo_window.settle_due_acts(at=SETTLED)

    assert CreditClock.objects.get(lead=lead).kind == "adverse_action"
    assert Revocation.objects.get(person=other.person).kind == "wrong_person"


def test_denial_just_before_midnight_counts_from_its_own_day(cast, lead):
    midnight = make.NOON.replace(hour=5) + make.DAY  # in New York
    tap(lead, cast, "told_no", at=midnight - 5 * make.SECOND)

    undo_window.settle_due_acts(at=midnight + 8 * make.SECOND)

    assert CreditClock.objects.get(lead=lead).began_on == make.NOON.date()


def test_no_automatic_message_goes_while_an_outcome_can_be_undone(cast, worked_lead):
    tap(worked_lead, cast, "wrong_number")

    due = Message.objects.filter(lead=worked_lead, due_at__lt=SETTLED - 2 * make.SECOND)
    assert not due.exists()


def test_outcome_after_a_dialed_call_is_taken_off_the_call(cast, lead):
    Company.objects.update(emergencies_checked_at=make.NOON, telemarketer_states=["FL"])
    call_events.start_call(lead_id=lead.pk, by=cast.dana.user, at=make.NOON)
    act = tap(lead, cast, "voicemail")

    undo(act, cast)

    attempt = ContactAttempt.objects.get(lead=lead)
    assert (attempt.result, attempt.result_at) == ("", None)
    tap(lead, cast, "spoken", at=SETTLED)
    attempt.refresh_from_db()
    assert attempt.result == "spoken"


def test_double_tap_and_double_undo_count_once(cast, lead):
    act = tap(lead, cast, "no_answer")
    assert tap(lead, cast, "no_answer", at=TAP + make.SECOND) == act

    undo(act, cast)
    undo(act, cast)

    assert not ContactAttempt.objects.filter(lead=lead).exists()
    assert Event.objects.filter(kind="flow.attempt.undone").count() == 1


def test_another_outcome_within_ten_seconds_replaces_the_first(cast, lead):
    tap(lead, cast, "no_answer")
    tap(lead, cast, "spoken", at=IN_TIME)
    undo_window.settle_due_acts(at=SETTLED + make.MINUTE)

    assert [row.result for row in ContactAttempt.objects.filter(lead=lead)] == ["spoken"]
    assert not Enrollment.objects.filter(lead=lead).exists()


def test_change_in_between_stays_when_the_outcome_is_undone(cast, lead):
    act = tap(lead, cast, "voicemail")
    Lead.objects.filter(pk=lead.pk).update(state="nurture", first_conversation_at=IN_TIME)

    undo(act, cast)

    lead.refresh_from_db()
    assert (lead.state, lead.first_conversation_at) == ("nurture", IN_TIME)
    assert lead.first_attempt_at is None


def test_undo_is_refused_once_settled_and_for_someone_elses_act(cast, lead):
    act = tap(lead, cast, "not_interested")
    with pytest.raises(undo_window.CannotUndo):
        undo_window.undo_act(act.pk, by=cast.sam.user, at=IN_TIME)

    undo_window.settle_due_acts(at=SETTLED)
    with pytest.raises(undo_window.CannotUndo, match="too late"):
        undo(act, cast, at=SETTLED)

    lead.refresh_from_db()
    assert lead.state == "retired"


def test_closed_windows_are_deleted_after_a_day(cast, lead):
    undo(tap(lead, cast, "voicemail"), cast)

    undo_window.settle_due_acts(at=TAP + 2 * make.DAY)

    assert not UndoableAct.objects.exists()
