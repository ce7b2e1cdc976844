"""An approval that ends: who is told before, and what does not go out after."""

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
ENDS = make.NOON + 364 * make.DAY  # what a company starts with is a day old in these tests


@pytest.fixture
def lead():
    journey.ready()
    make.officer("Dana Whitfield", licensed=("CA", "FL"))
    return journey.deliver(journey.website(), journey.form_post())


@pytest.fixture
def cora(lead):
    return make.user("compliance", name="Cora Lane")


def told(user):
    rows = StaffNotice.objects.filter(user=user, kind="approval_ends").order_by("at", "link")
    return [(row.link, row.text) for row in rows]


def test_a_message_in_line_stops_when_the_approval_of_its_wording_is_taken_away(lead, cora):
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


def test_the_same_message_goes_while_the_approval_is_in_force(lead):
    message = Message.objects.filter(lead=lead, medium="email", direction="out").first()
    assert message.state in ("sent", "delivered")
    assert message.verdict.facts["wording_until"] == message.template.approved_until.isoformat()


def test_no_step_is_sent_of_a_sequence_whose_approval_is_over(lead, cora):
    sequence_enrollment.enroll_lead(lead_id=lead.pk, key=default_sequence.NOT_REACHED, at=make.NOON)
    sequence = Sequence.objects.get()
    version_approval.withdraw_version(sequence, by=cora, reason="Too many", at=journey.later(10))

    journey.run(journey.later(30))

    assert not Message.objects.filter(cause__startswith="step:").exists()
    assert Enrollment.objects.get().ended_because == "its approval is over"
    assert sequence_enrollment.enroll_lead(
        lead_id=lead.pk, key=default_sequence.NOT_REACHED, at=journey.later(40)
    ) is None  # fmt: skip


def test_those_who_may_approve_hear_a_month_a_week_and_a_day_before_and_at_the_end(cora):
    notify_expiring_approvals(ENDS - 31 * make.DAY)
    assert told(cora) == []

    for days in (30, 30, 29, 7, 6, 1):
        notify_expiring_approvals(ENDS - days * make.DAY)
    assert [link for link, _ in told(cora)] == ["/sequences/", "/wording/"] * 3
    assert "ends on November 22. Renew it before then" in told(cora)[0][1]
    assert f"and {Template.objects.count() - 1} more ends on" in told(cora)[1][1]

    for minutes in (0, 10):
        notify_expiring_approvals(ENDS + minutes * make.MINUTE)
    assert [text.partition(" is ")[2] for _, text in told(cora)[6:]] == [
        "over. Nothing automatic is sent with it."
    ] * 2


def test_whoever_approved_it_is_told_while_they_may_approve(cora):
    olga = make.user("compliance", name="Olga")
    live = Template.objects.filter(key="help_answer", language="en").get()
    copy = version_approval.copy_as_draft(live)
    version_approval.propose_version(
        copy, by=make.user("marketing"), summary="Again", check=lambda _: [], at=make.NOON
    )
    soon = make.NOON + 40 * make.DAY
    version_approval.approve_version(copy, by=olga, until=soon, check=lambda _: [], at=make.NOON)

    notify_expiring_approvals(soon - 20 * make.DAY)

    assert len(told(olga)) == 1
    assert told(cora) == []


def test_a_proposal_reaches_those_who_decide_and_the_decision_its_author(cora):
    mia = make.user("marketing", name="Mia Park")
    draft = version_approval.copy_as_draft(Template.objects.get(key="help_answer", language="en"))
    one = version_approval.propose_version(
        draft, by=mia, summary="Again", check=lambda _: [], at=make.NOON
    )
    version_approval.refuse_version(one, by=cora, reason="Too long", at=make.NOON)

    def heard(user):
        rows = StaffNotice.objects.filter(user=user, kind="edition")
        return [(row.text, row.link) for row in rows]

    there = f"/wording/editions/{one.pk}/"
    asked = "Mia Park asks you to approve help_answer/text/en v2: Again"
    assert heard(cora) == [(asked, there)]
    assert heard(mia) == [("Cora Lane refused help_answer/text/en v2: Too long", there)]
