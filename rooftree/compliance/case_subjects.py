"""Every rule that is not about a message, asked by the keys of a rulebook case."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from rooftree.compliance import (
    call_records,
    calling,
    credit_notices,
    credit_reports,
    data_rights,
    fair_lending,
    lint,
    officer_pay,
    partner_pay,
    revocation,
)
from rooftree.compliance.case_actions import of_action, of_send
from rooftree.compliance.case_lists import day, today
from rooftree.compliance.verdict import Ruling

type Given = Mapping[str, Any]
type Answer = Callable[[Given], Ruling]


def _abandonment(given: Given) -> Ruling:
    campaign = given["campaign_30d"]
    return calling.abandonment(
        live_answers=campaign["live_answers"], abandoned=campaign["abandoned"]
    )


def _ringing(given: Given) -> Ruling:
    return calling.ringing(seconds=given["ring_seconds"], rings=given.get("rings", 0))


def _caller_id(given: Given) -> Ruling:
    is_ours = bool(given.get("assigned_to_us", False)) and not given.get("neighbor_spoof")
    takes = bool(given.get("answers_dnc_requests_business_hours", True))
    return calling.caller_id(shown=str(given["caller_id"]), is_ours=is_ours, takes_requests=takes)


def _opening(given: Given) -> Ruling:
    return calling.opening(state=given["state"], seconds=given["identified_within_seconds"])


def _ending(given: Given) -> Ruling:
    seconds = _clock(given["call_ended_at"]) - _clock(given["consumer_asked_end_at"])
    return calling.ending(state=given["state"], seconds=seconds.total_seconds())


def _clock(text: str) -> timedelta:
    hours, minutes, seconds = (float(part) for part in text[-8:].split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _voice(given: Given) -> Ruling:
    return calling.artificial_voice(
        state=given.get("state", ""),
        has_consent=str(given.get("consent") or "none").startswith("pewc"),
        has_disclosure=bool(given.get("script_ai_disclosure", False)),
        has_opt_out=bool(given.get("interactive_optout", True)),
        is_ai=given["voice"] == "ai",
    )


def _recording(given: Given) -> Ruling:
    return calling.recording(
        was_told=bool(given.get("notice_played")), has_objected=bool(given.get("consumer_objected"))
    )


def _decision_notice(given: Given) -> Ruling:
    return credit_notices.decision_notice(
        completed_on=date.fromisoformat(given["application_completed"]),
        sent_on=day(given.get("notice_sent")),
        today=today(given),
    )


def _counteroffer(given: Given) -> Ruling:
    return credit_notices.counteroffer(
        notified_on=date.fromisoformat(given["counteroffer_notified"]),
        is_accepted=bool(given.get("accepted")),
        is_combined=bool(given.get("combined_notice")),
        today=today(given),
    )


def _incomplete(given: Given) -> Ruling:
    reply = given.get("reply")
    received = next((one for key, one in given.items() if _is_receipt(key) and one), None)
    return credit_notices.incomplete(
        received_on=day(received),
        noi_sent_on=day(given.get("noi_sent")),
        reply_by=day(given.get("reply_by")),
        reply_on=day(reply) if reply and "complete" in reply else None,
        today=today(given),
    )


def _is_receipt(key: str) -> bool:
    return any(word in key for word in ("received", "incomplete", "application"))


def _event(given: Given) -> Ruling:
    said = f"{given.get('event', '')} {given.get('disposition', '')}"
    return credit_notices.of_event(said, on=day(given.get("on")), why=str(given.get("trigger", "")))


def _six(given: Given) -> Ruling:
    words = " ".join(str(one) for one in given.values() if not isinstance(one, list | dict))
    is_form = "form" in words or "publish" in words or given.get("in_los") is False
    fields = given.get("fields_collected") or given.get("form_fields") or ()
    return credit_notices.six_items(
        frozenset(fields), on=day(given.get("on")), is_lead_form=is_form or "form_fields" in given
    )


def _esign(given: Given) -> Ruling:
    held = given.get("esign") or {}
    return credit_notices.electronic(
        has_consented=bool(held.get("consented")),
        has_shown_access=bool(held.get("demonstrated_access")),
        is_ended=bool(held.get("email_bounced")) or bool(held.get("withdrawn")),
    )


def _delivery(given: Given) -> Ruling:
    has = bool(given.get("esign_consent"))
    is_paper = given["delivery"] in ("mail", "paper")
    return credit_notices.electronic(
        has_consented=has or is_paper, has_shown_access=has or is_paper, is_ended=False
    )


def _report_basis(given: Given) -> Ruling:
    told = next((_count(one) for key, one in given.items() if "notice" in key), None)
    people = [_count(one) for key, one in given.items() if "notice" not in key]
    if told is not None and max(people, default=0) > told:
        return credit_notices.each_consumer(reports_used=max(people), notices=told)
    has_score = bool(given.get("score_disclosed", told is not None and max(people, default=0) > 0))
    return credit_notices.report_notice(has_score=has_score)


def _count(value: Any) -> int:
    """It is how many: a number, or the members of a list; one for a single name."""
    if isinstance(value, list | tuple):
        return len(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return 1 if isinstance(value, str) and "only" in value else 0


def _breach(given: Given) -> Ruling:
    count = given.get("unencrypted_consumers", given.get("consumers", 0))
    return data_rights.breach(
        consumers=count,
        is_encrypted=bool(given.get("encrypted", False)),
        was_key_taken=bool(given.get("key_accessed", False)),
        discovered_on=day(given.get("discovered")),
    )


def _request(given: Given) -> Ruling:
    return data_rights.deletion_request(data=given.get("data", ""))


def _signal(given: Given) -> Ruling:
    return data_rights.sharing(has_opt_out_signal=bool(given.get("gpc")))


def _privacy(given: Given) -> Ruling:
    return data_rights.state_rights(state=given["state"], data=given["data"])


def _use(given: Given) -> Ruling:
    if "ratio" in given:
        return fair_lending.outcome(ratio=given["ratio"])
    if given["use"] == "spcp":
        return fair_lending.special_program(
            basis=given.get("basis", ""),
            is_for_profit=given.get("entity") == "for_profit",
            on=today(given),
        )
    return fair_lending.use(
        use=given["use"],
        field=given.get("field", ""),
        why=given.get("why", ""),
        direction=given.get("direction", ""),
    )


def _payee(given: Given) -> Ruling:
    if given.get("thing"):
        return partner_pay.gift()
    return partner_pay.payment(
        payee=given["payee"],
        basis=given.get("basis", ""),
        endorses_us=bool(given.get("endorses_us")),
        is_fair_value=bool(given.get("fmv_documented")),
    )


def _co_marketing(given: Given) -> Ruling:
    benefit = given.get("our_share_space", given.get("our_share_benefit", 0))
    return partner_pay.co_marketing(
        our_cost_share=given.get("our_share_cost", 0), our_benefit_share=benefit
    )


def _comp_basis(given: Given) -> Ruling:
    return officer_pay.basis(given["comp_basis"], only_when=given.get("only_when", ""))


def _payers(given: Given) -> Ruling:
    return officer_pay.payers(
        consumer_pays=bool(given.get("consumer_pays_lo")),
        creditor_pays=bool(given.get("creditor_pays_lo")),
    )


def _bonus(given: Given) -> Ruling:
    if not given.get("profit_based", True):
        return officer_pay.basis("fixed_amount")
    return officer_pay.profit_bonus(percent=Decimal(str(given["bonus_pct_of_total_comp"])))


def _routing(given: Given) -> Ruling:
    return officer_pay.routing(str(given["routing_rule"]))


def _text(given: Given) -> Ruling:
    draft = lint.Draft(
        body=given["text"],
        subject=given.get("subject", ""),
        channel=given.get("channel", "page"),
        facts=frozenset(given.get("facts", ())),
    )
    return lint.ruling(draft)


def _prescreen(given: Given) -> Ruling:
    return credit_reports.prescreened_offer(
        has_notices=bool(given.get("optout_notice_short_and_long", True)),
        keeps_criteria=bool(given.get("criteria_kept", False)) and not _is_withdrawn(given),
    )


def _is_withdrawn(given: Given) -> bool:
    """The offer is taken back for a reason that was no criterion before."""
    return any(bool(one) and "withdr" in key for key, one in given.items())


def _record(given: Given) -> Ruling:
    record = given["record"]
    needed = call_records.NEEDED.get(record, frozenset())
    named = ["at" if one in ("time", "started_at") else one for one in given.get("fields", needed)]
    fields = frozenset(named) - frozenset(given.get("fields_missing", ()))
    return call_records.complete(record, fields)


def _honour_by(given: Given) -> Ruling:
    return revocation.honour_by(date.fromisoformat(given["revocation_received"]))


def _connection(given: Given) -> Ruling:
    return calling.connection(seconds=float(given["connect_seconds"]))


def _reasons(given: Given) -> Ruling:
    return credit_notices.reasons_given(list(given["reasons"]))


def _options(given: Given) -> Ruling:
    return officer_pay.routing("consumer")


def subject_of(given: Given) -> Answer | None:
    """It is who answers this case; None for a message, which is the gate's."""
    if not MESSAGE.isdisjoint(given) or given.get("voice") == "human":
        return None
    if given.get("message") == "prescreened_offer":
        return _prescreen
    return next((answer for keys, answer in SUBJECTS if keys <= given.keys()), None)


