"""Area codes and ZIP codes against a second source; every difference is argued in a file."""

import csv
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
import pytest
import zipcodes
from phonenumbers.tzdata import TIMEZONE_DATA

from rooftree.compliance.gate.person_places import area_code_places
from rooftree.compliance.gate.rulebook import STATES
from rooftree.core.area_codes_and_zones import (
    AREA_CODES,
    AreaCode,
    add_area_codes,
    read_area_codes,
    zones_of_zip,
)
from rooftree.core.phone_numbers import parse_phone_number
from rooftree.management import doctor_machine_checks

type Clock = tuple[object, ...]
POSTAL_ROWS = [row for row in zipcodes.list_all() if row["zip_code_type"] != "MILITARY"]


def clock_of(zone: str) -> Clock:
    """Return what makes two zones one: their offsets in winter and summer."""
    try:
        info = ZoneInfo(zone)
    except (ValueError, ZoneInfoNotFoundError):
        return ()
    return tuple(datetime(2026, month, 15, tzinfo=info).utcoffset() for month in (1, 7))


def read_differences(name: str) -> dict[str, dict[str, str]]:
    path = Path(__file__).parent / name
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["code"]: row for row in csv.DictReader(file)}
    assert all(len(row["argument"]) > 20 for row in rows.values())
    return rows


def test_zones_of_zip_codes_differ_from_the_postal_table_only_as_argued() -> None:
    differences = {}
    for row in POSTAL_ROWS:
        if row["state"] not in STATES:
            continue
        code, zones = row["zip_code"], zones_of_zip(row["state"], row["zip_code"])
        ours = zones or STATES[row["state"]].zones
        if [clock_of(zone) for zone in ours] != [clock_of(row["timezone"])]:
            differences[code] = f"{' '.join(ours)} | {row['timezone']}"
    argued = read_differences("zip_zone_differences.csv")

    assert differences == {code: f"{row['ours']} | {row['theirs']}" for code, row in argued.items()}


def test_zones_of_area_codes_differ_from_both_sources_only_as_argued() -> None:
    postal: dict[str, set[Clock]] = defaultdict(set)
    carriers: dict[str, set[Clock]] = defaultdict(set)
    for row in POSTAL_ROWS:
        for code in row["area_codes"]:
            if code in AREA_CODES and AREA_CODES[code].state == row["state"]:
                postal[code].add(clock_of(row["timezone"]))
    for prefix, zones in TIMEZONE_DATA.items():
        if prefix.startswith("1") and len(prefix) > 3:
            carriers[prefix[1:4]] |= {clock_of(zone) for zone in zones}
    differences = set()
    for code in AREA_CODES:
        ours = {clock_of(place.zone) for place in area_code_places(f"+1{code}5550100")}
        if not (postal[code] | carriers[code]) - {()} <= ours:
            differences.add(code)
    argued = read_differences("area_code_zone_differences.csv")

    assert differences == set(argued)


def test_every_area_code_of_the_other_sources_is_known_in_the_same_state() -> None:
    geographic = phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
    for digits in range(200, 1000):
        number = phonenumbers.parse(f"+1{digits}2550100")
        if phonenumbers.number_type(number) == geographic:
            is_domestic = phonenumbers.region_code_for_number(number) in {
                "US", "PR", "VI", "GU", "AS", "MP",
            }  # fmt: skip
            assert (str(digits) in AREA_CODES) == is_domestic, digits
    counted: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in POSTAL_ROWS:
        for code in row["area_codes"]:
            counted[code][row["state"]] += 1
    for code, states in counted.items():
        if code in AREA_CODES:
            assert max(states, key=lambda state: states[state]) == AREA_CODES[code].state, code


@pytest.mark.parametrize("code", ["621", "436", "679", "861"])
def test_number_in_an_area_code_that_the_library_does_not_know_is_valid(code: str) -> None:
    number = parse_phone_number(f"({code}) 555-0142")

    assert (number.e164, number.country) == (f"+1{code}5550142", "US")
    assert area_code_places(number.e164 or "")
    assert not parse_phone_number(f"({code}) 155-0142").is_valid


def test_new_area_code_comes_with_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(AREA_CODES)
    file = tmp_path / "area_codes.csv"
    file.write_text(
        "\ufeffarea_code,state,zones\n465,NY\n\n391,TN,America/Chicago\n46,NY\n392,ZZ\n"
        "393,KY,Eastern\n394,KY\n"
    )
    assert not parse_phone_number("465-555-0142").is_valid
    try:
        problems = add_area_codes(file)

        assert parse_phone_number("465-555-0142").e164 == "+14655550142"
        assert [place.zone for place in area_code_places("+13915550142")] == ["America/Chicago"]
        assert [place.zone for place in area_code_places("+13945550142")] == [*STATES["KY"].zones]
        assert AREA_CODES["465"] == AreaCode(state="NY")
        monkeypatch.setattr(doctor_machine_checks.settings, "AREA_CODES_FILE", file)
        assert "line 5: '46'" in doctor_machine_checks.check_area_codes().text
        file.write_text("466,NY\n")
        assert "466 not in use yet" in doctor_machine_checks.check_area_codes().text
        add_area_codes(file)
        assert doctor_machine_checks.check_area_codes().is_ok
        assert problems == [
            "line 5: '46' is no area code",
            "line 6: 'ZZ' is no state",
            "line 7: 'Eastern' is no time zone",
        ]
    finally:
        AREA_CODES.clear()
        AREA_CODES.update(before)
    assert read_area_codes(tmp_path / "absent.csv") == ({}, [])
