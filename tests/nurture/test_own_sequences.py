"""Sequences of the lender's own: who starts, who goes first, the ceiling, pauses and moves."""

from datetime import timedelta

import pytest

from rooftree.leads.models import Lead, Loan, Milestone, Task
from rooftree.nurture import (
    default_sequence,
    due_steps,
    lead_facts,
    sequence_enrollment,
    sequence_starts,
    sequence_switches,
    step_conditions,
)
from rooftree.nurture.models import Enrollment, EnrollmentStep, Sequence
from rooftree.org.models import StaffNotice
from rooftree.outreach.models import Message
from rooftree.outreach.wording.version_approval import MAX_APPROVAL
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
MAIL = {"kind": "message", "media": ["email"], "template": "not_reached_1", "after_minutes": 5}
WAIT = {"kind": "wait", "after_minutes": 5}
DAY = timedelta(days=1)


@pytest.fixture
def lead():
    journey.set_up_company()
    make.officer("Dana Whitfield", licensed=("CA", "FL"))
    return journey.deliver(journey.create_website(), journey.form_post())


def sequence(key, steps, *, version=1, at=make.NOON - DAY, **rules):
    Sequence.objects.filter(key=key, until_at=None).update(until_at=at)
    return Sequence.objects.create(
        key=key, name=key.capitalize(), version=version, steps=steps, rules=rules, summary="x",
        written_at=at, decided_at=at, from_at=at, approved_until=at + MAX_APPROVAL,
    )  # fmt: skip


def enroll(lead, key, at=make.NOON):
    return sequence_enrollment.start_sequence(lead_id=lead.pk, key=key, by=None, at=at)


def reasons():
    return list(
        Enrollment.objects.order_by("started_at", "pk").values_list("end_reason", flat=True)
    )


def test_every_condition_reads_the_same_for_one_lead_and_over_all(lead):
    Lead.objects.filter(pk=lead.pk).update(
        score=61, amount_cents=350_000_99, loan_type="va", timeline="", credit_band="good",
        first_conversation_at=make.NOON,
    )  # fmt: skip
    at = make.NOON + 30 * DAY
    row = Lead.objects.select_related("person", "source").get(pk=lead.pk)
    facts = lead_facts.load_facts(row, at)
    conditions = [
        *(f"{sign}{flag}" for flag in step_conditions.FLAGS for sign in ("", "not ")),
        *(f"{word} {fact}" for fact in lead_facts.COLUMNS for word in ("has", "no")),
        *("has amount", "no amount", "has days_since_inquiry", "no days_since_inquiry"),
        *(f"state {test} {lead.property_state}, ga" for test in ("is", "is not")),
        *(f"timeline {test} asap" for test in ("is", "is not")),
        *(f"source {test} {row.source.slug}" for test in ("is", "is not")),
        *(f"{fact} {test} {number}" for test in ("at least", "at most") for fact, number in (
            ("score", 60), ("score", 61), ("score", 62), ("amount", 350_000), ("amount", 350_001),
            ("amount", 349_999), ("days_since_inquiry", 29), ("days_since_inquiry", 30),
            ("days_since_inquiry", 31))),
    ]  # fmt: skip
    for text in conditions:
        clauses = step_conditions.parse_condition(text)
        over_all = Lead.objects.filter(lead_facts.leads_that_fit(clauses, at), pk=lead.pk).exists()
        assert step_conditions.condition_holds(clauses, facts) is over_all, text


def test_higher_priority_takes_the_place_and_a_lower_one_waits(lead):
    for key, priority in (("low", 10), ("mid", 50), ("high", 90)):
        sequence(key, [MAIL, WAIT], priority=priority)
    enroll(lead, "mid")
    due_steps.queue_due_steps(at=journey.later(5))
    for key in ("low", "mid"):
        with pytest.raises(sequence_enrollment.CannotEnroll, match="on a sequence already"):
            enroll(lead, key)

    twin = journey.deliver(
        journey.create_website(slug="b", name="B"),
        journey.form_post(first_name="Ana", phone="(813) 555-0166", email="ana@home.example"),
        at=journey.later(1),
    )
    Lead.objects.filter(pk=twin.pk).update(person=lead.person)
    with pytest.raises(sequence_enrollment.CannotEnroll, match="through another lead"):
        enroll(twin, "mid")
    enroll(twin, "high", at=journey.later(6))

    assert reasons() == ["replaced by High", ""]
    assert Message.objects.get(idempotency_key__startswith="step:").state == "cancelled"


def test_branches_tasks_alerts_and_moves_happen_once(lead):
    sequence("after", [WAIT])
    sequence(
        "plan",
        [
            {"kind": "call_task", "after_minutes": 1,
             "words": {"en": "Call {{ borrower.first_name }}, {{ officer.phone }}"}},
            {"kind": "officer_alert", "after_minutes": 1, "words": {"en": "Look at this lead"}},
            {**MAIL, "if": "replied"},
            {"kind": "branch", "if": "not replied", "then": "move:after", "after_minutes": 0},
        ],
    )  # fmt: skip
    make.ownership(lead, make.officer("Ana Cruz", nmls_id="77", licensed=("FL",)))
    enroll(lead, "plan")
    for minutes in range(30):
        due_steps.queue_due_steps(at=journey.later(minutes))

    assert Task.objects.get(kind="sequence:plan").title.startswith("Call Ben, (")
    assert StaffNotice.objects.filter(kind="sequence").count() == 1
    steps = EnrollmentStep.objects.order_by("at").values_list("outcome", flat=True)
    assert list(steps) == ["done", "done", "skipped", "ended", "passed"]
    assert reasons() == ["moved to after", "finished"]
    assert not Message.objects.filter(idempotency_key__startswith="step:").exists()


