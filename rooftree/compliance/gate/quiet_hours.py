"""Calling hours for calls and texts, on every clock that might apply to the person."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from rooftree.compliance.gate import effective_rules, person_places
from rooftree.compliance.gate.facts import PHONE_MEDIA, Facts, Medium, Purpose, Voice, get_fact
from rooftree.compliance.gate.reason_sentences import zone_name
from rooftree.compliance.gate.rulebook import FEDERAL_CITE, FEDERAL_WEEK, Hours, StateRules
from rooftree.compliance.gate.verdict import HOUSE, Rule, Ruling
from rooftree.core.area_codes_and_zones import STATE_NAMES
from rooftree.core.holidays import holiday_dates, is_federal_holiday

HRS_01 = Rule(id="HRS-01", cite=FEDERAL_CITE)
HRS_02 = Rule(id="HRS-02", cite=FEDERAL_CITE)
HOL_01 = Rule(id="HOL-01", cite="state holiday and Sunday laws; see the state row")
REQ_01 = Rule(id="REQ-01", cite="47 CFR 64.1200(f)(15)(i); N.Y. GBL 399-z(2); Va. Code 59.1-511")
LOOK_AHEAD = timedelta(days=14)
STATE_LAW_SILENT = "supervisor_approval_state_silent"  # a supervisor decides
REPLY_WITHIN = timedelta(minutes=15)  # house
REQUEST_WITHIN = timedelta(minutes=15)  # house: how close to the requested time
# With several closed places, the reason that lasts longest is shown.
REASON_PRIORITY = (
    "state_holiday_ban",
    "sunday_ban",
    "automated_day_ban",
    "after_window",
    "before_window",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTraits:
    """The traits of a message that calling hours depend on."""

    is_automated: bool
    is_recorded: bool
    guard: timedelta


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # one instance each: see place_clock
class PlaceClock:
    """One place's time zone and law, with the company's changes."""

    state: str
    zone: ZoneInfo
    changes: effective_rules.Changes = ()

    def rules_on(self, day: date) -> StateRules:
        """Return the place's law on a local date."""
        return effective_rules.state_rules_on(self.state, day, self.changes)

    def closed_reason(self, at: datetime, send: SendTraits) -> str | None:
        """Return the reason this place is closed at `at`, or None when it is open."""
        local = at.astimezone(self.zone)
        hours, reason = _day_hours(self, local, send)
        if hours is None:
            return reason
        closes = datetime.combine(local.date(), hours[1], self.zone) - send.guard
        if local.time() < hours[0]:
            return "before_window"
        return "after_window" if at >= closes.astimezone(UTC) else None

    def next_opening(self, at: datetime, send: SendTraits) -> datetime | None:
        """Return the first open moment at or after `at`, or None within the look-ahead."""
        if self.closed_reason(at, send) is None:
            return at
        day = at.astimezone(self.zone).date()
        for ahead in range(LOOK_AHEAD.days + 2):
            opening = _day_opening(self, day + timedelta(days=ahead), send)
            if opening is not None and opening >= at:
                return opening
        return None


def _day_opening(clock: PlaceClock, day: date, send: SendTraits) -> datetime | None:
    noon = datetime.combine(day, time(12), clock.zone)
    hours, _ = _day_hours(clock, noon, send)
    if hours is None:
        return None
    return datetime.combine(day, hours[0], clock.zone).astimezone(UTC)


def _day_hours(clock: PlaceClock, local: datetime, send: SendTraits) -> tuple[Hours, str]:
    """Return the hours of the local day, or None with the reason there are none."""
    day = local.date()
    state = clock.rules_on(day)
    if day in state.proclaimed or day in holiday_dates(state.holidays, day.year):
        return None, "state_holiday_ban"
    live = state.hours_version_on(day).live
    if state.daylight_live is not None and local.dst():
        live = state.daylight_live
    hours = _intersect_hours(
        live[day.weekday()], effective_rules.federal_week_on(day, clock.changes)[day.weekday()]
    )
    if hours is None:
        return None, "sunday_ban"
    if send.is_automated and state.automated is not None:
        hours = _intersect_hours(hours, state.automated[day.weekday()])
    if send.is_recorded and state.recorded_sunday:
        is_rest_day = day.weekday() == 6 or is_federal_holiday(day)
        hours = _intersect_hours(hours, state.recorded_sunday) if is_rest_day else hours
    return hours, "automated_day_ban"


def _intersect_hours(first: Hours, second: Hours) -> Hours:
    if first is None or second is None:
        return None
    return max(first[0], second[0]), min(first[1], second[1])


