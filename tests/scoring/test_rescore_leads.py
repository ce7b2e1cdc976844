import pytest

from rooftree.leads.models import ContactAttempt, Lead, Signal
from rooftree.ledger.models import Event
from rooftree.scoring.models import Score
from rooftree.scoring.rescore_leads import replay_score, rescore_lead
from tests import make

pytestmark = pytest.mark.django_db


def signal(lead, kind, at=make.NOON):
    return Signal.objects.create(
        lead=lead, kind=kind, idempotency_key=f"test:{make.number()}", at=at
    )


def test_score_is_stored_with_reasons_and_shown_on_lead(cast):
    score = rescore_lead(lead_id=cast.ben.pk, because="touch", at=make.NOON)

    lead = Lead.objects.get(pk=cast.ben.pk)
    assert (lead.score, lead.score_reasons, lead.scored_at) == (
        score.points,
        score.reasons,
        make.NOON,
    )
    event = Event.objects.get(kind="scoring.lead.scored")
    assert (event.lead_id, event.data["points"]) == (lead.pk, score.points)
    assert replay_score(score).points == score.points


def test_reply_raises_the_score_with_reason(cast):
    before = rescore_lead(lead_id=cast.ben.pk, because="touch", at=make.NOON)
    signal(cast.ben, "replied")

    after = rescore_lead(lead_id=cast.ben.pk, because="replied", at=make.NOON + make.MINUTE)

    assert after.points == before.points + 15
    assert after.reasons[0] == {"text": "Replied", "points": 15}


def test_rescoring_without_change_keeps_the_score(cast):
    first = rescore_lead(lead_id=cast.ben.pk, because="touch", at=make.NOON)
    second = rescore_lead(lead_id=cast.ben.pk, because="touch", at=make.NOON + make.MINUTE)

    assert first == second
    assert Score.objects.count() == 1


def test_features_come_from_record_and_behavior(cast):
    Lead.objects.filter(pk=cast.ben.pk).update(
        details={"channel": "marketplace", "signed_contract": True},
        down_payment_cents=100_000_00,
    )
    make.touch(cast.ben)
    make.touch(cast.ben)
    ContactAttempt.objects.create(
        lead=cast.ben, person=cast.ben.person, medium="call", result="spoken", at=make.NOON,
        idempotency_key="call:1",
    )  # fmt: skip
    signal(cast.ben, "replied", at=make.NOON - 40 * make.DAY)

    features = rescore_lead(lead_id=cast.ben.pk, because="touch", at=make.NOON).features

    expected = {
        "source_class": "marketplace",
        "signed_contract": True,
        "down_payment_share_pct": "20.000",
        "is_repeat": True,
        "answered": 1,
        "replied": 0,  # too long ago
        "days_quiet": 0,
    }
    assert {key: features[key] for key in expected} == expected


def test_inactivity_lowers_the_score(cast):
    first = rescore_lead(lead_id=cast.ben.pk, because="touch", at=make.NOON)
    later = rescore_lead(lead_id=cast.ben.pk, because="night", at=make.NOON + 40 * make.DAY)

    assert later.points < first.points
    assert "Inactive for more than a month" in {reason["text"] for reason in later.reasons}
