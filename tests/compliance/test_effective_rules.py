"""A rule change decides only from its date on and only for its state."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rooftree.compliance.evidence import verdict_checker
from rooftree.compliance.gate import effective_rules, message_gate
from rooftree.compliance.gate.facts import (
    Amendment,
    Facts,
    Medium,
    PriorContact,
    Relationship,
    Voice,
)
from rooftree.compliance.gate.facts_json import facts_from_json, facts_hash, facts_to_json
from rooftree.compliance.gate.rulebook import STATES
from rooftree.compliance.rule_changes import rule_items
from tests.compliance.test_verdict_checker import stored
from tests.compliance.usual import NOON, WORDS, call, consent, email, facts, place

NEW_YORK = ZoneInfo("America/New_York")
TEN_TO_FIVE = {"mon_fri": ["10:00", "17:00"], "sat": None, "sun": None}


def change(item: str, value: Any, **more: Any) -> Amendment:
    usual: dict[str, Any] = {
        "number": 7, "place": "FL", "item": item, "value": json.dumps(value),
        "from_date": date(2026, 11, 24), "until_date": None, "cite": "Fla. Stat. 501.616",
    }  # fmt: skip
    return Amendment(**usual | more)


def here(text: str) -> datetime:
    """Return a moment on the clock of Florida."""
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


def decide_reason(message: Facts) -> tuple[str, str]:
    verdict = message_gate.decide(message)
    return verdict.decision.value, verdict.reason


EVENING = here("2026-11-24T18:30")  # a Tuesday
SATURDAYS = {"mon_fri": None, "sat": ["10:00", "17:00"], "sun": None}
OFF = {"mon_fri": None, "sat": None, "sun": None}
# Facts, the reason without a rule change, the change, and the reason with it.
DECIDES = [
    (facts(at=EVENING), "allow", change("live", TEN_TO_FIVE), "after_window"),
    (facts(at=EVENING), "allow", change("auto", TEN_TO_FIVE), "after_window"),
    (facts(at=NOON), "allow", change("auto", SATURDAYS),
     "automated_day_ban"),
    (facts(at=NOON), "allow", change("proclaimed", ["2026-11-24"]), "state_holiday_ban"),
    (facts(at=here("2026-11-26T12:00")), "allow",
     change("holidays", ["thanksgiving"]), "state_holiday_ban"),
    (facts(at=here("2026-07-14T12:00"), last_confirmed_on=date(2026, 7, 14),
           consents=(consent(captured_at=here("2026-07-14T09:00")),),
           inquired_at=here("2026-07-14T09:00"), emergencies_read_at=here("2026-07-14T09:00")),
     "allow", change("dst_live", {**TEN_TO_FIVE, "mon_fri": ["13:00", "17:00"]},
                     from_date=date(2026, 7, 1)), "before_window"),
    (facts(contacts=(PriorContact(at=NOON - timedelta(hours=30), medium=Medium.CALL),)), "allow",
     change("caps", [{"n": 1, "days": 2}]), "cap_1_in_48h"),
    (facts(contacts=(PriorContact(at=NOON - timedelta(hours=30), medium=Medium.CALL),)), "allow",
     change("auto_caps", [{"n": 1, "days": 2}]), "cap_1_in_48h_automated"),
    (call(), "allow", change("pewc_all_marketing", True), "pewc_required_all_marketing"),
    (call(), "allow", change("mobile_unsolicited_ban", True), "mobile_unsolicited_ban"),
    (call(medium=Medium.TEXT, voice=Voice.NONE, text=WORDS), "allow",
     change("commercial_text_needs_consent", True), "commercial_text_needs_consent"),
    (facts(medium=Medium.VOICEMAIL, voice=Voice.PRERECORDED), "allow",
     change("no_recorded_message", True), "state_bans_recorded_message"),
    (facts(medium=Medium.VOICEMAIL, voice=Voice.PRERECORDED), "allow",
     change("no_adad", True), "state_bans_adad"),
    (call(last_confirmed_on=None), "allow",
     change("rnd_required_before_sales_call", True), "rnd_required_maine"),
    (facts(emergencies_read_at=None), "allow",
     change("emergency_stop", True), "emergency_data_stale"),
    (facts(at=EVENING), "allow",
     change("telemarketing_window", TEN_TO_FIVE, place="US"), "after_window"),
    (call(registry_date=date(2026, 11, 1), relationships=()), "allow",
     change("dnc_scrub_days", 10, place="US"), "scrub_stale"),
    (call(is_on_registry=True, relationships=(
        Relationship(kind="inquiry", on=date(2026, 9, 20), with_us=True),)), "allow",
     change("ebr_inquiry_months", 1, place="US"), "ebr_expired"),
    (call(is_on_registry=True, relationships=(
        Relationship(kind="transaction", on=date(2026, 1, 20), with_us=True),)), "allow",
     change("ebr_transaction_months", 6, place="US"), "ebr_expired"),
    (facts(last_confirmed_on=date(2026, 11, 1)), "allow",
     change("rnd_contact_days", 10, place="US"), "rnd_check_stale"),
    (email(unsubscribe_days=3000), "allow",
     change("unsubscribe_days", 3650, place="US"), "optout_link_ttl"),
    (facts(at=here("2026-11-24T19:50")), "allow",
     change("guard_text", 30, place="US"), "after_window"),
    (facts(contacts=(PriorContact(at=NOON - timedelta(hours=30), medium=Medium.TEXT),),
           inquired_at=NOON - timedelta(days=20)), "allow",
     change("marketing_texts", [{"n": 1, "days": 2}], place="US"), "house_cap_1_text_2d"),
    (facts(contacts=(PriorContact(at=NOON - timedelta(hours=3), medium=Medium.TEXT),)), "allow",
     change("first_day_text", 1, place="US"), "house_cap_1_text_24h"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "before", "amendment", "reason"), DECIDES)
def test_changed_value_decides(
    message: Facts, before: str, amendment: Amendment, reason: str
) -> None:
    assert decide_reason(message)[0] == before

    changed = replace(message, amendments=(amendment,))
    verdict = message_gate.decide(changed)

    assert verdict.decision.value != before
    assert verdict.reason == reason or reason in {ruling.reason for ruling in verdict.rulings}
    assert message_gate.decide(facts_from_json(facts_to_json(changed))) == verdict
    assert verdict_checker.find_problems(stored(changed)) == []


def test_citation_names_the_rule_change() -> None:
    message = facts(at=EVENING, amendments=(change("live", TEN_TO_FIVE),))

    cites = {
        ruling.cite
        for ruling in message_gate.decide(message).rulings
        if ruling.reason == "after_window"
    }

    assert cites == {"Fla. Stat. 501.616 (rule change 7)"}


def test_rule_change_starts_at_local_midnight() -> None:
    late = change("live", {day: ["08:00", "20:00"] for day in rule_items.DAY_KEYS} | {"sat": None})
    begins = replace(late, from_date=date(2026, 11, 28))  # a Saturday

    friday = facts(at=here("2026-11-27T19:00"), amendments=(begins,))
    saturday = facts(at=here("2026-11-28T12:00"), amendments=(begins,))
    ended = facts(
        at=here("2026-11-28T12:00"), amendments=(replace(begins, until_date=date(2026, 11, 28)),)
    )

    assert decide_reason(friday)[0] == "allow"
    assert decide_reason(saturday)[0] == "defer"
    assert decide_reason(ended)[0] == "allow"


def test_deferral_past_a_rule_change_uses_the_new_hours() -> None:
    begins = change("live", TEN_TO_FIVE, from_date=date(2026, 11, 25))

    verdict = message_gate.decide(facts(at=here("2026-11-24T21:00"), amendments=(begins,)))

    assert verdict.next_allowed_at == here("2026-11-25T10:00")


def test_stricter_number_counts_when_the_local_date_is_uncertain() -> None:
    """A person might be in Florida or California, half an hour after Florida's midnight."""
    both = (place(), place("CA", "America/Los_Angeles"))
    at = here("2026-11-25T00:30")
    for days, expected in ((10, 10), (60, 31)):
        begins = change("dnc_scrub_days", days, place="US", from_date=date(2026, 11, 25))
        message = facts(at=at, places=both, amendments=(begins,))
        assert effective_rules.effective_number("dnc_scrub_days", message) == expected


