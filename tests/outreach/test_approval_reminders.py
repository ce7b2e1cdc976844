"""Approvals that end: the reminders before, and the messages blocked after."""

import pytest

from rooftree.flow.tick_schedule import notify_expiring_approvals
from rooftree.nurture import default_sequence, sequence_enrollment
from rooftree.nurture.models import Enrollment, Sequence
from rooftree.org.models import StaffNotice
from rooftree.outreach.messages import send
from rooftree.outreach.models import Message, Template
from rooftree.outreach.wording import version_approval
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
ENDS = make.NOON + 364 * make.DAY  # the default templates are a day old in these tests


@pytest.fixture
def lead():
    journey.set_up_company()
    make.officer("Dana Whitfield", licensed=("CA", "FL"))
    return journey.deliver(journey.create_website(), journey.form_post())


@pytest.fixture
def cora(lead):
    return make.user("compliance", name="Cora Lane")


def notices_to(user):
    rows = StaffNotice.objects.filter(user=user, kind="approval_ends").order_by("at", "link")
    return [(row.link, row.text) for row in rows]


def test_queued_message_stops_when_template_approval_is_withdrawn(lead, cora):
    message = Message.objects.filter(lead=lead, medium="email", direction="out").first()
    Message.objects.filter(pk=message.pk).update(
        state="held", due_at=journey.later(30), verdict=None, sent_at=None
    )
    version_approval.withdraw_version(
        message.template, by=cora, reason="A complaint", at=journey.later(20)
    )

    send.deliver_messages([message.pk], at=journey.later(30))

    message.refresh_from_db()
    assert (message.state, message.sent_at) == ("blocked", None)
    assert message.verdict.reason == "wording_not_approved"
    assert message.problem == "The approval of this wording has expired."


def test_queued_message_is_sent_while_template_is_approved(lead):
    message = Message.objects.filter(lead=lead, medium="email", direction="out").first()
    assert message.state in ("sent", "delivered")
    assert message.verdict.facts["wording_until"] == message.template.approved_until.isoformat()


def test_sequence_without_approval_sends_no_step(lead, cora):
    sequence_enrollment.enroll_lead(lead_id=lead.pk, key=default_sequence.NOT_REACHED, at=make.NOON)
    sequence = Sequence.objects.get()
    version_approval.withdraw_version(sequence, by=cora, reason="Too many", at=journey.later(10))

    journey.run(journey.later(30))

    assert not Message.objects.filter(idempotency_key__startswith="step:").exists()
    assert Enrollment.objects.get().end_reason == "its approval is over"
    assert sequence_enrollment.enroll_lead(
        lead_id=lead.pk, key=default_sequence.NOT_REACHED, at=journey.later(40)
    ) is None  # fmt: skip


def test_approvers_are_reminded_a_month_week_and_day_before_and_at_end(cora):
    notify_expiring_approvals(ENDS - 31 * make.DAY)
    assert notices_to(cora) == []

    for days in (30, 30, 29, 7, 6, 1):
        notify_expiring_approvals(ENDS - days * make.DAY)
    assert [link for link, _ in notices_to(cora)] == ["/sequences/", "/wording/"] * 3
    assert "ends on November 22. Renew it before then" in notices_to(cora)[0][1]
    assert f"and {Template.objects.count() - 1} more ends on" in notices_to(cora)[1][1]

    for minutes in (0, 10):
        notify_expiring_approvals(ENDS + minutes * make.MINUTE)
    assert [text.partition(" is ")[2] for _, text in notices_to(cora)[6:]] == [
        "over. Nothing automatic is sent with it."
    ] * 2


def test_last_approver_is_reminded_while_still_an_approver(cora):
    olga = make.user("compliance", name="Olga")
    live = Template.objects.filter(key="help_answer", language="en").get()
    copy = version_approval.copy_as_draft(live)
    version_approval.propose_version(
        copy, by=make.user("marketing"), summary="Again", check=lambda _: [], at=make.NOON
    )
    soon = make.NOON + 40 * make.DAY
    version_approval.approve_version(copy, by=olga, until=soon, check=lambda _: [], at=make.NOON)

    notify_expiring_approvals(soon - 20 * make.DAY)

    assert len(notices_to(olga)) == 1
    assert notices_to(cora) == []


def test_proposal_notifies_approvers_and_decision_notifies_author(cora):
    mia = make.user("marketing", name="Mia Park")
    draft = version_approval.copy_as_draft(Template.objects.get(key="help_answer", language="en"))
    proposed = version_approval.propose_version(
        draft, by=mia, summary="Again", check=lambda _: [], at=make.NOON
    )
    version_approval.refuse_version(proposed, by=cora, reason="Too long", at=make.NOON)

    def heard(user):
        rows = StaffNotice.objects.filter(user=user, kind="edition")
        return [(row.text, row.link) for row in rows]

    there = f"/wording/editions/{proposed.pk}/"
    request_text = "Mia Park asks you to approve help_answer/text/en v2: Again"
    assert heard(cora) == [(request_text, there)]
    assert heard(mia) == [("Cora Lane refused help_answer/text/en v2: Too long", there)]
