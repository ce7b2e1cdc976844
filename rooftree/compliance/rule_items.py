"""Which values of the rule data a company may change, what each is for, and which way is stricter.

Everything else (expressions that read text, area codes, wording, time zones) changes with a
release of the program.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from rooftree.compliance import law
from rooftree.compliance.rulebook import (
    DATA,
    EMERGENCY,
    FEDERAL_CITE,
    HOUSE_CAPS,
    MORE_IS_STRICTER,
    NUMBERS,
    RELEASE_LIMITS,
    STATES,
    TRIGGER,
)

ALL_DAY = ["00:00", "24:00"]
DAYS = ("mon_fri", "sat", "sun")
SINCE = {TRIGGER: "trigger_lead_state_laws", EMERGENCY: "state_of_emergency_ban"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One value that may be changed."""

    key: str
    label: str
    kind: str  # week, hours, caps, holidays, dates, switch, number
    nature: str = "law"  # law; house: our own limit; counsel: a reading that counsel chose
    is_optional: bool = False  # a week or hours that need not be there
    unit: str = ""  # of a number
    least: int = 0
    most: int = 0
    lets_through: bool = False  # a switch that allows something while it is on
    cite: str = ""  # of what holds everywhere

    @property
    def is_of_releases(self) -> bool:
        """It is a limit that a release takes along when it begins."""
        return self.key in RELEASE_LIMITS

    @property
    def clock(self) -> str:
        """Whose date a change of it counts by."""
        return "the company’s clock" if self.is_of_releases else "the clock of the place"

    def is_looser(self, was: Any, now: Any) -> bool:
        """Whether something may go under `now` that may not under `was`."""
        return LOOSER[self.kind](self, was, now)


def _switch(key: str, label: str, **more: Any) -> Item:
    return Item(key=key, label=label, kind="switch", **more)


STATE_ITEMS: tuple[Item, ...] = (
    Item(key="live", label="Hours for calls and texts", kind="week"),
    Item(
        key="dst_live", label="Hours while daylight time is on", kind="week", is_optional=True
    ),
    Item(key="auto", label="Hours for automated messages", kind="week", is_optional=True),
    Item(
        key="prerecorded_sun_holiday", label="Recorded calls on Sundays and holidays",
        kind="hours", is_optional=True,
    ),
    Item(key="caps", label="Contacts at most", kind="caps"),
    Item(key="auto_caps", label="Automated contacts at most", kind="caps"),
    Item(key="holidays", label="Holidays without calls and texts", kind="holidays"),
    Item(key="proclaimed", label="Proclaimed days without calls and texts", kind="dates"),
    _switch("pewc_all_marketing", "Written consent before any marketing call or text"),
    _switch("no_ebr_exemption", "Having been in touch does not answer the state’s own list"),
    _switch("rnd_required_before_sales_call", "Reassigned numbers are checked before a sales call"),
    _switch("no_recorded_message", "No recorded or artificial voice"),
    _switch("no_adad", "No automatic dialing and announcing device"),
    _switch("mobile_unsolicited_ban", "No call to a mobile that was not asked for"),
    _switch("commercial_text_needs_consent", "A text typed by hand needs their invitation"),
    _switch(EMERGENCY, "A declared emergency stops sales contact"),
    _switch(TRIGGER, "A credit bureau’s lead is told that we are not affiliated"),
    _switch(
        "different_time_with_express_consent", "They may agree to another hour",
        nature="counsel", lets_through=True,
    ),
    _switch(
        "consent_lifts_day_bans", "Their consent lifts closed days for a call they asked for",
        nature="counsel", lets_through=True,
    ),
)  # fmt: skip
FEDERAL = DATA["federal"]
EVERYWHERE_ITEMS: tuple[Item, ...] = (
    Item(
        key=law.WINDOW, label="Hours for calls and texts, everywhere", kind="week",
        cite=FEDERAL_CITE,
    ),
    Item(
        key="dnc_scrub_days", label="A copy of a do-not-call list is good for", kind="number",
        unit="days", least=1, most=90, cite=FEDERAL["dnc_scrub_max_age_days"]["cite"],
    ),
    Item(
        key="ebr_inquiry_months", label="An inquiry answers a listing for", kind="number",
        unit="months", most=12, cite=FEDERAL["ebr"]["cite"],
    ),
    Item(
        key="ebr_transaction_months", label="Having been a customer answers a listing for",
        kind="number", unit="months", most=36, cite=FEDERAL["ebr"]["cite"],
    ),
    Item(
        key="rnd_check_days", label="A check of a reassigned number is good for", kind="number",
        unit="days", most=90, cite=FEDERAL["rnd"]["cite"],
    ),
    Item(
        key="rnd_contact_days", label="Having reached them stands for that check for",
        kind="number", unit="days", most=90, cite=FEDERAL["rnd"]["cite"],
    ),
    Item(
        key="confirm_seconds", label="A stop is confirmed within", kind="number", unit="seconds",
        most=3600, cite=FEDERAL["revocation"]["cite"],
    ),
    Item(
        key="confirm_count", label="Texts that confirm one stop", kind="number", unit="texts",
        most=3, cite=FEDERAL["revocation"]["cite"],
    ),
    Item(
        key="unsubscribe_days", label="An unsubscribe link works for", kind="number", unit="days",
        least=1, most=3650, cite="15 USC 7704(a)(3)",
    ),
    *(
        Item(
            key=f"guard_{medium}", label=f"{name} stop before the hours end", kind="number",
            nature="house", unit="minutes", most=120, cite="house",
        )
        for medium, name in (
            ("text", "Texts"), ("call", "Calls"), ("voicemail_drop", "Voicemails"),
        )
    ),
    *(
        Item(
            key=HOUSE_CAPS[medium], label=f"{name} to one person at most", kind="caps",
            nature="house", cite="house",
        )
        for medium, name in (("call", "Calls"), ("text", "Texts"), ("email", "E-mails"))
    ),
    *(
        Item(
            key=f"first_day_{medium}", label=f"{name} in the first 24 hours of an inquiry",
            kind="number", nature="house", unit="", most=10, cite="house",
        )
        for medium, name in (("call", "Calls"), ("text", "Texts"), ("email", "E-mails"))
    ),
    Item(
        key="first_week_email", label="E-mails in the first week of an inquiry", kind="number",
        nature="house", most=20, cite="house",
    ),
    *(
        Item(
            key=f"release_{name}", label=label, kind="number", nature="house", least=least,
            most=most, cite="house",
        )
        for name, label, least, most in (
            ("free_size", "People a release reaches without a second person", 0, 100),
            ("canary_size", "People a release reaches first, before somebody looks", 1, 50),
            ("per_hour", "Messages of one release in an hour", 1, 5000),
        )
    ),
)  # fmt: skip
OF_STATE = {one.key: one for one in STATE_ITEMS}
OF_EVERYWHERE = {one.key: one for one in EVERYWHERE_ITEMS}


