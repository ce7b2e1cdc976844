"""How a call may be placed: dialing, caller ID, opening words, voice and recording."""

from rooftree.compliance.gate.rulebook import (
    AI_DISCLOSURE_STATES,
    MAX_ABANDON_PERCENT,
    MAX_CONNECT_SECONDS,
    MIN_RING_SECONDS,
    MIN_RINGS,
    STATES,
)
from rooftree.compliance.gate.verdict import Rule, Ruling

ABN_01 = Rule(id="ABN-01", cite="47 CFR 64.1200(a)(6)-(7); 16 CFR 310.4(b)(4)")
CID_01 = Rule(id="CID-01", cite="47 CFR 64.1601(e); 47 USC 227(e)")
DIS_01 = Rule(id="DIS-01", cite="N.J.S.A. 56:8-128; RCW 80.36.390; KRS 367.46953; 201 CMR 12.02(7)")
AIV_01 = Rule(id="AIV-01", cite="47 USC 227(b); FCC 24-17; 47 CFR 64.1200(b)")
REC_01 = Rule(id="REC-01", cite="18 USC 2511(2)(d); Cal. Penal Code 632; Fla. Stat. 934.03")
RECORDED_VOICES = frozenset({"ai", "artificial", "prerecorded"})


def check_abandonment_rate(*, live_answers: int, abandoned: int) -> Ruling:
    """At most three of a hundred live answers of thirty days meet nobody."""
    if abandoned * 100 > live_answers * MAX_ABANDON_PERCENT:
        return ABN_01.block("abandon_rate_over_3pct")
    return ABN_01.allow("abandon_rate_ok")


def check_connect_time(*, seconds: float) -> Ruling:
    """Somebody speaks within two seconds, or the recorded identification plays."""
    if seconds > MAX_CONNECT_SECONDS:
        return ABN_01.require("play_abandon_message")
    return ABN_01.allow("abandon_rate_ok")


def check_ring_time(*, seconds: float, rings: int) -> Ruling:
    """Nobody hangs up before fifteen seconds or four rings."""
    if seconds < MIN_RING_SECONDS and rings < MIN_RINGS:
        return ABN_01.block("ring_too_short")
    return ABN_01.allow("abandon_rate_ok")


def check_caller_id(*, shown: str, is_ours: bool, takes_requests: bool) -> Ruling:
    """The number shown is ours and takes do-not-call requests in business hours."""
    if not shown.startswith("+"):
        return CID_01.block("caller_id_required")
    if not is_ours or not takes_requests:
        return CID_01.block("caller_id_not_ours")
    return CID_01.allow("caller_id_ok")


def check_identification_time(*, state: str, seconds: float) -> Ruling:
    """The caller says who, for whom and why within the state's limit."""
    row = STATES.get(state)
    limit = None if row is None else row.disclose_seconds
    if limit is not None and seconds > limit:
        return DIS_01.block(f"identify_within_{limit}s", row.cite if row else "")
    return DIS_01.allow("identified_in_time")


def check_hang_up_time(*, state: str, seconds: float) -> Ruling:
    """The call ends soon after the person asks."""
    row = STATES.get(state)
    limit = None if row is None else row.end_call_seconds
    if limit is not None and seconds > limit:
        return DIS_01.block(f"end_within_{limit}s", row.cite if row else "")
    return DIS_01.allow("identified_in_time")


def check_artificial_voice(
    *, state: str, has_consent: bool, has_disclosure: bool, has_opt_out: bool, is_ai: bool
) -> Ruling:
    """A recorded or AI voice that sells needs written consent, a way out and honesty."""
    row = STATES.get(state)
    flags = frozenset[str]() if row is None else row.flags
    if "no_recorded_message" in flags:
        return AIV_01.block("state_bans_recorded_message", row.cite if row else "")
    if "no_adad" in flags:
        return AIV_01.block("state_bans_adad", row.cite if row else "")
    if not has_consent:
        return AIV_01.block("artificial_voice_needs_pewc")
    if not has_opt_out:
        return AIV_01.block("optout_mechanism_missing")
    if is_ai and not has_disclosure:
        return AIV_01.require("ai_disclosure")
    return AIV_01.allow("artificial_voice_consented")


def is_ai_disclosure_required(state: str) -> bool:
    """A statute says so; the house discloses everywhere."""
    return state in AI_DISCLOSURE_STATES


def check_recording(*, was_told: bool, has_objected: bool) -> Ruling:
    """Everybody is told before a recording starts, whatever the states; an objection ends it.

    The strictest state of any party controls and an unknown place counts as
    strict, so the house plays the notice on every call.
    """
    if has_objected:
        return REC_01.block("stop_recording")
    if not was_told:
        return REC_01.require("recording_notice")
    return REC_01.allow("notice_given")
