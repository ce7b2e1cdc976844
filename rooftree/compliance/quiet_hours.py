"""When a call or text may reach a person, by every clock they may live under."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from rooftree.compliance import law, places
from rooftree.compliance.facts import PHONE, Facts, Medium, Purpose, Voice, known
from rooftree.compliance.reasons import zone_words
from rooftree.compliance.rulebook import FEDERAL_CITE, Hours, State
from rooftree.compliance.verdict import Rule, Ruling
from rooftree.core.holidays import days_kept, is_federal_holiday
from rooftree.core.zones import STATE_NAMES

HRS_01 = Rule(id="HRS-01", cite=FEDERAL_CITE)
HRS_02 = Rule(id="HRS-02", cite=FEDERAL_CITE)
HOL_01 = Rule(id="HOL-01", cite="state holiday and Sunday laws; see the state row")
REQ_01 = Rule(id="REQ-01", cite="47 CFR 64.1200(f)(15)(i); N.Y. GBL 399-z(2); Va. Code 59.1-511")
LOOK_AHEAD = timedelta(days=14)
STATE_SILENT = "supervisor_approval_state_silent"  # what a supervisor then decides
REPLY_WITHIN = timedelta(minutes=15)  # house
REQUEST_WITHIN = timedelta(minutes=15)  # house: how near a call must be to the time asked for
# Of several closed places, the reason that holds longest is told.
REASONS = (
    "state_holiday_ban",
    "sunday_ban",
    "automated_day_ban",
    "after_window",
    "before_window",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """What of a message matters to the clock."""

    is_automated: bool
    is_recorded: bool
    guard: timedelta


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # there is one of each: see _clock
class Clock:
    """One place's law, as changed, and its zone."""

    state: str
    zone: ZoneInfo
    changes: law.Changes = ()

    def law(self, day: date) -> State:
        """It is the law of the place on a date of its own."""
        return law.state_on(self.state, day, self.changes)

    def closed(self, at: datetime, send: Send) -> str | None:
        """It is the reason why this place is closed at `at`, or None when it is open."""
        local = at.astimezone(self.zone)
        hours, reason = _day(self, local, send)
        if hours is None:
            return reason
        closes = datetime.combine(local.date(), hours[1], self.zone) - send.guard
        if local.time() < hours[0]:
            return "before_window"
        return "after_window" if at >= closes.astimezone(UTC) else None

    def opens(self, at: datetime, send: Send) -> datetime | None:
        """It is the first open moment at or after `at`, within the look-ahead."""
        if self.closed(at, send) is None:
            return at
        day = at.astimezone(self.zone).date()
        for ahead in range(LOOK_AHEAD.days + 2):
            opening = _opening(self, day + timedelta(days=ahead), send)
            if opening is not None and opening >= at:
                return opening
        return None


def _opening(clock: Clock, day: date, send: Send) -> datetime | None:
    noon = datetime.combine(day, time(12), clock.zone)
    hours, _ = _day(clock, noon, send)
    if hours is None:
        return None
    return datetime.combine(day, hours[0], clock.zone).astimezone(UTC)


def _day(clock: Clock, local: datetime, send: Send) -> tuple[Hours, str]:
    """They are the hours of the local day, or None with the reason why there are none."""
    day = local.date()
    state = clock.law(day)
    if day in state.proclaimed or day in days_kept(state.holidays, day.year):
        return None, "state_holiday_ban"
    live = state.row_on(day).live
    if state.daylight_live is not None and local.dst():
        live = state.daylight_live
    hours = _narrower(live[day.weekday()], law.federal_week(day, clock.changes)[day.weekday()])
    if hours is None:
        return None, "sunday_ban"
    if send.is_automated and state.automated is not None:
        hours = _narrower(hours, state.automated[day.weekday()])
    if send.is_recorded and state.recorded_sunday and _is_rest_day(day):
        hours = _narrower(hours, state.recorded_sunday)
    return hours, "automated_day_ban"


def _is_rest_day(day: date) -> bool:
    return day.weekday() == 6 or is_federal_holiday(day)


def _narrower(one: Hours, other: Hours) -> Hours:
    if one is None or other is None:
        return None
    return max(one[0], other[0]), min(one[1], other[1])


@lru_cache(maxsize=4096)
def clock_of(state: str, zone: str, changes: law.Changes) -> Clock:
    """It is the clock of a state in one of its zones."""
    return Clock(state=state, zone=ZoneInfo(zone), changes=changes)


def clocks(facts: Facts) -> tuple[Clock, ...]:
    """They are the clocks of all candidate places."""
    return tuple(
        clock_of(state, zone, facts.amendments)
        for state, zone in dict.fromkeys((p.state, p.zone) for p in places.candidates(facts))
    )


def common_opening(at: datetime, send: Send, where: Iterable[Clock]) -> datetime | None:
    """It is the first moment at or after `at` when every place is open, within 14 days."""
    end, moment, kept = at + LOOK_AHEAD, at, tuple(where)
    while moment <= end:
        later = moment
        for clock in kept:
            opening = clock.opens(later, send)
            if opening is None:
                return None
            later = opening
        if later == moment:
            return moment
        moment = later
    return None