@lru_cache(maxsize=4096)
def place_clock(state: str, zone: str, changes: effective_rules.Changes) -> PlaceClock:
    """Return the clock of a state in one of its zones."""
    return PlaceClock(state=state, zone=ZoneInfo(zone), changes=changes)


def candidate_clocks(facts: Facts) -> tuple[PlaceClock, ...]:
    """Return the clocks of all places where the person might be."""
    places = person_places.candidate_places(facts)
    zones = dict.fromkeys((place.state, place.zone) for place in places)
    return tuple(place_clock(state, zone, facts.amendments) for state, zone in zones)


def next_common_opening(
    at: datetime, send: SendTraits, clocks: Iterable[PlaceClock]
) -> datetime | None:
    """Return the first moment at or after `at` when every place is open, within 14 days."""
    end, moment, clocks = at + LOOK_AHEAD, at, tuple(clocks)
    while moment <= end:
        later = moment
        for clock in clocks:
            opening = clock.next_opening(later, send)
            if opening is None:
                return None
            later = opening
        if later == moment:
            return moment
        moment = later
    return None


def send_traits(facts: Facts) -> SendTraits:
    """Return the traits that calling hours depend on. Raises `MissingFact`."""
    voice, medium = get_fact(facts.voice, "voice"), get_fact(facts.medium, "medium")
    guard = get_fact(facts.guard_minutes, "guard_minutes")
    return SendTraits(
        is_automated=get_fact(facts.is_automated, "is_automated"),
        is_recorded=voice in (Voice.AI, Voice.PRERECORDED) or medium == Medium.VOICEMAIL,
        guard=timedelta(
            minutes=effective_rules.effective_number_from(f"guard_{medium}", facts, guard)
        ),
    )


def is_prompt_reply(facts: Facts) -> bool:
    """Return whether this answers the consumer's message within 15 minutes, without promotion."""
    if get_fact(facts.purpose, "purpose") != Purpose.REPLY or get_fact(
        facts.has_promo, "has_promo"
    ):
        return False
    inbound = get_fact(facts.inbound_at, "inbound_at")
    at = get_fact(facts.at, "at")
    return inbound is not None and inbound <= at <= inbound + REPLY_WITHIN


def do_hours_apply(facts: Facts) -> bool:
    """Return whether calling hours apply: telemarketing or promotion by call or text."""
    purpose = get_fact(facts.purpose, "purpose")
    promotes = purpose in (Purpose.MARKETING, Purpose.REPLY) or get_fact(
        facts.has_promo, "has_promo"
    )
    return get_fact(facts.medium, "medium") in PHONE_MEDIA and promotes


def check_quiet_hours(facts: Facts) -> Ruling | None:
    """Check hours, holidays and consumer requests in every place the person might be."""
    if get_fact(facts.medium, "medium") not in PHONE_MEDIA:
        return HRS_01.allow("no_email_hours")
    if not do_hours_apply(facts):
        return _check_service_hours(facts) or HRS_01.allow("transactional")
    missing = person_places.check_location(facts)
    if missing is not None:
        return missing
    at, send, clocks = get_fact(facts.at, "at"), send_traits(facts), candidate_clocks(facts)
    reasons = {clock: clock.closed_reason(at, send) for clock in clocks}
    closed = {clock: reason for clock, reason in reasons.items() if reason is not None}
    if is_prompt_reply(facts):
        return REQ_01.allow("reply_to_consumer_message")
    if not closed:
        return HRS_02.allow("in_window")
    if is_at_requested_time(facts):
        return _check_requested_time(closed, at)
    opening = next_common_opening(at, send, clocks)
    if opening is None:
        return person_places.ZON_01.require("no_common_window")
    return _defer_to_opening(closed, at, opening, send)


def _check_service_hours(facts: Facts) -> Ruling | None:
    """Defer a call or text by hand about the borrower's own loan at night: a house limit.

    The law's hours are for telemarketing. An answer within minutes and a call at the requested
    time disturb nobody.
    """
    if (
        get_fact(facts.purpose, "purpose") != Purpose.TRANSACTIONAL
        or get_fact(facts.is_automated, "is_automated")
        or is_at_requested_time(facts)
    ):
        return None
    at, inbound = get_fact(facts.at, "at"), get_fact(facts.inbound_at, "inbound_at")
    if inbound is not None and inbound <= at <= inbound + REPLY_WITHIN:
        return None
    clocks = candidate_clocks(facts)
    opening = _next_waking_hour(at, clocks)
    if opening <= at:
        return None
    return HRS_01.defer("house_night", to_recipient_clock(opening, facts), HOUSE)