def test_newest_rule_change_counts_and_a_withdrawn_one_does_not() -> None:
    first, second = change("caps", [], number=1), change("caps", [{"n": 2, "days": 1}], number=2)
    day = date(2026, 11, 25)

    assert effective_rules.change_in_force((first, second), "FL", "caps", day) is second
    ended = replace(second, until_date=day)
    assert effective_rules.change_in_force((first, ended), "FL", "caps", day) is first
    assert (
        effective_rules.change_in_force((first, ended), "FL", "caps", day - timedelta(days=1))
        is ended
    )


def test_ended_and_unrelated_rule_changes_are_not_facts() -> None:
    current = change("caps", [], number=3)
    followed = change("caps", [], number=1, from_date=date(2026, 1, 1))
    over = change("holidays", [], number=2, until_date=date(2026, 11, 1))
    elsewhere = change("caps", [], number=4, place="GA")

    assert effective_rules.relevant_changes((followed, over, current, elsewhere), {"FL"}, NOON) == (
        followed,
        current,
    )
    later = NOON + timedelta(days=3)
    assert effective_rules.relevant_changes(
        (followed, over, current, elsewhere), {"FL"}, later
    ) == (current,)


def test_campaign_limit_is_not_a_fact_of_a_message() -> None:
    current = change("dnc_scrub_days", 10, place="US")
    limit = change("release_per_hour", 300, place="US", number=8)

    assert effective_rules.relevant_changes((current, limit), {"FL"}, NOON) == (current,)


