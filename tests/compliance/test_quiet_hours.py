"""Calling hours at their edges, on every clock that might apply to a person."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rooftree.compliance.gate.facts import Facts, Purpose
from rooftree.compliance.gate.message_gate import decide
from rooftree.compliance.gate.rulebook import STATES
from tests.compliance.usual import call, facts, place

SECOND = timedelta(seconds=1)


def decide_hours(
    local: str, state: str, zone: str, *, is_automated: bool = False, guard: int = 0
) -> tuple[str, str | None]:
    """Return the reason and the next moment, on the clock of the place."""
    at = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))
    message = _build_message(at, state, zone, is_automated, guard)
    verdict = decide(message)
    until = verdict.next_allowed_at
    return verdict.reason, f"{until:%Y-%m-%dT%H:%M}" if until else None


def _build_message(at: datetime, state: str, zone: str, is_automated: bool, guard: int) -> Facts:
    build = facts if is_automated else call
    return build(at=at, places=(place(state, zone),), guard_minutes=guard, asks=("hours",))


@pytest.mark.parametrize(
    ("local", "state", "zone", "expected"),
    [
        ("2026-11-24T07:59:59", "NY", "America/New_York", "before_window"),
        ("2026-11-24T08:00:00", "NY", "America/New_York", "in_window"),
        ("2026-11-24T20:59:59", "NY", "America/New_York", "in_window"),
        ("2026-11-24T21:00:00", "NY", "America/New_York", "after_window"),
        ("2026-11-24T19:59:59", "FL", "America/Chicago", "in_window"),
        ("2026-11-24T20:00:00", "FL", "America/Chicago", "after_window"),
        ("2026-11-29T11:59:59", "TX", "America/Chicago", "before_window"),
        ("2026-11-29T12:00:00", "TX", "America/Chicago", "in_window"),
        ("2026-10-17T20:59:59", "PA", "America/New_York", "in_window"),  # the old row's last day
        ("2026-10-19T08:59:59", "PA", "America/New_York", "before_window"),
        ("2026-10-19T18:59:59", "PA", "America/New_York", "in_window"),
        ("2026-10-19T19:00:00", "PA", "America/New_York", "after_window"),
        ("2026-12-21T08:00:00", "MS", "America/Chicago", "in_window"),  # standard time
        ("2027-07-06T08:59:59", "MS", "America/Chicago", "before_window"),  # daylight time
        ("2027-05-31T10:00:00", "LA", "America/Chicago", "state_holiday_ban"),
        ("2027-05-31T10:00:00", "TX", "America/Chicago", "in_window"),
        ("2027-12-31T10:00:00", "AL", "America/Chicago", "state_holiday_ban"),  # kept on Friday
        ("2027-07-05T10:00:00", "UT", "America/Denver", "state_holiday_ban"),  # kept on Monday
        ("2026-11-25T10:00:00", "LA", "America/Chicago", "in_window"),
        ("2026-12-24T10:00:00", "LA", "America/Chicago", "state_holiday_ban"),  # proclaimed
        ("2026-12-31T10:00:00", "LA", "America/Chicago", "state_holiday_ban"),
    ],
)
def test_call_at_the_edge_of_calling_hours(
    local: str, state: str, zone: str, expected: str
) -> None:
    assert decide_hours(local, state, zone)[0] == expected


@pytest.mark.parametrize(
    ("local", "state", "zone", "expected"),
    [
        ("2026-11-24T08:59:59", "CA", "America/Los_Angeles", "before_window"),
        ("2026-11-24T09:00:00", "CA", "America/Los_Angeles", "in_window"),
        ("2026-11-24T19:59:59", "IN", "America/Indiana/Indianapolis", "in_window"),
        ("2026-11-24T20:00:00", "IN", "America/Indiana/Indianapolis", "after_window"),
        ("2026-11-24T17:00:00", "ME", "America/New_York", "after_window"),
        ("2026-11-29T12:00:00", "ME", "America/New_York", "automated_day_ban"),
        ("2026-11-28T12:00:00", "SD", "America/Denver", "automated_day_ban"),
        ("2026-11-29T12:00:00", "SD", "America/Denver", "sunday_ban"),
    ],
)
def test_automated_text_has_narrower_hours(
    local: str, state: str, zone: str, expected: str
) -> None:
    assert decide_hours(local, state, zone, is_automated=True)[0] == expected


def test_guard_closes_hours_early_and_does_not_delay_opening() -> None:
    assert decide_hours("2026-11-24T20:49:59", "NY", "America/New_York", guard=10)[0] == "in_window"
    late = decide_hours("2026-11-24T20:50:00", "NY", "America/New_York", guard=10)
    assert late == ("after_window", "2026-11-25T08:00")


@pytest.mark.parametrize(
    ("held_from", "until"),
    [
        ("2027-03-13T21:00:00", "2027-03-14T08:00"),  # eleven hours on the wall, ten elapsed
        ("2026-10-31T21:00:00", "2026-11-01T08:00"),  # thirteen elapsed... on the wall eleven
    ],
)
def test_night_with_a_clock_change_ends_at_8_local_time(held_from: str, until: str) -> None:
    assert decide_hours(held_from, "NY", "America/New_York") == ("after_window", until)


def test_arizona_has_no_daylight_time_but_the_navajo_nation_does() -> None:
    both = (place("AZ", "America/Phoenix"), place("AZ", "America/Denver"))
    at = datetime(2027, 7, 6, 7, 30, tzinfo=ZoneInfo("America/Phoenix"))
    assert decide(call(at=at, places=both, asks=("hours",))).reason == "before_window"
    later = at + timedelta(minutes=30)
    assert decide(call(at=later, places=both, asks=("hours",))).reason == "in_window"


@pytest.mark.parametrize(
    "start", ["2026-12-24T22:00:00", "2027-03-13T22:00:00", "2027-07-02T22:00:00"]
)
def test_every_state_opens_within_four_days_and_federal_hours(
    start: str,
) -> None:
    for code, zone in ((state, zone) for state in STATES for zone in STATES[state].zones):
        at = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone))
        message = facts(at=at, places=(place(code, zone),), asks=("hours",))
        until = decide(message).next_allowed_at
        assert until is not None, (code, zone)
        assert timedelta(0) < until - at <= timedelta(days=4), (code, zone)
        assert 8 <= until.astimezone(ZoneInfo(zone)).hour < 21, (code, zone)
        assert decide(replace(message, at=until - SECOND)).decision.value == "defer", (code, zone)


def test_places_without_a_common_hour_require_a_person() -> None:
    apart = (place("ME"), place("GU", "Pacific/Guam"))
    at = datetime(2026, 11, 24, 12, tzinfo=ZoneInfo("America/New_York"))
    verdict = decide(facts(at=at, places=apart, asks=("hours",)))
    assert (verdict.decision.value, verdict.reason) == ("require", "no_common_window")


def test_missing_location_is_required() -> None:
    verdict = decide(facts(places=(place(kind="ip_geo"),), asks=("hours",)))
    assert verdict.reason == "location_evidence_missing"


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("NY", "consumer_requested_time"),
        ("VA", "consumer_requested_time"),
        ("OH", "consumer_requested_time"),
        ("FL", "supervisor_approval_state_silent"),
        ("WA", "supervisor_approval_state_silent"),
    ],
)
def test_requested_late_call_depends_on_the_state(state: str, reason: str) -> None:
    at = datetime(2026, 11, 24, 21, 30, tzinfo=ZoneInfo(STATES[state].zones[0]))
    where = (place(state, STATES[state].zones[0]),)
    requested_call = call(at=at, places=where, requested_at=at, asks=("hours",))
    assert decide(requested_call).reason == reason
    assert (
        decide(replace(requested_call, requested_at=at - timedelta(minutes=16))).reason
        == "after_window"
    )
    assert decide(replace(requested_call, is_automated=True)).reason == "after_window"


def test_prompt_reply_is_allowed_at_night_and_a_late_one_waits() -> None:
    at = datetime(2026, 11, 24, 22, 0, tzinfo=ZoneInfo("America/New_York"))
    reply = facts(at=at, purpose=Purpose.REPLY, has_promo=False, asks=("hours",))
    prompt = replace(reply, inbound_at=at - timedelta(minutes=15))
    assert decide(prompt).reason == "reply_to_consumer_message"
    assert decide(replace(prompt, has_promo=True)).reason == "after_window"
    late = replace(reply, inbound_at=at - timedelta(minutes=15, seconds=1))
    assert decide(late).reason == "after_window"