def _next_waking_hour(at: datetime, clocks: Iterable[PlaceClock]) -> datetime:
    """Return the first moment at or after `at` within 8 AM to 9 PM on every clock, or `at`.

    Zones too far apart to share an hour leave the moment as it is.
    """
    moment, zones = at, {clock.zone for clock in clocks}
    while moment < at + LOOK_AHEAD:
        later = max([moment, *(_waking_hour_in(zone, moment) for zone in zones)])
        if later == moment:
            return moment
        moment = later
    return at


def _waking_hour_in(zone: ZoneInfo, at: datetime) -> datetime:
    local = at.astimezone(zone)
    hours = FEDERAL_WEEK[local.weekday()]
    if hours is None or hours[0] <= local.time() < hours[1]:
        return at
    day = local.date() + timedelta(days=local.time() >= hours[1])
    return datetime.combine(day, hours[0], zone).astimezone(UTC)


def _defer_to_opening(
    closed: dict[PlaceClock, str], at: datetime, opening: datetime, send: SendTraits
) -> Ruling:
    clock, reason = min(closed.items(), key=lambda item: REASON_PRIORITY.index(item[1]))
    rule = HOL_01 if reason == "state_holiday_ban" else HRS_02
    local = at.astimezone(clock.zone)
    cite = _hours_citation(clock.rules_on(local.date()), reason, local.date(), send)
    return rule.defer(reason, opening, cite, _closed_sentence(clock, reason, local, send))


def _hours_citation(state: StateRules, reason: str, day: date, send: SendTraits) -> str:
    """Cite the law of the day's hours, with each rule change that affects the day."""
    items = ["dst_live"]
    if reason == "state_holiday_ban":
        items = ["holidays", "proclaimed"]
    elif send.is_automated:
        items += ["auto", "prerecorded_sun_holiday"]
    changed = [state.cites[item] for item in items if item in state.cites]
    return "; ".join([state.hours_version_on(day).cite, *changed])


def _closed_sentence(clock: PlaceClock, reason: str, local: datetime, send: SendTraits) -> str:
    """Say in one sentence why the law closes the place."""
    name = STATE_NAMES.get(clock.state, clock.state)
    if reason not in ("before_window", "after_window"):
        kind = "automated messages" if reason == "automated_day_ban" else "marketing calls or texts"
        when = "this holiday" if reason == "state_holiday_ban" else f"{local:%A}s"
        return f"{name} doesn't allow {kind} on {when}."
    hours, _ = _day_hours(clock, local, send)
    if hours is None:
        return ""
    side, hour = ("before", hours[0]) if reason == "before_window" else ("after", hours[1])
    clock_time = f"{datetime.combine(local.date(), hour):%I:%M %p}".lstrip("0")
    zone = zone_name(clock.zone)
    return f"{name} doesn't allow marketing calls or texts {side} {clock_time} {zone}."


def is_at_requested_time(facts: Facts) -> bool:
    """Return whether this is a human call at a time the consumer requested on record."""
    is_machine = get_fact(facts.voice, "voice") in (Voice.AI, Voice.PRERECORDED)
    is_by_hand = not (get_fact(facts.is_automated, "is_automated") or is_machine)
    if get_fact(facts.medium, "medium") != Medium.CALL or not is_by_hand:
        return False
    requested_at, at = get_fact(facts.requested_at, "requested_at"), get_fact(facts.at, "at")
    return requested_at is not None and abs(at - requested_at) <= REQUEST_WITHIN


def _check_requested_time(closed: Iterable[PlaceClock], at: datetime) -> Ruling:
    """Allow a requested time if every closed state lets the consumer choose it."""
    switches = {"different_time_with_express_consent", "consent_lifts_day_bans"}
    for clock in closed:
        state = clock.rules_on(at.astimezone(clock.zone).date())
        if not (state.flags & switches or (state.is_federal_only and not state.holidays)):
            return REQ_01.require(STATE_LAW_SILENT)
    return REQ_01.allow("consumer_requested_time")


def to_recipient_clock(at: datetime, facts: Facts) -> datetime:
    """Return the same moment on the caller's clock if the person might live by it.

    Otherwise return it on the first place's clock.
    """
    now, clocks = get_fact(facts.at, "at"), candidate_clocks(facts)
    for clock in clocks:
        if now.astimezone(clock.zone).utcoffset() == now.utcoffset():
            return at.astimezone(clock.zone)
    return at.astimezone(clocks[0].zone if clocks else now.tzinfo)