def test_checker_finds_an_altered_rule_change() -> None:
    row = stored(facts(at=NOON, amendments=(change("live", TEN_TO_FIVE),)))
    assert verdict_checker.find_problems(row) == []

    row["facts"]["amendments"][0]["value"] = json.dumps(OFF)

    assert "the facts have changed since they were hashed" in verdict_checker.find_problems(row)
    assert "allowed, but it is outside hours" in verdict_checker.find_problems(row)


def test_checker_finds_an_allow_against_a_rule_change() -> None:
    outside_hours = facts(at=EVENING, amendments=(change("live", TEN_TO_FIVE),))
    row = stored(outside_hours, decision="allow", reason="in_window", next_allowed_at=None)
    assert verdict_checker.find_problems(row) == ["allowed, but it is outside hours"]
    capped = facts(
        contacts=(PriorContact(at=NOON - timedelta(hours=1), medium=Medium.CALL),),
        amendments=(change("caps", [{"n": 1, "days": 1}]),),
    )
    row = stored(capped, decision="allow", reason="under_cap", next_allowed_at=None)
    assert verdict_checker.find_problems(row) == ["allowed, but a state cap is reached"]


def test_unreadable_rule_change_blocks_the_message() -> None:
    assert decide_reason(facts(amendments=(change("live", "nonsense"),))) == (
        "block", "gate_failed_closed",
    )  # fmt: skip


PLACES = [place(code, zone) for code, row in STATES.items() for zone in row.zones]
CLOCKS = st.sampled_from(["08:00", "09:30", "11:00", "13:00", "17:00", "19:30", "21:00"])
PAIRS = st.lists(CLOCKS, min_size=2, max_size=2, unique=True).map(sorted)
WEEKS = st.fixed_dictionaries({day: st.one_of(st.none(), PAIRS) for day in rule_items.DAY_KEYS})
CAPS = st.lists(
    st.fixed_dictionaries({"n": st.integers(1, 4), "hours": st.sampled_from([2, 24, 48])}),
    max_size=2,
)
VALUES = st.one_of(
    st.tuples(st.sampled_from(["live", "auto", "dst_live"]), WEEKS),
    st.tuples(st.sampled_from(["caps", "auto_caps"]), CAPS),
    st.tuples(st.just("proclaimed"), st.just(["2026-12-01", "2027-07-06"])),
)


@settings(max_examples=150, deadline=None)
@given(
    at=st.datetimes(
        min_value=datetime(2026, 11, 1),  # noqa: DTZ001  hypothesis adds the zone
        max_value=datetime(2027, 8, 30),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    where=st.sampled_from(PLACES),
    state=st.sampled_from(sorted(STATES)),
    value=VALUES,
    ahead=st.integers(-40, 40),
    lasts=st.one_of(st.none(), st.integers(1, 20)),
    is_automated=st.booleans(),
    hours=st.lists(st.integers(0, 50), max_size=3),
)
def test_rule_change_counts_only_from_its_date_and_in_its_state(**kwargs: Any) -> None:
    at, where, (item, value) = kwargs["at"], kwargs["where"], kwargs["value"]
    begins = at.date() + timedelta(days=kwargs["ahead"])
    amendment = change(
        item, value, place=kwargs["state"], from_date=begins,
        until_date=begins + timedelta(days=kwargs["lasts"]) if kwargs["lasts"] else None,
    )  # fmt: skip
    plain = facts(
        at=at, places=(where,), is_automated=kwargs["is_automated"],
        consents=(consent(captured_at=at),), registered_states=tuple(STATES),
        emergencies_read_at=at, last_confirmed_on=at.date(),
        contacts=tuple(
            PriorContact(at=at - timedelta(hours=hours), medium=None) for hours in kwargs["hours"]
        ),
    )  # fmt: skip
    changed = replace(plain, amendments=(amendment,))
    today = at.astimezone(ZoneInfo(where.zone)).date()

    before, after = message_gate.decide(plain), message_gate.decide(changed)

    if where.state != amendment.place:
        assert after == before
    elif not amendment.is_in_force(today):  # it may only move when a held message goes
        assert (after.decision, after.reason) == (before.decision, before.reason) or (
            "no_common_window" in {before.reason, after.reason}
        )
    assert verdict_checker.find_problems(stored(changed)) == []
    assert facts_hash(facts_from_json(facts_to_json(changed))) == facts_hash(changed)