def items_of(place: str) -> dict[str, Item]:
    """What may be changed of a state, or of what holds everywhere; nothing of no such place."""
    if place == law.EVERYWHERE:
        return OF_EVERYWHERE
    return OF_STATE if place in STATES else {}


def shipped(place: str, item: str, day: date) -> Any:
    """The value as it came with the program, on a local date, of the shape of rules.yaml."""
    if place == law.EVERYWHERE:
        return _shipped_everywhere(item)
    spec = _spec(place)
    kind = OF_STATE[item].kind
    if item == "live":
        return spec.get("live") or _version(spec, day)["live"]
    if item == "holidays":
        return list(DATA["state_holidays"].get(spec.get("holidays", ""), []))
    if item == "proclaimed":
        return [one.isoformat() for one in DATA["proclaimed_holidays"].get(place, [])]
    if kind == "switch":
        return item in STATES[place].flags
    return spec.get(item, [] if kind == "caps" else None)


def shipped_cite(place: str, item: str, day: date) -> str:
    """Where that value comes from."""
    if place == law.EVERYWHERE:
        return OF_EVERYWHERE[item].cite
    if item in SINCE:
        return str(DATA[SINCE[item]].get("cite", "state trigger-lead laws"))
    spec = _spec(place)
    return str(spec.get("cite") or _version(spec, day)["cite"])


def shipped_since(place: str, item: str, day: date) -> date | None:
    """The first day of that value, where the rule data give one."""
    spec = {} if place == law.EVERYWHERE else _spec(place)
    return _version(spec, day)["effective_from"] if item == "live" and "versions" in spec else None


def _spec(place: str) -> dict[str, Any]:
    spec: dict[str, Any] = DATA["states"].get(place) or DATA["territories"][place]
    return spec


def _version(spec: dict[str, Any], day: date) -> dict[str, Any]:
    found: list[dict[str, Any]] = spec["versions"]
    begun = [one for one in found if one["effective_from"] <= day]
    return begun[-1] if begun else found[0]


def _shipped_everywhere(item: str) -> Any:
    if item == law.WINDOW:
        hours = FEDERAL[law.WINDOW]["mon_sun"]
        return dict.fromkeys(DAYS, hours)
    return NUMBERS[item] if item in NUMBERS else list(DATA["house_caps"][item])


def _federal() -> dict[str, Any]:
    week: dict[str, Any] = _shipped_everywhere(law.WINDOW)
    return week


def _looser_week(one: Item, was: Any, now: Any) -> bool:
    """A day opens earlier, closes later, or is open at all. No hours of its own: the federal."""
    before, after = (_federal() if week in (None, "federal") else week for week in (was, now))
    return any(_looser_hours(one, before[day], after[day], closed=True) for day in DAYS)


def _looser_hours(one: Item, was: Any, now: Any, *, closed: bool = False) -> bool:
    """Args: closed: none is a closed day; otherwise it is no limit."""
    nothing = ["12:00", "12:00"] if closed else ALL_DAY
    before, after = was or nothing, now or nothing
    if closed and not now:
        return False
    return bool(after[0] < before[0] or after[1] > before[1])


def _looser_caps(one: Item, was: Any, now: Any) -> bool:
    """A limit that held is not implied by any that holds now."""
    return not all(
        any(new["n"] <= old["n"] and hours(new) >= hours(old) for new in now) for old in was
    )


def hours(cap: dict[str, Any]) -> int:
    """The hours that a limit looks back."""
    return int(cap.get("hours", 0) + 24 * cap.get("days", 0))


def _looser_days(one: Item, was: Any, now: Any) -> bool:
    return bool(set(was) - set(now))


def _looser_switch(one: Item, was: Any, now: Any) -> bool:
    return bool(now and not was) if one.lets_through else bool(was and not now)


def _looser_number(one: Item, was: Any, now: Any) -> bool:
    return bool(now < was if one.key in MORE_IS_STRICTER else now > was)


LOOSER: dict[str, Callable[[Item, Any, Any], bool]] = {
    "week": _looser_week,
    "hours": _looser_hours,
    "caps": _looser_caps,
    "holidays": _looser_days,
    "dates": _looser_days,
    "switch": _looser_switch,
    "number": _looser_number,
}
