"""Places of phone numbers and addresses."""

import pytest

from rooftree.compliance.gate.person_places import (
    address_places,
    area_code_places,
    candidate_places,
    narrow_area_codes,
)
from rooftree.compliance.gate.rulebook import STATES
from rooftree.core.area_codes_and_zones import AREA_CODES, STATE_NAMES, zones_of_zip
from tests.compliance.usual import facts, place


def zones(places: tuple[object, ...]) -> list[str]:
    return [found_place.zone for found_place in places]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("phone", "state", "expected"),
    [
        ("+13055550111", "FL", ["America/New_York"]),
        ("+18505550111", "FL", ["America/New_York", "America/Chicago"]),
        ("+19155550111", "TX", ["America/Denver"]),
        ("+18655550111", "TN", ["America/New_York"]),
        ("+16155550111", "TN", ["America/Chicago"]),
        ("+19075550111", "AK", ["America/Anchorage", "America/Adak"]),
        ("+17875550111", "PR", ["America/Puerto_Rico"]),
        ("+12035550111", "CT", ["America/New_York"]),
    ],
)
def test_area_code_gives_its_state_and_all_zones(
    phone: str, state: str, expected: list[str]
) -> None:
    places = area_code_places(phone)
    assert zones(places) == expected
    assert {found_place.state for found_place in places} == {state}


SPLIT = {  # written down a second time, by the codes' maps: two slips must agree to go unseen
    "America/Chicago America/Denver": "701 605 308 785 620 402 531",
    "America/New_York America/Chicago": "850 448 423 606",
    "America/Chicago America/New_York": "270 364 931",
    "America/Detroit America/Chicago": "906",
    "America/Chicago America/Indiana/Indianapolis": "219",
    "America/Indiana/Indianapolis America/Chicago": "574 812 930",
    "America/Boise America/Los_Angeles": "208 986",
    "America/Los_Angeles America/Boise": "541 458",
    "America/Los_Angeles America/Denver": "775",
    "America/Phoenix America/Denver": "928",
    "America/Anchorage America/Adak": "907",
    "America/Denver": "915",
}


@pytest.mark.parametrize(
    ("code", "expected"),
    [(code, zones) for zones, codes in SPLIT.items() for code in codes.split()],
)
def test_area_code_with_two_zones_counts_in_both(code: str, expected: str) -> None:
    assert " ".join(zones(area_code_places(f"+1{code}5550111"))) == expected


@pytest.mark.parametrize("phone", ["+18885550111", "+14165550111", "+442071234567", "305", ""])
def test_toll_free_and_foreign_numbers_have_no_place(phone: str) -> None:
    assert area_code_places(phone) == ()


def test_split_state_counts_in_all_zones_until_the_zip_is_known() -> None:
    assert zones(address_places("property", "FL")) == ["America/New_York", "America/Chicago"]
    assert zones(address_places("property", "FL", "33131")) == ["America/New_York"]
    assert zones(address_places("property", "FL", "32501")) == ["America/Chicago"]
    assert zones(address_places("residence", "TX", "79901")) == ["America/Denver"]
    assert zones(address_places("residence", "KY", "40143")) == ["America/Chicago"]  # Hardinsburg
    assert zones(address_places("property", "TN", "37723")) == ["America/Chicago"]
    assert zones(address_places("property", "NE", "69201")) == ["America/Chicago"]  # Valentine
    assert zones(address_places("property", "NE", "69211")) == ["America/Denver"]  # Cody
    assert zones(address_places("residence", "KY", "42757")) == list(STATES["KY"].zones)
    assert zones(address_places("residence", "KY", "42799")) == list(STATES["KY"].zones)  # unknown
    assert address_places("residence", "ZZ") == address_places("residence", None) == ()


def test_home_address_narrows_only_an_area_code_of_its_state() -> None:
    number = area_code_places("+18505550111")
    assert zones(narrow_area_codes(number + address_places("residence", "FL", "32501"))) == [
        "America/Chicago",
        "America/Chicago",
    ]
    elsewhere = number + address_places("residence", "OH")
    assert narrow_area_codes(elsewhere) == elsewhere


def test_property_that_is_not_home_does_not_count() -> None:
    rental = address_places("property", "CA", is_home=False)
    unsure = address_places("property", "CA")
    assert candidate_places(facts(places=rental)) == ()
    assert candidate_places(facts(places=unsure)) == unsure
    assert candidate_places(facts(places=(place(kind="ip_geo"),))) == ()


def test_every_area_code_and_zip_is_in_a_state_with_rules() -> None:
    assert {row.state for row in AREA_CODES.values()} <= set(STATES) == set(STATE_NAMES)
    for code, row in AREA_CODES.items():
        assert set(row.zones) <= set(STATES[row.state].zones), code
        assert row.zones or len(STATES[row.state].zones) == 1, code
    for code in STATES:
        for prefix in range(1000):
            assert set(zones_of_zip(code, f"{prefix:03}01")) <= set(STATES[code].zones)
