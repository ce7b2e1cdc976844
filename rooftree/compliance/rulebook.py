"""The dated rule data (rules.yaml), read once and typed; nothing here decides."""

from dataclasses import dataclass
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
    """All that the rule data says of one state or territory."""

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
    flags: frozenset[str]  # names of the true switches of the row

    def row_on(self, day: date) -> Row:
        """It is the version valid on a local date; the federal window before the first."""
        for row in self.rows:
            if row.from_date <= day < row.until_date:
                return row
        return FEDERAL_ROW


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
        flags=frozenset(name for name in SWITCHES if spec.get(name)),
    )


STATES: dict[str, State] = {
    code: _state(code, spec) for code, spec in {**DATA["states"], **DATA["territories"]}.items()
}
SEPARATE_LISTS: frozenset[str] = frozenset(DATA["state_dnc_lists_separate"]["states"])
TRIGGER_STATES: frozenset[str] = frozenset(DATA["trigger_lead_state_laws"]["states"])
DATA_LEVEL_STATES: frozenset[str] = frozenset(DATA["glba_data_level_only_states"]["states"])
EMERGENCY_STATES: frozenset[str] = frozenset(DATA["state_of_emergency_ban"]["states"])
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


@cache
def house_caps(medium: str) -> tuple[Cap, ...]:
    """They are the everyday house caps of call, text or email."""
    key = {"call": "call_attempts", "text": "marketing_texts", "email": "marketing_emails"}
    return _caps(HOUSE[key[medium]], "house") if medium in key else ()
