import json
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import IntegrityError
from django.db.transaction import atomic
from hypothesis import given
from hypothesis import strategies as st

from rooftree.compliance.fair_lending import permitted_factors
from rooftree.compliance.gate.verdict import Decision
from rooftree.scoring.lead_score import (
    BASE_SCORE,
    CREDIT_POINTS,
    PURPOSE_POINTS,
    REVIEWED,
    SOURCE_POINTS,
    TIMELINE_POINTS,
    Features,
    score_features,
)
from rooftree.scoring.models import Score
from tests import make

CASES = Path(__file__).parent.parent / "compliance" / "cases.jsonl"
FEATURES = st.builds(
    Features,
    purpose=st.sampled_from(["", *PURPOSE_POINTS]),
    timeline=st.sampled_from(["", *TIMELINE_POINTS]),
    found_home=st.none() | st.booleans(),
    signed_contract=st.none() | st.booleans(),
    credit_band=st.sampled_from(["", *CREDIT_POINTS]),
    down_payment_share_pct=st.none() | st.decimals(0, 100, places=3),
    amount_cents=st.none() | st.integers(0, 10**9),
    source_class=st.sampled_from(["", "aggregator", *SOURCE_POINTS]),
    is_repeat=st.booleans(),
    replied=st.integers(0, 3),
    answered=st.integers(0, 3),
    days_quiet=st.integers(0, 400),
)


@given(FEATURES)
def test_reasons_add_up_to_the_score(features):
    scored = score_features(features)

    total = sum(reason.points for reason in scored.reasons)
    assert scored.points == min(100, max(0, total))
    assert all(reason.text and reason.points for reason in scored.reasons)


@given(FEATURES)
def test_same_features_give_the_same_score(features):
    assert score_features(features) == score_features(replace(features))


@given(FEATURES)
def test_more_interest_never_lowers_the_score(features):
    quiet = replace(features, replied=0, answered=0, is_repeat=False)

    for more in ({"replied": 1}, {"answered": 1}, {"is_repeat": True},
                 {"signed_contract": True}, {"days_quiet": 0}):  # fmt: skip
        assert score_features(replace(quiet, **more)).points >= score_features(quiet).points


def test_ready_buyer_scores_far_above_browser_with_reasons():
    ready = score_features(
        Features(
            purpose="purchase",
            timeline="0_30_days",
            signed_contract=True,
            credit_band="excellent",
            down_payment_share_pct=Decimal(20),
            amount_cents=400_000_00,
            source_class="referral",
        )
    )
    browsing = score_features(
        Features(timeline="no_timeframe", credit_band="poor", source_class="aggregator",
                 days_quiet=40)
    )  # fmt: skip

    assert (ready.points, browsing.points) == (92, 6)
    assert ready.reasons[0].text in {"Has a signed contract", "Wants to move within a month"}
    assert {reason.text for reason in browsing.reasons} >= {"Stated poor credit"}


def test_unknown_features_add_no_points():
    blank = score_features(Features(days_quiet=10))

    assert (blank.points, len(blank.reasons)) == (BASE_SCORE, 1)


@pytest.mark.parametrize("feature", [field.name for field in fields(Features)])
def test_every_feature_was_reviewed_for_fair_lending(feature):
    assert REVIEWED[feature]
    assert permitted_factors.check_factor(use="score", field=feature).decision is Decision.ALLOW


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["zip", "last_name", "age", "language", "shoe_size"])
def test_database_refuses_score_of_unreviewed_feature(field):
    lead = make.lead()
    columns = {"points": 1, "reasons": [], "version": "x", "reason": "test", "at": make.NOON}
    reviewed = dict.fromkeys(REVIEWED, "")

    with pytest.raises(IntegrityError, match="score_of_reviewed_facts"), atomic():
        Score.objects.create(lead=lead, features={**reviewed, field: "x"}, **columns)
    assert Score.objects.create(lead=lead, features=reviewed, **columns)


def test_no_feature_is_named_after_a_prohibited_fact():
    names = [field.name for field in fields(Features)]

    for word in ("zip", "city", "name", "age", "sex", "race", "language", "veteran", "military",
                 "county", "address", "email", "phone", "area", "marital", "child"):  # fmt: skip
        assert not [name for name in names if word in name.split("_")]


def test_features_agree_with_rulebook_cases():
    cases = [json.loads(line) for line in CASES.read_text().splitlines()]
    fair_lending = [case for case in cases if case["rule"] == "FLR-01"]
    scored = [case for case in fair_lending if case["given"].get("use") == "score"]

    assert scored
    for case in scored:
        if case["expect"]["decision"] != "allow":
            assert case["given"]["field"] not in REVIEWED, case["id"]
