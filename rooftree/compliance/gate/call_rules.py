"""Rules for placing a call: dialing, caller ID, opening words, voice and recording."""

from rooftree.compliance.gate.rulebook import (
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
    """Block dialing when over 3% of a campaign's live answers in 30 days reached no agent."""
    if abandoned * 100 > live_answers * MAX_ABANDON_PERCENT:
        return ABN_01.block("abandon_rate_over_3pct")
    return ABN_01.allow("abandon_rate_ok")


def check_connect_time(*, seconds: float) -> Ruling:
    """Require the recorded identification when no agent speaks within 2 seconds."""
    if seconds > MAX_CONNECT_SECONDS:
        return ABN_01.require("play_abandon_message")
    return ABN_01.allow("abandon_rate_ok")


def check_ring_time(*, seconds: float, rings: int) -> Ruling:
    """Block hanging up before 15 seconds or 4 rings."""
    if seconds < MIN_RING_SECONDS and rings < MIN_RINGS:
        return ABN_01.block("ring_too_short")
    return ABN_01.allow("abandon_rate_ok")


def check_caller_id(*, shown: str, is_ours: bool, takes_requests: bool) -> Ruling:
    """Require a caller ID of the company that takes do-not-call requests in business hours."""
    if not shown.startswith("+"):
        return CID_01.block("caller_id_required")
    if not is_ours or not takes_requests:
        return CID_01.block("caller_id_not_ours")
    return CID_01.allow("caller_id_ok")


def check_identification_time(*, state: str, seconds: float) -> Ruling:
    """Block an opening that identifies caller, company and purpose after the state's limit."""
    law = STATES.get(state)
    limit = None if law is None else law.disclose_seconds
    if limit is not None and seconds > limit:
        return DIS_01.block(f"identify_within_{limit}s", law.cite if law else "")
    return DIS_01.allow("identified_in_time")


def check_hang_up_time(*, state: str, seconds: float) -> Ruling:
    """Block a call that ends later after the person's request than the state allows."""
    law = STATES.get(state)
    limit = None if law is None else law.end_call_seconds
    if limit is not None and seconds > limit:
        return DIS_01.block(f"end_within_{limit}s", law.cite if law else "")
    return DIS_01.allow("identified_in_time")


def check_artificial_voice(
    *, state: str, has_consent: bool, has_disclosure: bool, has_opt_out: bool, is_ai: bool
) -> Ruling:
    """Require written consent, an opt-out and AI disclosure for a recorded or AI sales voice."""
    law = STATES.get(state)
    flags = frozenset[str]() if law is None else law.flags
    if "no_recorded_message" in flags:
        return AIV_01.block("state_bans_recorded_message", law.cite if law else "")
    if "no_adad" in flags:
        return AIV_01.block("state_bans_adad", law.cite if law else "")
    if not has_consent:
        return AIV_01.block("artificial_voice_needs_pewc")
    if not has_opt_out:
        return AIV_01.block("optout_mechanism_missing")
    if is_ai and not has_disclosure:
        return AIV_01.require("ai_disclosure")
    return AIV_01.allow("artificial_voice_consented")


def check_recording(*, was_told: bool, has_objected: bool) -> Ruling:
    """Require the recording notice before a recording in any state; an objection ends it.

    The strictest state of any party controls, and an unknown place counts as strict, so the
    house plays the notice on every call.
    """
    if has_objected:
        return REC_01.block("stop_recording")
    if not was_told:
        return REC_01.require("recording_notice")
    return REC_01.allow("notice_given")