MESSAGE = frozenset({"locations"})  # only a message has a place to be
SUBJECTS: tuple[tuple[frozenset[str], Answer], ...] = (
    (frozenset({"campaign_30d"}), _abandonment),
    (frozenset({"connect_seconds"}), _connection),
    (frozenset({"ring_seconds"}), _ringing),
    (frozenset({"caller_id"}), _caller_id),
    (frozenset({"identified_within_seconds"}), _opening),
    (frozenset({"consumer_asked_end_at"}), _ending),
    (frozenset({"voice"}), _voice),
    (frozenset({"notice_played"}), _recording),
    (frozenset({"counteroffer_notified"}), _counteroffer),
    (frozenset({"noi_sent"}), _incomplete),
    (frozenset({"application_completed"}), _decision_notice),
    (frozenset({"event"}), _event),
    (frozenset({"disposition"}), _event),
    (frozenset({"fields_collected"}), _six),
    (frozenset({"esign"}), _esign),
    (frozenset({"delivery"}), _delivery),
    (frozenset({"reasons"}), _reasons),
    (frozenset({"use"}), _use),
    (frozenset({"payee"}), _payee),
    (frozenset({"co_marketing"}), _co_marketing),
    (frozenset({"basis"}), _report_basis),
    (frozenset({"reports_used"}), _report_basis),
    (frozenset({"consumers_with_reports"}), _report_basis),
    (frozenset({"form_fields"}), _six),
    (frozenset({"options_shown"}), _options),
    (frozenset({"options_presented"}), _options),
    (frozenset({"comp_basis"}), _comp_basis),
    (frozenset({"consumer_pays_lo"}), _payers),
    (frozenset({"bonus_pct_of_total_comp"}), _bonus),
    (frozenset({"routing_rule"}), _routing),
    (frozenset({"unencrypted_consumers"}), _breach),
    (frozenset({"gpc"}), _signal),
    (frozenset({"request"}), _request),
    (frozenset({"state", "data"}), _privacy),
    (frozenset({"text"}), _text),
    (frozenset({"optout_notice_short_and_long"}), _prescreen),
    (frozenset({"record"}), _record),
    (frozenset({"revocation_received"}), _honour_by),
    (frozenset({"decision_log_written"}), of_send),
    (frozenset({"action"}), of_action),
)
