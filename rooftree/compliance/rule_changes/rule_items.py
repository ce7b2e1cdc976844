"""The values of the rule data that a company can change, and how strict each value is.

Everything else (text patterns, area codes, wording, time zones) changes only with a release of
Rooftree.
"""

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
    """One changeable value."""

    key: str
    label: str
    kind: str  # week, hours, caps, holidays, dates, switch, number
    nature: str = "law"  # law; house: a house limit; counsel: a reading chosen by counsel
    is_optional: bool = False  # a week or hours that can be absent
    unit: str = ""  # of a number
    least: int = 0
    most: int = 0
    is_permissive: bool = False  # a switch that allows contact while it is on
    cite: str = ""  # of a federal or house rule

    @property
    def is_release_limit(self) -> bool:
        """True for a limit that a campaign copies when it starts."""
        return self.key in RELEASE_LIMITS

    @property
    def clock_name(self) -> str:
        """The time zone in which the start date of a change is read."""
        return "company time" if self.is_release_limit else "local time"

    def is_looser(self, was: Any, now: Any) -> bool:
        """Return whether `now` allows contact that `was` does not."""
        match self.kind:
            case "week":
                federal = _shipped_everywhere_value(effective_rules.FEDERAL_WINDOW_ITEM)
                before, after = (
                    federal if week in (None, "federal") else week for week in (was, now)
                )
                return any(
                    _is_looser_hours(before[day], after[day], none_is_closed=True)
                    for day in DAY_KEYS
                )
            case "hours":
                return _is_looser_hours(was, now, none_is_closed=False)
            case "caps":  # looser if no new limit implies an old one
                return not all(
                    any(new["n"] <= old["n"] and cap_hours(new) >= cap_hours(old) for new in now)
                    for old in was
                )
            case "holidays" | "dates":
                return bool(set(was) - set(now))
            case "switch":
                return bool(now and not was if self.is_permissive else was and not now)
        return bool(now < was if self.key in STRICTER_WHEN_LARGER else now > was)


def _switch_item(key: str, label: str, **more: Any) -> RuleItem:
    return RuleItem(key=key, label=label, kind="switch", **more)


STATE_ITEMS: tuple[RuleItem, ...] = (
    RuleItem(key="live", label="Hours for calls and texts", kind="week"),
    RuleItem(
        key="dst_live", label="Hours during daylight saving time", kind="week", is_optional=True
    ),
    RuleItem(key="auto", label="Hours for automated messages", kind="week", is_optional=True),
    RuleItem(
        key="prerecorded_sun_holiday",
        label="Recorded calls on Sundays and holidays",
        kind="hours",
        is_optional=True,
    ),
    RuleItem(key="caps", label="Contact limits", kind="caps"),
    RuleItem(key="auto_caps", label="Automated contact limits", kind="caps"),
    RuleItem(key="holidays", label="Holidays without calls and texts", kind="holidays"),
    RuleItem(key="proclaimed", label="Proclaimed days without calls and texts", kind="dates"),
    _switch_item("pewc_all_marketing", "Written consent before any marketing call or text"),
    _switch_item("no_ebr_exemption", "No business relationship exemption from the state list"),
    _switch_item("rnd_required_before_sales_call", "Reassigned number check before a sales call"),
    _switch_item("no_recorded_message", "No recorded or artificial voice"),
    _switch_item("no_adad", "No automatic dialing and announcing device"),
    _switch_item("mobile_unsolicited_ban", "No unsolicited call to a mobile number"),
    _switch_item("commercial_text_needs_consent", "Manually typed texts need consent"),
    _switch_item(EMERGENCY_STOP, "A declared emergency stops sales contact"),
    _switch_item(TRIGGER_LEAD_LAW, "Credit bureau leads get a no-affiliation disclosure"),
    _switch_item(
        "different_time_with_express_consent",
        "Borrower can agree to a different time",
        nature="counsel",
        is_permissive=True,
    ),
    _switch_item(
        "consent_lifts_day_bans",
        "Consent lifts closed days for a requested call",
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
        label="Do-not-call list copies stay valid for",
        kind="number",
        unit="days",
        least=1,
        most=90,
        cite=FEDERAL_DATA["dnc_scrub_max_age_days"]["cite"],
    ),
    RuleItem(
        key="ebr_inquiry_months",
        label="An inquiry overrides a do-not-call listing for",
        kind="number",
        unit="months",
        most=12,
        cite=FEDERAL_DATA["ebr"]["cite"],
    ),
    RuleItem(
        key="ebr_transaction_months",
        label="A past transaction overrides a do-not-call listing for",
        kind="number",
        unit="months",
        most=36,
        cite=FEDERAL_DATA["ebr"]["cite"],
    ),
    RuleItem(
        key="rnd_check_days",
        label="Reassigned number checks stay valid for",
        kind="number",
        unit="days",
        most=90,
        cite=FEDERAL_DATA["rnd"]["cite"],
    ),
    RuleItem(
        key="rnd_contact_days",
        label="Reaching the borrower replaces that check for",
        kind="number",
        unit="days",
        most=90,
        cite=FEDERAL_DATA["rnd"]["cite"],
    ),
    RuleItem(
        key="confirm_seconds",
        label="Opt-outs are confirmed within",
        kind="number",
        unit="seconds",
        most=3600,
        cite=FEDERAL_DATA["revocation"]["cite"],
    ),
    RuleItem(
        key="confirm_count",
        label="Confirmation texts for each opt-out",
        kind="number",
        unit="texts",
        most=3,
        cite=FEDERAL_DATA["revocation"]["cite"],
    ),
    RuleItem(
        key="unsubscribe_days",
        label="Unsubscribe links work for",
        kind="number",
        unit="days",
        least=1,
        most=3650,
        cite="15 USC 7704(a)(3)",
    ),
    *(
        RuleItem(
            key=f"guard_{medium}",
            label=f"{name}: safety margin before quiet hours",
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
            label=f"{name} to one person, limit",
            kind="caps",
            nature="house",
            cite="house",
        )
        for medium, name in (("call", "Calls"), ("text", "Texts"), ("email", "Emails"))
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
        for medium, name in (("call", "Calls"), ("text", "Texts"), ("email", "Emails"))
    ),
    RuleItem(
        key="double_dial_minutes",
        label="A second call counts with the first within",
        kind="number",
        nature="house",
        unit="minutes",
        most=60,
        cite="house",
    ),
    RuleItem(
        key="first_week_email",
        label="Emails in the first week of an inquiry",
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
            ("free_size", "Campaign size that needs no second approval", 0, 100),
            ("canary_size", "First batch of a campaign, before review", 1, 50),
            ("per_hour", "Messages per hour for each campaign", 1, 5000),
        )
    ),
)
STATE_ITEMS_BY_KEY = {state_item.key: state_item for state_item in STATE_ITEMS}
EVERYWHERE_ITEMS_BY_KEY = {
    everywhere_item.key: everywhere_item for everywhere_item in EVERYWHERE_ITEMS
}


