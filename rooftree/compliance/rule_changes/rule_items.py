"""Which values of the rule data a company may change, what each is for, and which way is stricter.

Everything else (expressions that read text, area codes, wording, time zones) changes with a
release of the program.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from rooftree.compliance.gate import effective_rules
from rooftree.compliance.gate.rulebook import (
    CHANGEABLE_NUMBERS,
    EMERGENCY_STOP,
    FEDERAL_CITE,
    HOUSE_CAP_ITEMS,
    RELEASE_LIMITS,
    RULE_DATA,
    STATES,
    STRICTER_WHEN_LARGER,
    TRIGGER_LEAD_LAW,
)

ALL_DAY_HOURS = ["00:00", "24:00"]
DAY_KEYS = ("mon_fri", "sat", "sun")
STATE_LIST_KEYS = {
    TRIGGER_LEAD_LAW: "trigger_lead_state_laws",
    EMERGENCY_STOP: "state_of_emergency_ban",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleItem:
    """One value that may be changed."""

    key: str
    label: str
    kind: str  # week, hours, caps, holidays, dates, switch, number
    nature: str = "law"  # law; house: our own limit; counsel: a reading that counsel chose
    is_optional: bool = False  # a week or hours that need not be there
    unit: str = ""  # of a number
    least: int = 0
    most: int = 0
    is_permissive: bool = False  # a switch that allows something while it is on
    cite: str = ""  # of what holds everywhere

    @property
    def is_release_limit(self) -> bool:
        """It is a limit that a release takes along when it begins."""
        return self.key in RELEASE_LIMITS

    @property
    def clock_name(self) -> str:
        """Whose date a change of it counts by."""
        return "the company’s clock" if self.is_release_limit else "the clock of the place"

    def is_looser(self, was: Any, now: Any) -> bool:
        """Whether something may go under `now` that may not under `was`."""
        return LOOSER_CHECKS[self.kind](self, was, now)


def _switch_item(key: str, label: str, **more: Any) -> RuleItem:
    return RuleItem(key=key, label=label, kind="switch", **more)


STATE_ITEMS: tuple[RuleItem, ...] = (
    RuleItem(key="live", label="Hours for calls and texts", kind="week"),
    RuleItem(
        key="dst_live", label="Hours while daylight time is on", kind="week", is_optional=True
    ),
    RuleItem(key="auto", label="Hours for automated messages", kind="week", is_optional=True),
    RuleItem(
        key="prerecorded_sun_holiday",
        label="Recorded calls on Sundays and holidays",
        kind="hours",
        is_optional=True,
    ),
    RuleItem(key="caps", label="Contacts at most", kind="caps"),
    RuleItem(key="auto_caps", label="Automated contacts at most", kind="caps"),
    RuleItem(key="holidays", label="Holidays without calls and texts", kind="holidays"),
    RuleItem(key="proclaimed", label="Proclaimed days without calls and texts", kind="dates"),
    _switch_item("pewc_all_marketing", "Written consent before any marketing call or text"),
    _switch_item("no_ebr_exemption", "Having been in touch does not answer the state’s own list"),
    _switch_item(
        "rnd_required_before_sales_call", "Reassigned numbers are checked before a sales call"
    ),
    _switch_item("no_recorded_message", "No recorded or artificial voice"),
    _switch_item("no_adad", "No automatic dialing and announcing device"),
    _switch_item("mobile_unsolicited_ban", "No call to a mobile that was not asked for"),
    _switch_item("commercial_text_needs_consent", "A text typed by hand needs their invitation"),
    _switch_item(EMERGENCY_STOP, "A declared emergency stops sales contact"),
    _switch_item(TRIGGER_LEAD_LAW, "A credit bureau’s lead is told that we are not affiliated"),
    _switch_item(
        "different_time_with_express_consent",
        "They may agree to another hour",
        nature="counsel",
        is_permissive=True,
    ),
    _switch_item(
        "consent_lifts_day_bans",
        "Their consent lifts closed days for a call they asked for",
        nature="counsel",
        is_permissive=True,
    ),
)
FEDERAL_DATA = RULE_DATA["federal"]
EVERYWHERE_ITEMS: tuple[RuleItem, ...] = (
    RuleItem(
        key=effective_rules.FEDERAL_WINDOW_ITEM,
        label="Hours for calls and texts, everywhere",
        kind="week",
        cite=FEDERAL_CITE,
    ),
    RuleItem(
        key="dnc_scrub_days",
        label="A copy of a do-not-call list is good for",
        kind="number",
        unit="days",
        least=1,
        most=90,
        cite=FEDERAL_DATA["dnc_scrub_max_age_days"]["cite"],
    ),
    RuleItem(
        key="ebr_inquiry_months",
        label="An inquiry answers a listing for",
        kind="number",
        unit="months",
        most=12,
        cite=FEDERAL_DATA["ebr"]["cite"],
    ),
    RuleItem(
        key="ebr_transaction_months",
        label="Having been a customer answers a listing for",
        kind="number",
        unit="months",
        most=36,
        cite=FEDERAL_DATA["ebr"]["cite"],
    ),
    RuleItem(
        key="rnd_check_days",
        label="A check of a reassigned number is good for",
        kind="number",
        unit="days",
        most=90,
        cite=FEDERAL_DATA["rnd"]["cite"],
    ),
    RuleItem(
        key="rnd_contact_days",
        label="Having reached them stands for that check for",
        kind="number",
        unit="days",
        most=90,
        cite=FEDERAL_DATA["rnd"]["cite"],
    ),
    RuleItem(
        key="confirm_seconds",
        label="A stop is confirmed within",
        kind="number",
        unit="seconds",
        most=3600,
        cite=FEDERAL_DATA["revocation"]["cite"],
    ),
    RuleItem(
        key="confirm_count",
        label="Texts that confirm one stop",
        kind="number",
        unit="texts",
        most=3,
        cite=FEDERAL_DATA["revocation"]["cite"],
    ),
    RuleItem(
        key="unsubscribe_days",
        label="An unsubscribe link works for",
        kind="number",
        unit="days",
        least=1,
        most=3650,
        cite="15 USC 7704(a)(3)",
    ),
    *(
        RuleItem(
            key=f"guard_{medium}",
            label=f"{name} stop before the hours end",
            kind="number",
            nature="house",
            unit="minutes",
            most=120,
            cite="house",
        )
        for medium, name in (
            ("text", "Texts"),
            ("call", "Calls"),
            ("voicemail_drop", "Voicemails"),
        )
    ),
    *(
        RuleItem(
            key=HOUSE_CAP_ITEMS[medium],
            label=f"{name} to one person at most",
            kind="caps",
            nature="house",
            cite="house",
        )
        for medium, name in (("call", "Calls"), ("text", "Texts"), ("email", "E-mails"))
    ),
    *(
        RuleItem(
            key=f"first_day_{medium}",
            label=f"{name} in the first 24 hours of an inquiry",
            kind="number",
            nature="house",
            unit="",
            most=10,
            cite="house",
        )
        for medium, name in (("call", "Calls"), ("text", "Texts"), ("email", "E-mails"))
    ),
    RuleItem(
        key="first_week_email",
        label="E-mails in the first week of an inquiry",
        kind="number",
        nature="house",
        most=20,
        cite="house",
    ),
    *(
        RuleItem(
            key=f"release_{name}",
            label=label,
            kind="number",
            nature="house",
            least=least,
            most=most,
            cite="house",
        )
        for name, label, least, most in (
            ("free_size", "People a release reaches without a second person", 0, 100),
            ("canary_size", "People a release reaches first, before somebody looks", 1, 50),
            ("per_hour", "Messages of one release in an hour", 1, 5000),
        )
    ),
)
STATE_ITEMS_BY_KEY = {state_item.key: state_item for state_item in STATE_ITEMS}
EVERYWHERE_ITEMS_BY_KEY = {
    everywhere_item.key: everywhere_item for everywhere_item in EVERYWHERE_ITEMS
}


def place_items(place: str) -> dict[str, RuleItem]:
    """What may be changed of a state, or of what holds everywhere; nothing of no such place."""
    if place == effective_rules.EVERYWHERE:
        return EVERYWHERE_ITEMS_BY_KEY
    return STATE_ITEMS_BY_KEY if place in STATES else {}


def shipped_value(place: str, item: str, day: date) -> Any:
    """The value as it came with the program, on a local date, of the shape of rules.yaml."""
    if place == effective_rules.EVERYWHERE:
        return _shipped_everywhere_value(item)
    spec = _state_spec(place)
    kind = STATE_ITEMS_BY_KEY[item].kind
    if item == "live":
        return spec.get("live") or _version_on(spec, day)["live"]
    if item == "holidays":
        return list(RULE_DATA["state_holidays"].get(spec.get("holidays", ""), []))
    if item == "proclaimed":
        return [one.isoformat() for one in RULE_DATA["proclaimed_holidays"].get(place, [])]
    if kind == "switch":
        return item in STATES[place].flags
    return spec.get(item, [] if kind == "caps" else None)


def shipped_cite(place: str, item: str, day: date) -> str:
    """Where that value comes from."""
    if place == effective_rules.EVERYWHERE:
        return EVERYWHERE_ITEMS_BY_KEY[item].cite
    if item in STATE_LIST_KEYS:
        return str(RULE_DATA[STATE_LIST_KEYS[item]].get("cite", "state trigger-lead laws"))
    spec = _state_spec(place)
    return str(spec.get("cite") or _version_on(spec, day)["cite"])


def shipped_since(place: str, item: str, day: date) -> date | None:
    """The first day of that value, where the rule data give one."""
    spec = {} if place == effective_rules.EVERYWHERE else _state_spec(place)
    return (
        _version_on(spec, day)["effective_from"] if item == "live" and "versions" in spec else None
    )


def _state_spec(place: str) -> dict[str, Any]:
    spec: dict[str, Any] = RULE_DATA["states"].get(place) or RULE_DATA["territories"][place]
    return spec


def _version_on(spec: dict[str, Any], day: date) -> dict[str, Any]:
    found: list[dict[str, Any]] = spec["versions"]
    begun = [one for one in found if one["effective_from"] <= day]
    return begun[-1] if begun else found[0]


def _shipped_everywhere_value(item: str) -> Any:
    if item == effective_rules.FEDERAL_WINDOW_ITEM:
        hours = FEDERAL_DATA[effective_rules.FEDERAL_WINDOW_ITEM]["mon_sun"]
        return dict.fromkeys(DAY_KEYS, hours)
    return (
        CHANGEABLE_NUMBERS[item]
        if item in CHANGEABLE_NUMBERS
        else list(RULE_DATA["house_caps"][item])
    )


def _federal_hours() -> dict[str, Any]:
    week: dict[str, Any] = _shipped_everywhere_value(effective_rules.FEDERAL_WINDOW_ITEM)
    return week


def _is_looser_week(one: RuleItem, was: Any, now: Any) -> bool:
    """A day opens earlier, closes later, or is open at all. No hours of its own: the federal."""
    before, after = (_federal_hours() if week in (None, "federal") else week for week in (was, now))
    return any(_is_looser_hours(one, before[day], after[day], closed=True) for day in DAY_KEYS)


def _is_looser_hours(one: RuleItem, was: Any, now: Any, *, closed: bool = False) -> bool:
    """Args: closed: none is a closed day; otherwise it is no limit."""
    nothing = ["12:00", "12:00"] if closed else ALL_DAY_HOURS
    before, after = was or nothing, now or nothing
    if closed and not now:
        return False
    return bool(after[0] < before[0] or after[1] > before[1])


def _is_looser_caps(one: RuleItem, was: Any, now: Any) -> bool:
    """A limit that held is not implied by any that holds now."""
    return not all(
        any(new["n"] <= old["n"] and cap_hours(new) >= cap_hours(old) for new in now) for old in was
    )


def cap_hours(cap: dict[str, Any]) -> int:
    """The hours that a limit looks back."""
    return int(cap.get("hours", 0) + 24 * cap.get("days", 0))


def _is_looser_days(one: RuleItem, was: Any, now: Any) -> bool:
    return bool(set(was) - set(now))


def _is_looser_switch(one: RuleItem, was: Any, now: Any) -> bool:
    return bool(now and not was) if one.is_permissive else bool(was and not now)


def _is_looser_number(one: RuleItem, was: Any, now: Any) -> bool:
    return bool(now < was if one.key in STRICTER_WHEN_LARGER else now > was)


LOOSER_CHECKS: dict[str, Callable[[RuleItem, Any, Any], bool]] = {
    "week": _is_looser_week,
    "hours": _is_looser_hours,
    "caps": _is_looser_caps,
    "holidays": _is_looser_days,
    "dates": _is_looser_days,
    "switch": _is_looser_switch,
    "number": _is_looser_number,
}
