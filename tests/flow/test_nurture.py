"""Sequences for unreached borrowers, their replies, and rate alerts."""

from decimal import Decimal

import pytest

from rooftree.flow import borrower_replies, call_outcomes, rate_alerts
from rooftree.leads.models import Lead, Phone
from rooftree.nurture.models import Enrollment
from rooftree.outreach.models import Message
from rooftree.rates import rate_watch
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db


@pytest.fixture
def dana():
    journey.set_up_company()
    return make.officer("Dana Whitfield", licensed=("CA", "FL"))


@pytest.fixture
def lead(dana):
    new_lead = journey.deliver(journey.create_website(), journey.form_post())
    make.ownership(new_lead, dana) if new_lead.officer_id is None else None
    return Lead.objects.get(pk=new_lead.pk)


def test_unreached_borrower_gets_text_half_an_hour_later(lead, dana):
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="no_answer", by=dana.user, at=journey.later(2)
    )

    journey.run(journey.later(31))
    assert len(journey.sent_texts(lead)) == 1  # only the first response
    journey.run(journey.later(33))

    assert len(journey.sent_texts(lead)) == 2
    assert dana.nmls_id in journey.sent_texts(lead)[1].body


def test_repeated_tap_is_one_attempt_and_one_sequence(lead, dana):
    for _ in range(2):
        call_outcomes.record_outcome(
            lead_id=lead.pk, result="voicemail", by=dana.user, at=journey.later(2), cause="tap:1"
        )

    assert lead.attempts.filter(medium="call").count() == 1
    assert Enrollment.objects.filter(lead=lead).count() == 1


def test_reply_stops_sequence_and_waits_unread(lead, dana):
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="no_answer", by=dana.user, at=journey.later(2)
    )

    borrower_replies.receive_text(
        sender="+18135550142",
        body="Can we talk at 5?",
        carrier_id="SM1",
        carrier="twilio",
        at=journey.later(10),
    )
    journey.run(journey.later(3 * 24 * 60))

    assert Enrollment.objects.get(lead=lead).end_reason == "replied"
    assert len(journey.sent_texts(lead)) == 1
    assert Message.objects.get(lead=lead, direction="in").read_at is None
    assert dana.user.notices.filter(kind="reply").count() == 1


def test_possible_stop_holds_automatic_messages_until_review(lead, dana):
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="no_answer", by=dana.user, at=journey.later(2)
    )
    borrower_replies.receive_text(
        sender="+18135550142",
        body="I have to cancel Tuesday, can you do Wednesday",
        carrier_id="SM2",
        carrier="twilio",
        at=journey.later(5),
    )
    rate_watch.set_watch(
        lead=lead, product="30yr_fixed", target_pct=Decimal("6.000"), by=None, at=journey.later(6)
    )
    record_rate(at=journey.later(2880))
    journey.run(journey.later(2880))

    alert = Message.objects.get(lead=lead, medium="text", idempotency_key__startswith="watch:")
    assert alert.state in ("review", "blocked")


def test_wrong_number_is_unlinked_and_not_contacted_again(lead, dana):
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="wrong_number", by=dana.user, at=journey.later(2)
    )

    assert Phone.objects.get(e164="+18135550142").unlinked_at == journey.later(2)
    journey.run(journey.later(60))
    assert len(journey.sent_texts(lead)) == 1


def test_rate_at_target_alerts_borrower_once_and_officer(lead, dana):
    rate_watch.set_watch(
        lead=lead, product="30yr_fixed", target_pct=Decimal("6.000"), by=None, at=make.NOON
    )

    record_rate(at=journey.later(2880))
    record_rate(at=journey.later(2890))
    journey.run(journey.later(2900))

    alerts = Message.objects.filter(lead=lead, idempotency_key__startswith="watch:")
    assert {alert.medium for alert in alerts} == {"text", "email"}
    letter = alerts.get(medium="email")
    assert letter.state == "sent"
    assert "5.990% (APR 6.120%)" in letter.body
    assert dana.user.notices.filter(kind="rate").count() == 1


def test_rate_above_target_sends_no_alert(lead):
    rate_watch.set_watch(
        lead=lead, product="30yr_fixed", target_pct=Decimal("5.500"), by=None, at=make.NOON
    )

    record_rate(at=journey.later(2880))
    journey.run(journey.later(2890))

    assert not Message.objects.filter(idempotency_key__startswith="watch:").exists()


def record_rate(*, at) -> None:
    rate_alerts.record_rate(
        product="30yr_fixed",
        rate_pct=Decimal("5.990"),
        apr_pct=Decimal("6.120"),
        points=Decimal("0.500"),
        sheet="House sheet",
        by=None,
        at=at,
    )


def test_spoken_outcome_raises_score(lead, dana):
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="no_answer", by=dana.user, at=journey.later(2)
    )
    before = Lead.objects.get(pk=lead.pk).score

    call_outcomes.record_outcome(
        lead_id=lead.pk, result="spoken", by=dana.user, at=journey.later(40)
    )

    assert Lead.objects.get(pk=lead.pk).score > before