def send_of(facts: Facts) -> Send:
    """It is what of these facts matters to the clock. Raises `FactMissing`."""
    voice, medium = known(facts.voice, "voice"), known(facts.medium, "medium")
    guard = known(facts.guard_minutes, "guard_minutes")
    return Send(
        is_automated=known(facts.is_automated, "is_automated"),
        is_recorded=voice in (Voice.AI, Voice.PRERECORDED) or medium == Medium.VOICEMAIL,
        guard=timedelta(minutes=law.changed_number(f"guard_{medium}", facts, guard)),
    )


def is_prompt_reply(facts: Facts) -> bool:
    """It answers the consumer's own message within 15 minutes and promotes nothing."""
    if known(facts.purpose, "purpose") != Purpose.REPLY or known(facts.has_promo, "has_promo"):
        return False
    inbound = known(facts.inbound_at, "inbound_at")
    at = known(facts.at, "at")
    return inbound is not None and inbound <= at <= inbound + REPLY_WITHIN


def is_covered(facts: Facts) -> bool:
    """Hours govern the message: telemarketing, or anything that promotes, by phone or text."""
    purpose = known(facts.purpose, "purpose")
    promotes = purpose in (Purpose.MARKETING, Purpose.REPLY) or known(facts.has_promo, "has_promo")
    return known(facts.medium, "medium") in PHONE and promotes


def decide(facts: Facts) -> Ruling | None:
    """Hours, holidays and requests of the consumer, in every place they may be."""
    if known(facts.medium, "medium") not in PHONE:
        return HRS_01.allow("no_email_hours")
    if not is_covered(facts):
        return HRS_01.allow("transactional")
    missing = places.has_location(facts)
    if missing is not None:
        return missing
    at, send, where = known(facts.at, "at"), send_of(facts), clocks(facts)
    reasons = {clock: clock.closed(at, send) for clock in where}
    shut = {clock: reason for clock, reason in reasons.items() if reason is not None}
    if is_prompt_reply(facts):
        return REQ_01.allow("reply_to_consumer_message")
    if not shut:
        return HRS_02.allow("in_window")
    if is_at_their_request(facts):
        return _as_requested(shut, at)
    opening = common_opening(at, send, where)
    if opening is None:
        return places.ZON_01.require("no_common_window")
    return _defer(shut, at, opening, send)


def _defer(shut: dict[Clock, str], at: datetime, opening: datetime, send: Send) -> Ruling:
    clock, reason = min(shut.items(), key=lambda one: REASONS.index(one[1]))
    rule = HOL_01 if reason == "state_holiday_ban" else HRS_02
    local = at.astimezone(clock.zone)
    cite = _cite(clock.law(local.date()), reason, local.date(), send)
    return rule.defer(reason, opening, cite, _detail(clock, reason, local, send))


def _cite(state: State, reason: str, day: date, send: Send) -> str:
    """It is the law of the day's hours, with every change that made the day narrower or wider."""
    items = ["dst_live"]
    if reason == "state_holiday_ban":
        items = ["holidays", "proclaimed"]
    elif send.is_automated:
        items += ["auto", "prerecorded_sun_holiday"]
    changed = [state.cites[one] for one in items if one in state.cites]
    return "; ".join([state.row_on(day).cite, *changed])


def _detail(clock: Clock, reason: str, local: datetime, send: Send) -> str:
    """It is the law of the closed place in one sentence."""
    name = STATE_NAMES.get(clock.state, clock.state)
    if reason not in ("before_window", "after_window"):
        kind = "automated messages" if reason == "automated_day_ban" else "marketing calls or texts"
        when = "this holiday" if reason == "state_holiday_ban" else f"{local:%A}s"
        return f"{name} does not allow {kind} on {when}."
    hours, _ = _day(clock, local, send)
    if hours is None:
        return ""
    side, hour = ("before", hours[0]) if reason == "before_window" else ("after", hours[1])
    said = f"{datetime.combine(local.date(), hour):%I:%M %p}".lstrip("0")
    return f"{name} does not allow marketing calls or texts {side} {said} {zone_words(clock.zone)}."


def is_at_their_request(facts: Facts) -> bool:
    """A human call at a time for which the consumer's recorded request is on file."""
    if known(facts.medium, "medium") != Medium.CALL or known(facts.is_automated, "is_automated"):
        return False
    asked, at = known(facts.requested_at, "requested_at"), known(facts.at, "at")
    return asked is not None and abs(at - asked) <= REQUEST_WITHIN


def _as_requested(shut: dict[Clock, str], at: datetime) -> Ruling:
    laws = (clock.law(at.astimezone(clock.zone).date()) for clock in shut)
    if all(_lets_consumer_choose(one) for one in laws):
        return REQ_01.allow("consumer_requested_time")
    return REQ_01.require(STATE_SILENT)


def _lets_consumer_choose(state: State) -> bool:
    named = {"different_time_with_express_consent", "consent_lifts_day_bans"}
    return bool(state.flags & named) or (state.is_federal_only and not state.holidays)


def in_local_words(at: datetime, facts: Facts) -> datetime:
    """It is the same moment on the clock the caller reads, if the person may live by it.

    Otherwise on the first place's clock.
    """
    now, where = known(facts.at, "at"), clocks(facts)
    for clock in where:
        if now.astimezone(clock.zone).utcoffset() == now.utcoffset():
            return at.astimezone(clock.zone)
    return at.astimezone(where[0].zone if where else now.tzinfo)
