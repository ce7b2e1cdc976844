"""The rule data, written a second time from the rulebook, so that one slip can't go unnoticed.

The hours go through the gate, a second before and at each edge of each kind of day. The rest are
lists and numbers that decide only with a case; they are compared directly.
"""

import re
from collections.abc import Iterator
from datetime import time

import pytest

from rooftree.compliance.consent.reply_classifier import OPT_OUT_RULES, _match_short_stop
from rooftree.compliance.gate import rulebook
from rooftree.compliance.gate.person_places import address_places
from rooftree.compliance.gate.rulebook import STATES, Cap, shipped_house_caps
from tests.compliance.test_quiet_hours import decide_hours

WINTER = {"mon": "2027-01-11", "fri": "2027-01-15", "sat": "2027-01-16", "sun": "2027-01-17"}
SUMMER = {"mon": "2027-07-12", "fri": "2027-07-16", "sat": "2027-07-17", "sun": "2027-07-18"}
OLD_ROW = {"mon": "2026-09-21", "fri": "2026-09-25", "sat": "2026-09-26", "sun": "2026-09-27"}

# Weekdays, Saturday, Sunday; "-": closed. States that aren't listed have the federal hours.
FEDERAL = "08-21 08-21 08-21"
LIVE = {
    "AL": "08-20 08-20 -", "CT": "09-20 09-20 09-20", "FL": "08-20 08-20 08-20",
    "KY": "10-21 10-21 10-21", "LA": "08-20 08-20 -", "MA": "08-20 08-20 08-20",
    "MD": "08-20 08-20 08-20", "MI": "09-21 09-21 09-21", "MN": "09-21 09-21 09-21",
    "MS": "08-20 08-20 -", "NM": "09-21 09-21 09-21", "NV": "09-20 09-20 09-20",
    "OK": "08-20 08-20 08-20", "OR": "08-20 08-20 08-20", "PA": "09-19 09-19 -",
    "PR": "09-21 09-21 09-21", "RI": "09-18 10-17 -", "SD": "09-21 09-21 -",
    "TX": "09-21 09-21 12-21", "UT": "08-21 08-21 -", "WA": "08-20 08-20 08-20",
    "WY": "08-20 08-20 08-20",
}  # fmt: skip
AUTOMATED = {  # narrower for what a machine sends
    "CA": "09-21 09-21 09-21", "IL": "09-21 09-21 09-21", "IN": "09-20 09-20 09-20",
    "ME": "09-17 - -", "SD": "09-21 - -",
}  # fmt: skip
ZONES = {
    "New_York": "CT DE DC GA MA MD ME NC NH NJ NY OH PA RI SC VA VT WV",
    "Chicago": "AL AR IA IL LA MN MO MS OK WI",
    "Denver": "CO MT NM UT WY",
    "Los_Angeles": "CA WA",
    "Puerto_Rico": "PR VI",
    "New_York Chicago": "FL KY",
    "Chicago Denver": "KS ND NE SD TX",
    "Chicago New_York": "TN",
    "Phoenix Denver": "AZ",
    "Boise Los_Angeles": "ID",
    "Los_Angeles Boise": "OR",
    "Los_Angeles Denver": "NV",
    "Detroit Chicago": "MI",
    "Indiana/Indianapolis Chicago": "IN",
    "Anchorage Adak": "AK",
    "Pacific/Honolulu": "HI",
    "Pacific/Guam": "GU MP",
    "Pacific/Pago_Pago": "AS",
}


def _edges(hours: str, days: dict[str, str]) -> Iterator[tuple[str, bool]]:
    """Yield moments on the clock of the place, and whether they are open."""
    weekday, saturday, sunday = hours.split()
    for day, window in zip(days.values(), (weekday, weekday, saturday, sunday), strict=True):
        if window == "-":
            yield from ((f"{day}T{hour}", False) for hour in ("08:30:00", "12:00:00", "20:30:00"))
            continue
        opens, closes = window.split("-")
        yield f"{day}T{int(opens) - 1:02}:59:59", False
        yield f"{day}T{opens}:00:00", True
        yield f"{day}T{int(closes) - 1:02}:59:59", True
        yield f"{day}T{closes}:00:00", False


def _wrong(state: str, hours: str, days: dict[str, str], *, is_automated: bool = False) -> list:
    zone = STATES[state].zones[0]
    return [
        (moment, is_open)
        for moment, is_open in _edges(hours, days)
        if (decide_hours(moment, state, zone, is_automated=is_automated)[0] == "in_window")
        != is_open
    ]


def test_call_is_allowed_only_within_the_states_hours() -> None:
    wrong = {state: _wrong(state, LIVE.get(state, FEDERAL), WINTER) for state in STATES}
    assert {state: moments for state, moments in wrong.items() if moments} == {}


def test_automated_messages_have_the_states_narrower_hours() -> None:
    hours = {state: LIVE.get(state, FEDERAL) for state in STATES} | AUTOMATED
    wrong = {state: _wrong(state, hours[state], WINTER, is_automated=True) for state in STATES}
    assert {state: moments for state, moments in wrong.items() if moments} == {}


def test_mississippi_opens_an_hour_later_in_daylight_time() -> None:
    assert _wrong("MS", "09-20 09-20 -", SUMMER) == []


def test_pennsylvania_had_wider_hours_before_its_law_changed() -> None:
    assert _wrong("PA", FEDERAL, OLD_ROW) == []


