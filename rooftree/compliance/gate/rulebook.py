"""The dated rule data (rules.yaml), read once and typed; no decisions are made here."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, time
from functools import cache
from pathlib import Path
from typing import Any

import yaml

type Hours = tuple[time, time] | None  # [opens, closes); None: no contact that day
type Week = tuple[Hours, ...]  # Monday first

RULE_DATA: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "rules.yaml").read_text(encoding="utf-8")
)
RULES_VERSION: str = RULE_DATA["version"]
RULES_AS_OF: date = RULE_DATA["as_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """A limit of `count` contacts in any `hours`."""

    count: int
    hours: int
    cite: str = "house"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursVersion:
    """One version of a state's hours, valid on local dates [from_date, until_date)."""

    from_date: date
    until_date: date
    live: Week
    cite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRules:
    """The rule data of one state or territory.

    `cites` maps an item to the citation of a value that this company changed.
    """

    code: str
    zones: tuple[str, ...]
    rows: tuple[HoursVersion, ...]
    daylight_live: Week | None  # replaces `live` during daylight saving time
    automated: Week | None  # narrows `live` for automated sends
    recorded_sunday: Hours  # narrows recorded calls on Sundays and holidays
    is_federal_only: bool
    caps: tuple[Cap, ...]
    automated_caps: tuple[Cap, ...]
    holidays: tuple[str, ...]  # definitions, see core.holidays.holiday_dates
    proclaimed: frozenset[date]
    cite: str
    disclose_seconds: int | None
    end_call_seconds: int | None
    flags: frozenset[str]  # names of the switches that are on
    cites: dict[str, str] = field(default_factory=dict)

    def hours_version_on(self, day: date) -> HoursVersion:
        """Return the version in force on a local date; the federal hours before the first."""
        for version in self.rows:
            if version.from_date <= day < version.until_date:
                return version
        return FEDERAL_HOURS

    def citation_for(self, item: str) -> str:
        """Return the citation of a value: of its rule change, else the state's own."""
        return self.cites.get(item, self.cite)


def _parse_time(text: str) -> time:
    return time.fromisoformat(text)


def _parse_hours(pair: list[str] | None) -> Hours:
    return None if pair is None else (_parse_time(pair[0]), _parse_time(pair[1]))


def _parse_week(spec: Any) -> Week:
    if spec == "federal":
        return FEDERAL_WEEK
    return (
        *[_parse_hours(spec["mon_fri"])] * 5,
        _parse_hours(spec["sat"]),
        _parse_hours(spec["sun"]),
    )


FEDERAL_CITE: str = RULE_DATA["federal"]["telemarketing_window"]["cite"]
FEDERAL_WEEK: Week = tuple(
    [_parse_hours(RULE_DATA["federal"]["telemarketing_window"]["mon_sun"])] * 7
)
FEDERAL_HOURS = HoursVersion(
    from_date=date.min, until_date=date.max, live=FEDERAL_WEEK, cite=FEDERAL_CITE
)
SWITCHES = (
    "pewc_all_marketing",
    "pewc_automated",
    "no_ebr_exemption",
    "rnd_required_before_sales_call",
    "no_recorded_message",
    "mobile_unsolicited_ban",
    "emergency_ban",
    "different_time_with_express_consent",
    "consent_lifts_day_bans",
    "commercial_text_needs_consent",
    "no_adad",
)
# Switches that are lists of states in the data.
EMERGENCY_STOP, TRIGGER_LEAD_LAW = "emergency_stop", "trigger_lead_law"


def _parse_hours_versions(spec: dict[str, Any]) -> tuple[HoursVersion, ...]:
    versions = spec.get("versions") or [{"live": spec["live"], "cite": spec["cite"]}]
    return tuple(
        HoursVersion(
            from_date=version.get("effective_from", date.min),
            until_date=version.get("effective_to", date.max),
            live=_parse_week(version["live"]),
            cite=FEDERAL_CITE if version["live"] == "federal" else version["cite"],
        )
        for version in versions
    )


def _parse_caps(spec: list[dict[str, Any]], cite: str) -> tuple[Cap, ...]:
    return tuple(
        Cap(count=cap["n"], hours=cap.get("hours", 0) + 24 * cap.get("days", 0), cite=cite)
        for cap in spec
    )