def place_items(place: str) -> dict[str, RuleItem]:
    """Return the changeable items of a state or of `US`; none for an unknown place."""
    if place == effective_rules.EVERYWHERE:
        return EVERYWHERE_ITEMS_BY_KEY
    return STATE_ITEMS_BY_KEY if place in STATES else {}


def shipped_value(place: str, item: str, day: date) -> Any:
    """Return the default value on a local date, in the shape of rules.yaml."""
    if place == effective_rules.EVERYWHERE:
        return _shipped_everywhere_value(item)
    spec = _state_spec(place)
    kind = STATE_ITEMS_BY_KEY[item].kind
    if item == "live":
        return spec.get("live") or _version_on(spec, day)["live"]
    if item == "holidays":
        return list(RULE_DATA["state_holidays"].get(spec.get("holidays", ""), []))
    if item == "proclaimed":
        return [day.isoformat() for day in RULE_DATA["proclaimed_holidays"].get(place, [])]
    if kind == "switch":
        return item in STATES[place].flags
    return spec.get(item, [] if kind == "caps" else None)


def shipped_cite(place: str, item: str, day: date) -> str:
    """Return the citation of the default value."""
    if place == effective_rules.EVERYWHERE:
        return EVERYWHERE_ITEMS_BY_KEY[item].cite
    if item in STATE_LIST_KEYS:
        return str(RULE_DATA[STATE_LIST_KEYS[item]].get("cite", "state trigger-lead laws"))
    spec = _state_spec(place)
    return str(spec.get("cite") or _version_on(spec, day)["cite"])


def shipped_since(place: str, item: str, day: date) -> date | None:
    """Return the first day of the default value, or None if the rule data have none."""
    if place == effective_rules.EVERYWHERE or item != "live":
        return None
    spec = _state_spec(place)
    return _version_on(spec, day)["effective_from"] if "versions" in spec else None


def _state_spec(place: str) -> dict[str, Any]:
    spec: dict[str, Any] = RULE_DATA["states"].get(place) or RULE_DATA["territories"][place]
    return spec


def _version_on(spec: dict[str, Any], day: date) -> dict[str, Any]:
    versions: list[dict[str, Any]] = spec["versions"]
    begun = [version for version in versions if version["effective_from"] <= day]
    return begun[-1] if begun else versions[0]


def _shipped_everywhere_value(item: str) -> Any:
    if item == effective_rules.FEDERAL_WINDOW_ITEM:
        hours = FEDERAL_DATA[effective_rules.FEDERAL_WINDOW_ITEM]["mon_sun"]
        return dict.fromkeys(DAY_KEYS, hours)
    return (
        CHANGEABLE_NUMBERS[item]
        if item in CHANGEABLE_NUMBERS
        else list(RULE_DATA["house_caps"][item])
    )


def _is_looser_hours(was: Any, now: Any, *, none_is_closed: bool) -> bool:
    """Return whether `now` opens earlier or closes later; None is a closed day or no limit."""
    empty = ["12:00", "12:00"] if none_is_closed else ALL_DAY_HOURS
    before, after = was or empty, now or empty
    if none_is_closed and not now:
        return False
    return bool(after[0] < before[0] or after[1] > before[1])


def cap_hours(cap: dict[str, Any]) -> int:
    """Return the hours that a limit looks back."""
    return int(cap.get("hours", 0) + 24 * cap.get("days", 0))
