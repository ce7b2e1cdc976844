"""Enrollment in sequences, the messages of their steps, and their end."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rooftree.leads.models import Lead
from rooftree.nurture import default_sequence, due_steps, sequence_approval, sequence_enrollment
from rooftree.nurture.models import Enrollment, Sequence
from rooftree.outreach.models import Message
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
KEY = default_sequence.NOT_REACHED


@pytest.fixture
def lead() -> Lead:
    journey.set_up_company()
    make.officer("Dana Whitfield", licensed=("CA", "FL"))
    return journey.deliver(journey.create_website(), journey.form_post())


def step_messages() -> list[tuple[str, str]]:
    rows = Message.objects.filter(idempotency_key__startswith="step:").order_by(
        "created_at", "medium"
    )
    return [(row.medium, row.state) for row in rows]


def propose_changed_sequence(**of_first):
    """Propose the default sequence with a changed first step."""
    first, *rest = default_sequence.STEPS
    draft = Sequence(key=KEY, name=default_sequence.NAME, steps=[{**first, **of_first}, *rest])
    return sequence_approval.propose_draft(
        draft, by=make.user("marketing"), summary="Sooner", at=make.NOON
    )


def test_lead_is_in_one_sequence_at_a_time(lead):
    first = sequence_enrollment.enroll_lead(lead_id=lead.pk, key=KEY, at=make.NOON)

    assert first.due_at == journey.later(30)
    assert sequence_enrollment.enroll_lead(lead_id=lead.pk, key=KEY, at=journey.later(1)) is None
    assert Enrollment.objects.count() == 1


def test_enrolling_twice_rolls_nothing_back(lead):
    """The driver forgets all prepared statements of a connection at a rollback."""
    sequence_enrollment.enroll_lead(lead_id=lead.pk, key=KEY, at=make.NOON)

    with CaptureQueriesContext(connection) as queries:
        sequence_enrollment.enroll_lead(lead_id=lead.pk, key=KEY, at=journey.later(1))

    assert [query for query in queries if query["sql"].startswith("ROLLBACK")] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "application"},
        {"state": "funded"},
        {"state": "retired"},
        {"is_test": True},
        {"first_conversation_at": make.NOON},
    ],
)
def test_ineligible_lead_is_not_enrolled(lead, changes):
    Lead.objects.filter(pk=lead.pk).update(**changes)

    assert sequence_enrollment.enroll_lead(lead_id=lead.pk, key=KEY, at=make.NOON) is None


def test_unknown_sequence_is_not_an_error(lead):
    assert sequence_enrollment.enroll_lead(lead_id=lead.pk, key="birthday", at=make.NOON) is None


def test_each_step_is_sent_once_and_last_one_finishes_sequence(lead):
    sequence_enrollment.enroll_lead(lead_id=lead.pk, key=KEY, at=make.NOON)

    journey.run(journey.later(29.9))
    assert step_messages() == []
    for minutes in (30, 31, 60):
        journey.run(journey.later(minutes))
    assert [medium for medium, _ in step_messages()] == ["email", "text"]

    for minutes in (30 + 3 * 24 * 60, 31 + 3 * 24 * 60):
        journey.run(journey.later(minutes))
    assert [medium for medium, _ in step_messages()] == ["email", "text", "email"]
    assert Enrollment.objects.get().end_reason == "finished"


def test_enrollment_keeps_version_it_started_with(lead):
    sequence_enrollment.enroll_lead(lead_id=lead.pk, key=KEY, at=make.NOON)
    sooner = propose_changed_sequence(after_minutes=1)
    sequence_approval.approve_draft(
        sooner, by=make.user("compliance"), until=make.NOON + make.DAY, at=journey.later(1)
    )

    journey.run(journey.later(30))

    assert len(step_messages()) == 2


def test_reached_lead_gets_no_sequence_messages(lead):
    sequence_enrollment.enroll_lead(lead_id=lead.pk, key=KEY, at=make.NOON)
    Lead.objects.filter(pk=lead.pk).update(first_conversation_at=journey.later(10))

    journey.run(journey.later(30))

    assert step_messages() == []
    assert Enrollment.objects.get().end_reason == "reached"


def test_stopping_sequence_cancels_only_its_own_messages(lead):
    sequence_enrollment.enroll_lead(lead_id=lead.pk, key=KEY, at=make.NOON)
    due_steps.queue_due_steps(at=journey.later(30))
    Message.objects.create(
        lead=lead,
        person=lead.person,
        medium="text",
        purpose="informational",
        idempotency_key="milestone:1:clear_to_close",
        to_address="+18135550142",
        body="Good news",
        created_at=make.NOON,
        due_at=journey.later(600),
    )

    assert sequence_enrollment.stop_sequence(
        lead_id=lead.pk, because="replied", at=journey.later(30)
    )
    assert not sequence_enrollment.stop_sequence(
        lead_id=lead.pk, because="replied", at=journey.later(31)
    )

    assert {state for _, state in step_messages()} == {"cancelled"}
    assert Message.objects.get(idempotency_key__startswith="milestone:").state == "waiting"


def test_broken_template_does_not_stop_other_medium_or_leads(lead):
    make.edition("not_reached_1", body="{{ nobody }}")
    other = journey.deliver(
        journey.create_website(slug="b", name="B"),
        journey.form_post(
            first_name="Ana", last_name="Reyes", phone="(813) 555-0166", email="ana@home.example"
        ),
        at=journey.later(1),
    )
    for enrolled_lead in (lead, other):
        sequence_enrollment.enroll_lead(lead_id=enrolled_lead.pk, key=KEY, at=make.NOON)

    journey.run(journey.later(30))

    assert [medium for medium, _ in step_messages()] == ["email", "email"]
    assert set(Enrollment.objects.values_list("next_step", flat=True)) == {1}


def test_default_sequence_is_created_once():
    for _ in range(2):
        sequence_enrollment.ensure_first_sequence(at=make.NOON)

    assert Sequence.objects.get().steps == default_sequence.STEPS