def _parse_state(code: str, spec: dict[str, Any]) -> StateRules:
    rows = _parse_hours_versions(spec)
    cite = spec.get("cite") or rows[-1].cite
    names = RULE_DATA["state_holidays"].get(spec.get("holidays", ""), [])
    return StateRules(
        code=code,
        zones=tuple(spec["zones"]),
        rows=rows,
        daylight_live=_parse_week(spec["dst_live"]) if "dst_live" in spec else None,
        automated=_parse_week(spec["auto"]) if "auto" in spec else None,
        recorded_sunday=_parse_hours(spec.get("prerecorded_sun_holiday")),
        is_federal_only=spec.get("live") == "federal",
        caps=_parse_caps(spec.get("caps", []), cite),
        automated_caps=_parse_caps(spec.get("auto_caps", []), cite),
        holidays=tuple(RULE_DATA["holiday_defs"][name] for name in names),
        proclaimed=frozenset(RULE_DATA["proclaimed_holidays"].get(code, [])),
        cite=cite,
        disclose_seconds=spec.get("disclose_seconds"),
        end_call_seconds=spec.get("end_call_seconds_after_request"),
        flags=frozenset(name for name in SWITCHES if spec.get(name))
        | {name for name, states in STATES_BY_SWITCH.items() if code in states},
    )


TRIGGER_STATES: frozenset[str] = frozenset(RULE_DATA["trigger_lead_state_laws"]["states"])
EMERGENCY_STATES: frozenset[str] = frozenset(RULE_DATA["state_of_emergency_ban"]["states"])
STATES_BY_SWITCH = {EMERGENCY_STOP: EMERGENCY_STATES, TRIGGER_LEAD_LAW: TRIGGER_STATES}
STATES: dict[str, StateRules] = {
    code: _parse_state(code, spec)
    for code, spec in {**RULE_DATA["states"], **RULE_DATA["territories"]}.items()
}
STATES_WITH_OWN_DNC_LIST: frozenset[str] = frozenset(
    RULE_DATA["state_dnc_lists_separate"]["states"]
)
DATA_LEVEL_STATES: frozenset[str] = frozenset(RULE_DATA["glba_data_level_only_states"]["states"])
ALL_PARTY_RECORDING_STATES: frozenset[str] = frozenset(
    RULE_DATA["recording"]["all_party"] + RULE_DATA["recording"]["treat_as_all_party"]
)
DNC_SCRUB_DAYS: int = RULE_DATA["federal"]["dnc_scrub_max_age_days"]["value"]
EBR_TRANSACTION_MONTHS: int = RULE_DATA["federal"]["ebr"]["transaction_months"]
EBR_INQUIRY_MONTHS: int = RULE_DATA["federal"]["ebr"]["inquiry_or_application_months"]
RND_CHECK_DAYS: int = RULE_DATA["federal"]["rnd"]["check_max_age_days"]
RND_CONTACT_DAYS: int = RULE_DATA["federal"]["rnd"][
    "needed_when_last_confirmed_contact_older_than_days"
]
HONOR_STOP_BUSINESS_DAYS: int = RULE_DATA["federal"]["revocation"]["legal_max_business_days"]
STOP_CONFIRMATION_SECONDS: int = RULE_DATA["federal"]["revocation"]["confirmation_text_max_seconds"]
STOP_CONFIRMATION_LIMIT: int = RULE_DATA["federal"]["revocation"]["confirmation_texts_max"]
REVOKE_ALL_MANDATORY_FROM: date = RULE_DATA["federal"]["revoke_all_cross_category"][
    "mandatory_from"
]
TRIGGER_LEAD_LAW_FROM: date = RULE_DATA["federal"]["trigger_leads"]["effective"]
MAX_ABANDON_PERCENT: float = RULE_DATA["federal"]["abandonment"]["max_pct"]
MIN_RING_SECONDS: int = RULE_DATA["federal"]["abandonment"]["min_ring_seconds"]
MIN_RINGS: int = RULE_DATA["federal"]["abandonment"]["min_rings"]
MAX_CONNECT_SECONDS: int = RULE_DATA["federal"]["abandonment"]["connect_within_seconds"]
SPAM_STOP_PERCENT: float = RULE_DATA["email"]["bulk"]["spam_rate_stop_pct"]
SPAM_GOAL_PERCENT: float = RULE_DATA["email"]["bulk"]["spam_rate_target_pct"]
UNSUBSCRIBE_DAYS: int = RULE_DATA["email"]["can_spam"]["optout_works_days_after_send"]
GUARD_MINUTES: dict[str, int] = RULE_DATA["semantics"]["guard_minutes_before_close"]
HOUSE_LIMITS: dict[str, Any] = RULE_DATA["house_caps"]
# Limits of a campaign, fixed when it starts; the gate never uses them.
RELEASE_LIMITS: dict[str, int] = {
    f"release_{name}": limit for name, limit in RULE_DATA["house_releases"].items()
}
CHANGEABLE_NUMBERS: dict[str, int] = {  # a company can change these
    "dnc_scrub_days": DNC_SCRUB_DAYS,
    "ebr_transaction_months": EBR_TRANSACTION_MONTHS,
    "ebr_inquiry_months": EBR_INQUIRY_MONTHS,
    "rnd_check_days": RND_CHECK_DAYS,
    "rnd_contact_days": RND_CONTACT_DAYS,
    "confirm_seconds": STOP_CONFIRMATION_SECONDS,
    "confirm_count": STOP_CONFIRMATION_LIMIT,
    "unsubscribe_days": UNSUBSCRIBE_DAYS,
    **{f"guard_{medium}": minutes for medium, minutes in GUARD_MINUTES.items()},
    "double_dial_minutes": HOUSE_LIMITS["double_dial"]["minutes"],
    "first_day_call": HOUSE_LIMITS["new_inquiry_first_24h"]["call_attempts"],
    "first_day_text": HOUSE_LIMITS["new_inquiry_first_24h"]["texts"],
    "first_day_email": HOUSE_LIMITS["new_inquiry_first_24h"]["emails"],
    "first_week_email": HOUSE_LIMITS["new_inquiry_first_week"]["emails"],
    **RELEASE_LIMITS,
}
# A larger value of these is stricter; for every other number, a smaller one is.
STRICTER_WHEN_LARGER = frozenset(
    {"unsubscribe_days", *(f"guard_{medium}" for medium in GUARD_MINUTES)}
)
HOUSE_CAP_ITEMS = {  # by medium, in the data
    "call": "call_attempts",
    "text": "marketing_texts",
    "email": "marketing_emails",
}