def test_one_person_gets_three_sequence_messages_a_day(lead):
    sequence("many", [MAIL] * 5)
    enroll(lead, "many")
    for minutes in range(0, 60 * 24, 30):
        due_steps.queue_due_steps(at=journey.later(minutes))
    mails = Message.objects.filter(idempotency_key__startswith="step:").order_by("created_at")

    assert mails.count() == 5
    days = [mail.created_at.astimezone(make.NOON.tzinfo).date() for mail in mails]
    assert days.count(days[0]) == 3
    assert mails[3].created_at.date() == (make.NOON + DAY).date()


def test_a_reply_can_leave_a_sequence_running_but_not_its_waiting_messages(lead):
    sequence("stay", [MAIL, WAIT], ends_on=["talked"])
    enroll(lead, "stay")
    due_steps.queue_due_steps(at=journey.later(5))

    assert not sequence_enrollment.stop_sequence(
        lead_id=lead.pk, because="replied", at=journey.later(6)
    )
    assert Message.objects.get(idempotency_key__startswith="step:").state == "cancelled"
    assert sequence_enrollment.stop_sequence(lead_id=lead.pk, because="spoken", at=journey.later(7))


def test_paused_people_wait_and_go_on_with_the_time_that_was_left(lead):
    mia = make.user("marketing")
    sequence("pausing", [WAIT, WAIT])
    row = enroll(lead, "pausing")
    sequence_switches.pause_sequence("pausing", by=mia, at=journey.later(2))
    assert due_steps.queue_due_steps(at=journey.later(100)) == 0
    for _ in range(2):
        sequence_switches.resume_sequence("pausing", by=mia, at=journey.later(102))
    row.refresh_from_db()
    assert row.due_at == journey.later(105)
    sequence_switches.retire_sequence("pausing", by=mia, at=journey.later(103))
    assert due_steps.queue_due_steps(at=journey.later(105)) == 1


def test_people_move_to_a_newer_version_where_they_stand(lead):
    old = sequence("moving", [{**WAIT, "id": "a"}, {**WAIT, "id": "b"}, {**WAIT, "id": "c"}])
    row = enroll(lead, "moving")
    due_steps.queue_due_steps(at=journey.later(5))
    new = sequence(
        "moving", [{**WAIT, "id": "a"}, {**WAIT, "id": "x"}, {**WAIT, "id": "c"}], version=2
    )
    due_at = Enrollment.objects.get(pk=row.pk).due_at
    assert sequence_switches.preview_move(old, at=journey.later(6)).lines == ((1, 2, 1),)
    moved = [
        sequence_switches.move_people(old, by=make.user("marketing"), at=journey.later(6))
        for _ in range(2)
    ]
    assert moved == [1, 0]
    live = Enrollment.objects.get(ended_at=None)
    assert (live.sequence, live.next_step, live.due_at) == (new, 2, due_at)
    assert reasons() == ["moved to v2", ""]


def test_each_start_finds_its_leads_once(lead):
    at = make.NOON + timedelta(minutes=1)
    loan = Loan.objects.create(
        lead=lead, los="encompass", instance="a", los_loan_id="1", created_at=at,
        funded_date=(at - 364 * DAY).date(),
    )  # fmt: skip
    Milestone.objects.create(loan=loan, code="docs_out", reached_at=at, recorded_at=at)
    rules = {
        "created": {"start": "lead_created", "audience": "state is FL"},
        "elsewhere": {"start": "lead_created", "audience": "state is TX"},
        "stage": {"start": "milestone", "milestone": "docs_out"},
        "yearly": {"start": "funded_date", "start_days": 365},
        "quiet": {"start": "gone_cold", "start_days": 30},
        "fitting": {"start": "segment", "audience": "state is FL"},
    }
    days = {"created": 0, "elsewhere": 0, "stage": 0, "yearly": 1, "quiet": 31, "fitting": 40}
    for key, rule in rules.items():
        sequence(key, [WAIT], **rule)
        for _ in range(2):
            sequence_starts.enroll_due_leads(at=at + days[key] * DAY)
        due_steps.queue_due_steps(at=at + days[key] * DAY + timedelta(hours=1))
        sequence_starts.enroll_due_leads(at=at + days[key] * DAY + timedelta(hours=2))
    begun = Enrollment.objects.order_by("started_at").values_list("sequence__key", flat=True)
    assert list(begun) == ["created", "stage", "yearly", "quiet", "fitting"]
    assert set(reasons()) == {"finished"}


def test_audience_chooses_among_sequences_that_start_on_no_answer(lead):
    sequence_enrollment.ensure_first_sequence(at=make.NOON)
    sequence("texans", [WAIT], start="not_reached", audience="state is TX", priority=80)
    sequence("floridians", [WAIT], start="not_reached", audience="state is FL", priority=70)
    row = sequence_enrollment.enroll_for_event(lead_id=lead.pk, event="not_reached", at=make.NOON)
    assert row.sequence.key == "floridians"
    assert default_sequence.NOT_REACHED in dict(
        (pair[0].key, pair) for pair in sequence_enrollment.list_starting("not_reached", make.NOON)
    )
