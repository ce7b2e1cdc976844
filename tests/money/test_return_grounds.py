"""Why a lead may be given back: what is known of it against what its contract accepts."""

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
            "known_by": "same phone, same name",
            **changes,
        }
    )


def reason(agreed=EVERYTHING, **facts) -> str:
    found = find_ground(ArrivalFacts(arrived_at=make.NOON, **facts), agreed)
    return found.reason.value if found else ""


def test_a_lead_of_which_nothing_bad_is_known_is_kept():
    assert reason(numbers=(BEN,), emails=("ben@home.example",), state="FL") == ""


def test_a_number_is_invalid_when_the_carrier_says_so_of_each_of_them():
    assert reason(numbers=(BEN,), disconnected_numbers={BEN: LATER}) == "invalid_phone"
    assert reason(numbers=(BEN, ANA), disconnected_numbers={BEN: LATER}) == ""
    assert (
        reason(numbers=(BEN, ANA), disconnected_numbers={BEN: LATER, ANA: LATER}) == "invalid_phone"
    )


def test_what_cannot_be_a_number_is_invalid_only_when_no_other_number_was_given():
    assert reason(unreadable_numbers=("813-555",)) == "invalid_phone"
    assert reason(unreadable_numbers=("813-555",), numbers=(BEN,)) == ""
    assert reason() == ""


def test_a_number_of_somebody_else_counts_when_no_other_number_works():
    wrong = {BEN: WrongNumberReport(at=LATER, by="Dana Whitfield")}
    assert reason(numbers=(BEN,), wrong_numbers=wrong) == "wrong_number"
    assert reason(numbers=(BEN, ANA), wrong_numbers=wrong) == ""
    assert (
        reason(numbers=(BEN, ANA), wrong_numbers=wrong, disconnected_numbers={ANA: LATER})
        == "wrong_number"
    )


@pytest.mark.parametrize(("days", "is_one"), [(29.9, True), (30, True), (30.1, False)])
def test_a_duplicate_counts_within_the_agreed_days(days, is_one):
    assert (reason(earlier_purchases=(before(days),)) == "duplicate") == is_one


def test_one_bought_from_another_vendor_is_another_reason():
    elsewhere = before(3, is_same_source=False)
    assert reason(earlier_purchases=(elsewhere,)) == "bought_before"
    only_theirs = ReturnTerms(reasons={ReturnReason.DUPLICATE}, duplicate_days=30)
    assert reason(only_theirs, earlier_purchases=(elsewhere,)) == ""
    assert reason(only_theirs, earlier_purchases=(elsewhere, before(9))) == "duplicate"


def test_the_area_is_where_we_are_licensed_unless_states_were_ordered():
    ordered = ReturnTerms(reasons={ReturnReason.OUT_OF_AREA}, states=("FL", "TX"))
    assert reason(state="NV", is_licensed=False) == "out_of_area"
    assert reason(state="NV", is_licensed=True) == ""
    assert reason(ordered, state="NV", is_licensed=True) == "out_of_area"
    assert reason(ordered, state="FL", is_licensed=False) == "out_of_area"
    assert reason(ordered, state="FL") == ""
    assert reason(ordered, state="", is_licensed=True) == ""  # nobody said where it is


def test_an_address_counts_when_mail_to_each_came_back():
    both = ("ben@home.example", "ben@work.example")
    assert reason(emails=both, bounced_emails={both[0]: LATER}) == ""
    assert reason(emails=both, bounced_emails=dict.fromkeys(both, LATER)) == "invalid_email"


def test_of_several_reasons_the_best_proven_that_is_accepted_is_given():
    facts = {
        "numbers": (BEN,),
        "disconnected_numbers": {BEN: LATER},
        "state": "NV",
        "is_licensed": False,
    }
    assert reason(**facts) == "invalid_phone"
    assert reason(ReturnTerms(reasons={ReturnReason.OUT_OF_AREA}), **facts) == "out_of_area"
    assert reason(ReturnTerms(reasons=()), **facts) == ""


def test_each_reason_explains_itself_in_a_sentence_with_its_evidence():
    said = {
        one.sentence: dict(one.evidence)
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
        if (one := find_ground(ArrivalFacts(arrived_at=make.NOON, **facts), EVERYTHING))
    }
    assert list(said) == [
        "The carrier said on Nov 24, 2026 that (813) 555-0142 is nobody’s.",
        "On Nov 24, 2026 our loan officer reached another person at (813) 555-0142.",
        "On Nov 24, 2026 whoever has (813) 555-0142 answered that it is the wrong number.",
        "You delivered the same person on Nov 20, 2026 as lead LC-7, and we paid for it.",
        "The property is in NV, where we hold no license.",
        "Mail to ben@home.example came back on Nov 24, 2026.",
    ]
    assert all(said.values())
    assert "Dana" not in " ".join(said)  # the vendor need not know who of us called
