"""Grounds for returning a lead: its facts against the reasons its contract accepts."""

from datetime import timedelta

import pytest

from rooftree.money.return_grounds import (
    REASON_LABELS,
    ArrivalFacts,
    EarlierPurchase,
    ReturnReason,
    ReturnTerms,
    WrongNumberReport,
    find_ground,
)
from tests import make

BEN, ANA = "+18135550142", "+18135550143"
LATER = make.NOON + make.DAY
EVERYTHING = ReturnTerms(reasons=frozenset(REASON_LABELS), duplicate_days=30)


def before(days: float, **changes) -> EarlierPurchase:
    return EarlierPurchase(
        **{
            "at": make.NOON - timedelta(days=days),
            "source": "Zillow",
            "is_same_source": True,
            "cents": 65_50,
            "vendor_lead_id": "LC-7",
            "matched_by": "same phone, same name",
            **changes,
        }
    )


def reason(terms=EVERYTHING, **facts) -> str:
    ground = find_ground(ArrivalFacts(arrived_at=make.NOON, **facts), terms)
    return ground.reason.value if ground else ""


def test_lead_without_problems_is_not_returned():
    assert reason(numbers=(BEN,), emails=("ben@home.example",), state="FL") == ""


def test_phone_is_invalid_when_carrier_reports_every_number():
    assert reason(numbers=(BEN,), disconnected_numbers={BEN: LATER}) == "invalid_phone"
    assert reason(numbers=(BEN, ANA), disconnected_numbers={BEN: LATER}) == ""
    assert (
        reason(numbers=(BEN, ANA), disconnected_numbers={BEN: LATER, ANA: LATER}) == "invalid_phone"
    )


def test_unreadable_number_counts_only_without_another_number():
    assert reason(unreadable_numbers=("813-555",)) == "invalid_phone"
    assert reason(unreadable_numbers=("813-555",), numbers=(BEN,)) == ""
    assert reason() == ""


def test_wrong_number_counts_when_no_other_number_works():
    wrong = {BEN: WrongNumberReport(at=LATER, by="Dana Whitfield")}
    assert reason(numbers=(BEN,), wrong_numbers=wrong) == "wrong_number"
    assert reason(numbers=(BEN, ANA), wrong_numbers=wrong) == ""
    assert (
        reason(numbers=(BEN, ANA), wrong_numbers=wrong, disconnected_numbers={ANA: LATER})
        == "wrong_number"
    )


@pytest.mark.parametrize(("days", "is_duplicate"), [(29.9, True), (30, True), (30.1, False)])
def test_duplicate_counts_within_agreed_days(days, is_duplicate):
    assert (reason(earlier_purchases=(before(days),)) == "duplicate") == is_duplicate


def test_lead_bought_from_another_vendor_is_a_separate_reason():
    elsewhere = before(3, is_same_source=False)
    assert reason(earlier_purchases=(elsewhere,)) == "bought_before"
    duplicates_only = ReturnTerms(reasons={ReturnReason.DUPLICATE}, duplicate_days=30)
    assert reason(duplicates_only, earlier_purchases=(elsewhere,)) == ""
    assert reason(duplicates_only, earlier_purchases=(elsewhere, before(9))) == "duplicate"


def test_area_is_licensed_states_unless_states_were_ordered():
    ordered = ReturnTerms(reasons={ReturnReason.OUT_OF_AREA}, states=("FL", "TX"))
    assert reason(state="NV", is_licensed=False) == "out_of_area"
    assert reason(state="NV", is_licensed=True) == ""
    assert reason(ordered, state="NV", is_licensed=True) == "out_of_area"
    assert reason(ordered, state="FL", is_licensed=False) == "out_of_area"
    assert reason(ordered, state="FL") == ""
    assert reason(ordered, state="", is_licensed=True) == ""  # state unknown


def test_email_is_invalid_when_every_address_bounced():
    both = ("ben@home.example", "ben@work.example")
    assert reason(emails=both, bounced_emails={both[0]: LATER}) == ""
    assert reason(emails=both, bounced_emails=dict.fromkeys(both, LATER)) == "invalid_email"


def test_best_proven_accepted_reason_is_used():
    facts = {
        "numbers": (BEN,),
        "disconnected_numbers": {BEN: LATER},
        "state": "NV",
        "is_licensed": False,
    }
    assert reason(**facts) == "invalid_phone"
    assert reason(ReturnTerms(reasons={ReturnReason.OUT_OF_AREA}), **facts) == "out_of_area"
    assert reason(ReturnTerms(reasons=()), **facts) == ""


def test_each_reason_has_a_sentence_and_evidence():
    evidence_by_sentence = {
        ground.sentence: dict(ground.evidence)
        for facts in (
            {"numbers": (BEN,), "disconnected_numbers": {BEN: LATER}},
            {
                "numbers": (BEN,),
                "wrong_numbers": {BEN: WrongNumberReport(at=LATER, by="Dana Whitfield")},
            },
            {"numbers": (BEN,), "wrong_numbers": {BEN: WrongNumberReport(at=LATER)}},
            {"earlier_purchases": (before(3),)},
            {"state": "NV", "is_licensed": False},
            {"emails": ("ben@home.example",), "bounced_emails": {"ben@home.example": LATER}},
        )
        if (ground := find_ground(ArrivalFacts(arrived_at=make.NOON, **facts), EVERYTHING))
    }
    assert list(evidence_by_sentence) == [
        "The carrier reported on Nov 24, 2026 that (813) 555-0142 is not in service.",
        "On Nov 24, 2026 our loan officer reached another person at (813) 555-0142.",
        "On Nov 24, 2026 the person at (813) 555-0142 replied that it is the wrong number.",
        "You delivered the same person on Nov 20, 2026 as lead LC-7, and we paid for it.",
        "The property is in NV, where we have no license.",
        "Email to ben@home.example bounced on Nov 24, 2026.",
    ]
    assert all(evidence_by_sentence.values())
    assert "Dana" not in " ".join(
        evidence_by_sentence
    )  # the vendor need not know the officer's name