@cache
def shipped_house_caps(medium: str) -> tuple[Cap, ...]:
    """Return the shipped everyday house caps of call, text or email; none for other media."""
    if medium not in HOUSE_CAP_ITEMS:
        return ()
    return parse_house_caps(HOUSE_LIMITS[HOUSE_CAP_ITEMS[medium]])


def parse_house_caps(value: list[dict[str, Any]]) -> tuple[Cap, ...]:
    """Parse house caps as the data file writes them."""
    return _parse_caps(value, "house")


def parse_week(value: Any) -> Week:
    """Parse a week's hours as the data file writes them; `federal` is the federal hours."""
    return _parse_week(value)


# By item, the fields of `StateRules` that a changed value sets.
FIELDS_BY_ITEM: dict[str, Callable[[Any, str], dict[str, Any]]] = {
    "live": lambda value, cite: {
        "rows": (
            HoursVersion(
                from_date=date.min, until_date=date.max, live=_parse_week(value), cite=cite
            ),
        ),
        "is_federal_only": value == "federal",
    },
    "dst_live": lambda value, _: {"daylight_live": _parse_week(value) if value else None},
    "auto": lambda value, _: {"automated": _parse_week(value) if value else None},
    "prerecorded_sun_holiday": lambda value, _: {"recorded_sunday": _parse_hours(value)},
    "caps": lambda value, cite: {"caps": _parse_caps(value, cite)},
    "auto_caps": lambda value, cite: {"automated_caps": _parse_caps(value, cite)},
    "holidays": lambda value, _: {
        "holidays": tuple(RULE_DATA["holiday_defs"][name] for name in value)
    },
    "proclaimed": lambda value, _: {"proclaimed": frozenset(map(date.fromisoformat, value))},
}


def replace_rule_value(state: StateRules, item: str, value: Any, cite: str) -> StateRules:
    """Return the state with one value replaced.

    `value` is written as in the data file, with days as ISO text. An item that isn't in
    `FIELDS_BY_ITEM` is a switch.
    """
    if item in FIELDS_BY_ITEM:
        changes = FIELDS_BY_ITEM[item](value, cite)
    else:
        changes = {"flags": state.flags | {item} if value else state.flags - {item}}
    return replace(state, **changes, cites={**state.cites, item: cite})
