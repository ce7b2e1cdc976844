"""Not reached, written to, answered; and a rate somebody waited for."""

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
    journey.ready()
    return make.officer("Dana Whitfield", licensed=("CA", "FL"))


@pytest.fixture
def lead(dana):
    arrived = journey.deliver(journey.website(), journey.form_post())
    make.ownership(arrived, dana) if arrived.officer_id is None else None
    return Lead.objects.get(pk=arrived.pk)


def test_a_borrower_who_was_not_reached_is_written_to_half_an_hour_later(lead, dana):
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="no_answer", by=dana.user, at=journey.later(2)
    )

    journey.run(journey.later(31))
    assert len(journey.texts(lead)) == 1  # the first hello alone
    journey.run(journey.later(33))

    assert len(journey.texts(lead)) == 2
    assert dana.nmls_id in journey.texts(lead)[1].body


def test_the_same_tap_twice_is_one_attempt_and_one_sequence(lead, dana):
    for _ in range(2):
        call_outcomes.record_outcome(
            lead_id=lead.pk, result="voicemail", by=dana.user, at=journey.later(2), cause="tap:1"
        )

    assert lead.attempts.filter(medium="call").count() == 1
    assert Enrollment.objects.filter(lead=lead).count() == 1


def test_a_reply_stops_the_sequence_and_waits_unread_for_the_officer(lead, dana):
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

    assert Enrollment.objects.get(lead=lead).ended_because == "replied"
    assert len(journey.texts(lead)) == 1
    assert Message.objects.get(lead=lead, direction="in").read_at is None
    assert dana.user.notices.filter(kind="reply").count() == 1


def test_words_that_may_mean_stop_hold_every_automatic_message_until_a_person_looks(lead, dana):
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
    observe(at=journey.later(2880))
    journey.run(journey.later(2880))

    alert = Message.objects.get(lead=lead, medium="text", cause__startswith="watch:")
    assert alert.state in ("review", "blocked")


def test_a_wrong_number_is_unlinked_and_not_called_again(lead, dana):
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="wrong_number", by=dana.user, at=journey.later(2)
    )

    assert Phone.objects.get(e164="+18135550142").unlinked_at == journey.later(2)
    journey.run(journey.later(60))
    assert len(journey.texts(lead)) == 1


def test_a_rate_at_the_target_tells_the_borrower_once_and_the_officer(lead, dana):
    rate_watch.set_watch(
        lead=lead, product="30yr_fixed", target_pct=Decimal("6.000"), by=None, at=make.NOON
    )

    observe(at=journey.later(2880))
    observe(at=journey.later(2890))
    journey.run(journey.later(2900))

    alerts = Message.objects.filter(lead=lead, cause__startswith="watch:")
    assert {alert.medium for alert in alerts} == {"text", "email"}
    letter = alerts.get(medium="email")
    assert letter.state == "sent"
    assert "5.990% (APR 6.120%)" in letter.body
    assert dana.user.notices.filter(kind="rate").count() == 1


def test_a_rate_above_the_target_tells_nobody(lead):
    rate_watch.set_watch(
        lead=lead, product="30yr_fixed", target_pct=Decimal("5.500"), by=None, at=make.NOON
    )

    observe(at=journey.later(2880))
    journey.run(journey.later(2890))

    assert not Message.objects.filter(cause__startswith="watch:").exists()


def observe(*, at) -> None:
    rate_alerts.record_rate(
        product="30yr_fixed",
        rate_pct=Decimal("5.990"),
        apr_pct=Decimal("6.120"),
        points=Decimal("0.500"),
        sheet="House sheet",
        by=None,
        at=at,
    )


def test_a_talk_that_the_officer_taps_moves_the_score(lead, dana):
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="no_answer", by=dana.user, at=journey.later(2)
    )
    before = Lead.objects.get(pk=lead.pk).score

    call_outcomes.record_outcome(
        lead_id=lead.pk, result="spoken", by=dana.user, at=journey.later(40)
    )

    assert Lead.objects.get(pk=lead.pk).score > before
