"""The dated rule data (rules.yaml), read once and typed; nothing here decides."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, time
from functools import cache
from pathlib import Path
from typing import Any

import yaml

type Hours = tuple[time, time] | None  # [opens, closes); None is a day with no contact
type Week = tuple[Hours, ...]  # Monday first

DATA: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "rules.yaml").read_text(encoding="utf-8")
)
VERSION: str = DATA["version"]
AS_OF: date = DATA["as_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most `count` contacts in any `hours`."""

    count: int
    hours: int
    cite: str = "house"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One version of a state's hours, valid on local dates [from_date, until_date)."""

    from_date: date
    until_date: date
    live: Week
    cite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that the rule data says of one state or territory.

    `cites` has, by item, what is cited for a value that this company changed.
    """

    code: str
    zones: tuple[str, ...]
    rows: tuple[Row, ...]
    daylight_live: Week | None  # instead of `live` while daylight time is on
    automated: Week | None  # narrows `live` for automated sends
    recorded_sunday: Hours  # narrows recorded calls on Sundays and holidays
    is_federal_only: bool
    caps: tuple[Cap, ...]
    automated_caps: tuple[Cap, ...]
    holidays: tuple[str, ...]  # definitions, see core.holidays.day_of
    proclaimed: frozenset[date]
    cite: str
    disclose_seconds: int | None
    end_call_seconds: int | None
    flags: frozenset[str]  # names of the switches that are on
    cites: dict[str, str] = field(default_factory=dict)

    def row_on(self, day: date) -> Row:
        """It is the version valid on a local date; the federal window before the first."""
        for row in self.rows:
            if row.from_date <= day < row.until_date:
                return row
        return FEDERAL_ROW

    def cite_of(self, item: str) -> str:
        """Where a value comes from."""
        return self.cites.get(item, self.cite)


def _time(text: str) -> time:
    return time.fromisoformat(text)


def _hours(pair: list[str] | None) -> Hours:
    return None if pair is None else (_time(pair[0]), _time(pair[1]))


def _week(spec: Any) -> Week:
    if spec == "federal":
        return FEDERAL_WEEK
    return (*[_hours(spec["mon_fri"])] * 5, _hours(spec["sat"]), _hours(spec["sun"]))


FEDERAL_CITE: str = DATA["federal"]["telemarketing_window"]["cite"]
FEDERAL_WEEK: Week = tuple([_hours(DATA["federal"]["telemarketing_window"]["mon_sun"])] * 7)
FEDERAL_ROW = Row(from_date=date.min, until_date=date.max, live=FEDERAL_WEEK, cite=FEDERAL_CITE)
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
EMERGENCY, TRIGGER = "emergency_stop", "trigger_lead_law"  # switches that have lists of states


def _rows(spec: dict[str, Any]) -> tuple[Row, ...]:
    versions = spec.get("versions") or [{"live": spec["live"], "cite": spec["cite"]}]
    return tuple(
        Row(
            from_date=one.get("effective_from", date.min),
            until_date=one.get("effective_to", date.max),
            live=_week(one["live"]),
            cite=FEDERAL_CITE if one["live"] == "federal" else one["cite"],
        )
        for one in versions
    )


def _caps(spec: list[dict[str, Any]], cite: str) -> tuple[Cap, ...]:
    return tuple(
        Cap(count=one["n"], hours=one.get("hours", 0) + 24 * one.get("days", 0), cite=cite)
        for one in spec
    )


def _state(code: str, spec: dict[str, Any]) -> State:
    rows = _rows(spec)
    cite = spec.get("cite") or rows[-1].cite
    names = DATA["state_holidays"].get(spec.get("holidays", ""), [])
    return State(
        code=code,
        zones=tuple(spec["zones"]),
        rows=rows,
        daylight_live=_week(spec["dst_live"]) if "dst_live" in spec else None,
        automated=_week(spec["auto"]) if "auto" in spec else None,
        recorded_sunday=_hours(spec.get("prerecorded_sun_holiday")),
        is_federal_only=spec.get("live") == "federal",
        caps=_caps(spec.get("caps", []), cite),
        automated_caps=_caps(spec.get("auto_caps", []), cite),
        holidays=tuple(DATA["holiday_defs"][name] for name in names),
        proclaimed=frozenset(DATA["proclaimed_holidays"].get(code, [])),
        cite=cite,
        disclose_seconds=spec.get("disclose_seconds"),
        end_call_seconds=spec.get("end_call_seconds_after_request"),
        flags=frozenset(name for name in SWITCHES if spec.get(name))
        | {name for name, states in LISTED.items() if code in states},
    )


TRIGGER_STATES: frozenset[str] = frozenset(DATA["trigger_lead_state_laws"]["states"])
EMERGENCY_STATES: frozenset[str] = frozenset(DATA["state_of_emergency_ban"]["states"])
LISTED = {EMERGENCY: EMERGENCY_STATES, TRIGGER: TRIGGER_STATES}
STATES: dict[str, State] = {
    code: _state(code, spec) for code, spec in {**DATA["states"], **DATA["territories"]}.items()
}
SEPARATE_LISTS: frozenset[str] = frozenset(DATA["state_dnc_lists_separate"]["states"])
DATA_LEVEL_STATES: frozenset[str] = frozenset(DATA["glba_data_level_only_states"]["states"])
AI_DISCLOSURE_STATES: frozenset[str] = frozenset(
    code for code in DATA["ai_disclosure_states"] if code in STATES
)
ALL_PARTY: frozenset[str] = frozenset(
    DATA["recording"]["all_party"] + DATA["recording"]["treat_as_all_party"]
)
SCRUB_DAYS: int = DATA["federal"]["dnc_scrub_max_age_days"]["value"]
TRANSACTION_MONTHS: int = DATA["federal"]["ebr"]["transaction_months"]
INQUIRY_MONTHS: int = DATA["federal"]["ebr"]["inquiry_or_application_months"]
RND_DAYS: int = DATA["federal"]["rnd"]["check_max_age_days"]
CONTACT_DAYS: int = DATA["federal"]["rnd"]["needed_when_last_confirmed_contact_older_than_days"]
REVOKE_DAYS: int = DATA["federal"]["revocation"]["legal_max_business_days"]
CONFIRM_SECONDS: int = DATA["federal"]["revocation"]["confirmation_text_max_seconds"]
CONFIRM_COUNT: int = DATA["federal"]["revocation"]["confirmation_texts_max"]
REVOKE_ALL_FROM: date = DATA["federal"]["revoke_all_cross_category"]["mandatory_from"]
TRIGGER_FROM: date = DATA["federal"]["trigger_leads"]["effective"]
ABANDON_PERCENT: float = DATA["federal"]["abandonment"]["max_pct"]
RING_SECONDS: int = DATA["federal"]["abandonment"]["min_ring_seconds"]
RING_COUNT: int = DATA["federal"]["abandonment"]["min_rings"]
CONNECT_SECONDS: int = DATA["federal"]["abandonment"]["connect_within_seconds"]
SPAM_STOP: float = DATA["email"]["bulk"]["spam_rate_stop_pct"]
SPAM_GOAL: float = DATA["email"]["bulk"]["spam_rate_target_pct"]
UNSUBSCRIBE_DAYS: int = DATA["email"]["can_spam"]["optout_works_days_after_send"]
GUARD_MINUTES: dict[str, int] = DATA["semantics"]["guard_minutes_before_close"]
AREA_CODE_ZONES: dict[str, tuple[str, ...]] = {
    code: tuple(zones) for code, zones in DATA["area_codes_multi_zone"].items()
}
HOUSE: dict[str, Any] = DATA["house_caps"]
# What a release is held to, as it stood when it began; the gate never asks for one of these.
RELEASE_LIMITS: dict[str, int] = {
    f"release_{name}": limit for name, limit in DATA["house_releases"].items()
}
NUMBERS: dict[str, int] = {  # that a company may change
    "dnc_scrub_days": SCRUB_DAYS,
    "ebr_transaction_months": TRANSACTION_MONTHS,
    "ebr_inquiry_months": INQUIRY_MONTHS,
    "rnd_check_days": RND_DAYS,
    "rnd_contact_days": CONTACT_DAYS,
    "confirm_seconds": CONFIRM_SECONDS,
    "confirm_count": CONFIRM_COUNT,
    "unsubscribe_days": UNSUBSCRIBE_DAYS,
    **{f"guard_{medium}": minutes for medium, minutes in GUARD_MINUTES.items()},
    "first_day_call": HOUSE["new_inquiry_first_24h"]["call_attempts"],
    "first_day_text": HOUSE["new_inquiry_first_24h"]["texts"],
    "first_day_email": HOUSE["new_inquiry_first_24h"]["emails"],
    "first_week_email": HOUSE["new_inquiry_first_week"]["emails"],
    **RELEASE_LIMITS,
}
# Of two values of these the larger lets less through; of every other number the smaller.
MORE_IS_STRICTER = frozenset({"unsubscribe_days", *(f"guard_{one}" for one in GUARD_MINUTES)})
HOUSE_CAPS = {  # by medium, in the data
    "call": "call_attempts",
    "text": "marketing_texts",
    "email": "marketing_emails",
}


@cache
def house_caps(medium: str) -> tuple[Cap, ...]:
    """They are the everyday house caps of call, text or email."""
    return house_caps_of(HOUSE[HOUSE_CAPS[medium]]) if medium in HOUSE_CAPS else ()


def house_caps_of(value: list[dict[str, Any]]) -> tuple[Cap, ...]:
    """House caps as the data file writes them."""
    return _caps(value, "house")


def week_of(value: Any) -> Week:
    """Hours of a week as the data file writes them, or the federal ones."""
    return _week(value)


def _row(value: Any, cite: str) -> dict[str, Any]:
    row = Row(from_date=date.min, until_date=date.max, live=_week(value), cite=cite)
    return {"rows": (row,), "is_federal_only": value == "federal"}


# By item, what of a state another value of it makes.
MAKES: dict[str, Callable[[Any, str], dict[str, Any]]] = {
    "live": _row,
    "dst_live": lambda value, _: {"daylight_live": _week(value) if value else None},
    "auto": lambda value, _: {"automated": _week(value) if value else None},
    "prerecorded_sun_holiday": lambda value, _: {"recorded_sunday": _hours(value)},
    "caps": lambda value, cite: {"caps": _caps(value, cite)},
    "auto_caps": lambda value, cite: {"automated_caps": _caps(value, cite)},
    "holidays": lambda value, _: {"holidays": tuple(DATA["holiday_defs"][name] for name in value)},
    "proclaimed": lambda value, _: {"proclaimed": frozenset(map(date.fromisoformat, value))},
}


def changed(state: State, item: str, value: Any, cite: str) -> State:
    """The state with one value another, given as the data file writes it; days are ISO text."""
    if item in MAKES:
        made = MAKES[item](value, cite)
    else:
        made = {"flags": state.flags | {item} if value else state.flags - {item}}
    return replace(state, **made, cites={**state.cites, item: cite})