def test_state_counts_in_each_of_its_zones() -> None:
    stated = {state: zones.split() for zones, states in ZONES.items() for state in states.split()}
    full = {
        state: [row if row.startswith("Pacific/") else f"America/{row}" for row in zones]
        for state, zones in stated.items()
    }
    assert {
        state: [row.zone for row in address_places("residence", state)] for state in full
    } == full


def test_table_has_every_state_once() -> None:
    assert sorted(" ".join(ZONES.values()).split()) == sorted(STATES)


@pytest.mark.parametrize(
    ("switch", "states"),
    [
        ("pewc_all_marketing", "CT"),
        ("pewc_automated", "FL MD OK"),
        ("no_ebr_exemption", "IN"),
        ("rnd_required_before_sales_call", "ME"),
        ("no_recorded_message", "MA"),
        ("mobile_unsolicited_ban", "NJ"),
        ("emergency_ban", "NY"),
        ("different_time_with_express_consent", "NY VA"),
        ("consent_lifts_day_bans", "UT"),
        ("commercial_text_needs_consent", "WA"),
        ("no_adad", "WA"),
    ],
)
def test_switch_is_on_only_in_its_states(switch: str, states: str) -> None:
    assert " ".join(sorted(code for code, row in STATES.items() if switch in row.flags)) == states


@pytest.mark.parametrize(
    ("states_of_law", "expected"),
    [
        (rulebook.STATES_WITH_OWN_DNC_LIST, "CO FL IN LA MA MO OK PA TN TX WY"),
        (rulebook.TRIGGER_STATES, "AR CT GA IA ID KS KY ME RI TX UT WI"),
        (rulebook.DATA_LEVEL_STATES, "CA CT MN MT OR"),
        (rulebook.ALL_PARTY_RECORDING_STATES, "CA CT DE FL HI IL MA MD MI MT NH NV OR PA PR WA"),
    ],
)
def test_law_applies_to_the_states_it_names(states_of_law: frozenset[str], expected: str) -> None:
    assert " ".join(sorted(states_of_law)) == expected


def test_house_limits_are_as_shipped() -> None:
    assert shipped_house_caps("call") == (
        Cap(count=1, hours=2), Cap(count=3, hours=24), Cap(count=8, hours=168),
    )  # fmt: skip
    assert shipped_house_caps("text") == (Cap(count=1, hours=24), Cap(count=4, hours=168))
    assert shipped_house_caps("email") == (Cap(count=1, hours=24), Cap(count=3, hours=168))


def test_federal_numbers_are_as_shipped() -> None:
    assert rulebook.CHANGEABLE_NUMBERS == {
        "dnc_scrub_days": 31, "ebr_transaction_months": 18, "ebr_inquiry_months": 3,
        "rnd_check_days": 31, "rnd_contact_days": 45, "confirm_seconds": 300, "confirm_count": 1,
        "unsubscribe_days": 30, "guard_text": 10, "guard_call": 5, "guard_voicemail_drop": 15,
        "double_dial_minutes": 10,
        "first_day_call": 3, "first_day_text": 2, "first_day_email": 2, "first_week_email": 5,
        "release_free_size": 100, "release_canary_size": 50, "release_per_hour": 1000,
    }  # fmt: skip


def test_abandoned_call_limits_are_as_shipped() -> None:
    """47 CFR 64.1200(a)(6)-(7)."""
    states_of_law = (rulebook.MAX_ABANDON_PERCENT, rulebook.MIN_RING_SECONDS, rulebook.MIN_RINGS)
    assert states_of_law == (3.0, 15, 4)
    assert rulebook.MAX_CONNECT_SECONDS == 2


def test_patterns_match_their_examples() -> None:
    examples = (
        "quit messaging", "don't contact", "take me off", "remove me", "opting out",
        "unsubscribe", "leave me alone", "wrong person", "lose this number", "no me escriba",
        "my lawyer will call",
    )  # fmt: skip
    for expression, example in zip(OPT_OUT_RULES["free_text_patterns"], examples, strict=True):
        assert re.search(expression, example), example


def test_recorded_call_into_nebraska_has_its_own_sunday_hours() -> None:
    assert STATES["NE"].recorded_sunday == (time(13), time(21))
    assert [state.code for state in STATES.values() if state.recorded_sunday] == ["NE"]


POLITE = "please pls now thanks thank you it this all msgs messages texts me sir ok just"


def test_keyword_with_a_polite_word_is_an_opt_out() -> None:
    assert [word for word in POLITE.split() if _match_short_stop(f"quit {word}") != "quit"] == []
    assert set(POLITE.split()) <= set(OPT_OUT_RULES["short_message_rule"]["other_words_allowed"])


def test_short_message_has_at_most_four_words() -> None:
    assert _match_short_stop("quit please now thanks") == "quit"
    assert _match_short_stop("quit please now thanks you") is None


KEYWORDS = (
    "STOP, QUIT, END, REVOKE, OPT OUT, CANCEL, UNSUBSCRIBE, STOPALL, STOP ALL, OPTOUT, OPT-OUT, "
    "REMOVE, REMOVE ME, NO MORE, PLEASE OPT ME OUT, ALTO, PARAR, BASTA, NO MAS, CANCELAR, ARRET"
)


def test_keywords_are_those_of_the_rule_and_the_carriers() -> None:
    assert (
        ", ".join([*OPT_OUT_RULES["per_se_keywords"], *OPT_OUT_RULES["extra_keywords"]]) == KEYWORDS
    )
