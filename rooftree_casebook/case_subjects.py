"""Rules that aren't about a message, chosen by the keys of a rulebook case."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from rooftree.compliance.credit import credit_report_rules, notice_rules
from rooftree.compliance.fair_lending import (
    officer_pay_rules,
    permitted_factors,
    things_of_value_rules,
)
from rooftree.compliance.gate import call_rules, revocation_check, telemarketing_records
from rooftree.compliance.gate.verdict import Ruling
from rooftree.compliance.privacy import data_rights_rules
from rooftree.compliance.wording_rules import wording_check
from rooftree_casebook.case_actions import (
    decide_action,
    decide_send,
    is_about_record_or_report,
)
from rooftree_casebook.case_lists import case_today, parse_day
from rooftree_casebook.case_words import application_items, is_stated, record_fields

type Given = Mapping[str, Any]
type SubjectCheck = Callable[[Given], Ruling]


def _check_caller_id(given: Given) -> Ruling:
    is_ours = bool(given.get("assigned_to_us", False)) and not given.get("neighbor_spoof")
    return call_rules.check_caller_id(
        shown=str(given["caller_id"]),
        is_ours=is_ours,
        takes_requests=bool(given.get("answers_dnc_requests_business_hours", True)),
    )


def _check_ending(given: Given) -> Ruling:
    seconds = _parse_clock(given["call_ended_at"]) - _parse_clock(given["consumer_asked_end_at"])
    return call_rules.check_hang_up_time(state=given["state"], seconds=seconds.total_seconds())


def _parse_clock(text: str) -> timedelta:
    hours, minutes, seconds = (float(part) for part in text[-8:].split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _check_voice(given: Given) -> Ruling:
    return call_rules.check_artificial_voice(
        state=given.get("state", ""),
        has_consent=str(given.get("consent") or "none").startswith("pewc"),
        has_disclosure=bool(given.get("script_ai_disclosure", False)),
        has_opt_out=bool(given.get("interactive_optout", True)),
        is_ai=given["voice"] == "ai",
    )


def _check_decision_notice(given: Given) -> Ruling:
    return notice_rules.check_decision_notice(
        completed_on=date.fromisoformat(
            given.get("application_completed") or given["application_received"]
        ),
        sent_on=parse_day(given.get("notice_sent")),
        today=case_today(given),
    )


def _check_counteroffer(given: Given) -> Ruling:
    notified_on = date.fromisoformat(given["counteroffer_notified"])
    sent_on, accepted_on = parse_day(given.get("notice_sent")), parse_day(given.get("accepted_on"))
    last_day = notified_on + timedelta(days=notice_rules.COUNTEROFFER_DAYS)
    if sent_on is not None and sent_on <= last_day:
        return notice_rules.RGB_04.allow("timely")
    return notice_rules.check_counteroffer(
        notified_on=notified_on,
        is_accepted=bool(given.get("accepted")) and (accepted_on or last_day) <= last_day,
        is_combined=bool(given.get("combined_notice")),
        today=case_today(given),
    )


def _check_incomplete(given: Given) -> Ruling:
    reply = given.get("reply")
    words = ("received", "incomplete", "application")
    received = next(
        (
            value
            for key, value in given.items()
            if isinstance(value, str) and any(word in key for word in words)
        ),
        None,
    )
    replied_on = given.get("replied_on") if is_stated(given.get("reply_complete")) else None
    return notice_rules.check_incomplete_application(
        received_on=parse_day(received),
        noi_sent_on=parse_day(given.get("noi_sent")),
        reply_by=parse_day(given.get("reply_by")),
        reply_on=parse_day(reply) if reply and "complete" in reply else parse_day(replied_on),
        today=case_today(given),
    )


def _check_event(given: Given) -> Ruling:
    event = f"{given.get('event', '')} {given.get('disposition', '')}"
    return notice_rules.classify_event(
        event, on=parse_day(given.get("on")), trigger=str(given.get("trigger", ""))
    )


def _check_six(given: Given) -> Ruling:
    words = " ".join(str(value) for value in given.values() if not isinstance(value, list | dict))
    is_form = "form" in words or "publish" in words or given.get("in_los") is False
    fields = given.get("fields_collected") or given.get("form_fields") or ()
    return notice_rules.check_six_items(
        application_items(fields),
        on=parse_day(given.get("on")),
        is_lead_form=is_form or "form_fields" in given,
    )


def _check_esign(given: Given) -> Ruling:
    esign = given.get("esign") or {}
    return notice_rules.check_electronic_delivery(
        has_consented=bool(esign.get("consented")),
        has_shown_access=bool(esign.get("demonstrated_access")),
        is_ended=any(
            bool(value) and ("bounce" in key or "withdr" in key) for key, value in esign.items()
        ),
    )


def _check_delivery(given: Given) -> Ruling:
    is_allowed = bool(given.get("esign_consent")) or given["delivery"] in ("mail", "paper")
    return notice_rules.check_electronic_delivery(
        has_consented=is_allowed, has_shown_access=is_allowed, is_ended=False
    )


def _check_report_basis(given: Given) -> Ruling:
    words = str(given.get("basis", "report"))
    if "report" not in words and "credit" not in words and "score" not in words:
        return notice_rules.RGB_05.allow("complete")  # the report's part isn't due
    if any(value is False for key, value in given.items() if key != "score_disclosed"):
        return notice_rules.check_score_disclosure(has_score=False)
    notices = next((_count_members(value) for key, value in given.items() if "notice" in key), None)
    counts = [_count_members(value) for key, value in given.items() if "notice" not in key]
    reports_used = max(counts, default=0)
    if notices is not None and reports_used > notices:
        return notice_rules.check_notice_per_consumer(reports_used=reports_used, notices=notices)
    has_score = bool(given.get("score_disclosed", notices is not None and reports_used > 0))
    return notice_rules.check_score_disclosure(has_score=has_score)


def _count_members(value: Any) -> int:
    """Return a number, the length of a list, or 1 for a name with "only"; else 0."""
    if isinstance(value, list | tuple):
        return len(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return 1 if isinstance(value, str) and "only" in value else 0


def _check_breach(given: Given) -> Ruling:
    count = given.get("unencrypted_consumers", given.get("consumers", 0))
    return data_rights_rules.check_breach(
        consumers=count,
        is_encrypted=bool(given.get("encrypted", False)),
        was_key_taken=bool(given.get("key_accessed", False)),
        discovered_on=parse_day(given.get("discovered")),
    )


def _check_use(given: Given) -> Ruling:
    if "ratio" in given:
        return permitted_factors.check_outcome_ratio(ratio=given["ratio"])
    if given["use"] == "spcp":
        return permitted_factors.check_special_program(
            basis=given.get("basis", ""),
            is_for_profit=given.get("entity") == "for_profit",
            on=case_today(given),
        )
    return permitted_factors.check_factor(
        use=given["use"],
        field=given.get("field", ""),
        why=given.get("why", ""),
        direction=given.get("direction", ""),
    )


def _check_payee(given: Given) -> Ruling:
    if given.get("thing"):
        return things_of_value_rules.refuse_gift()
    return things_of_value_rules.check_payment(
        payee=given["payee"],
        basis=given.get("basis", ""),
        endorses_us=bool(given.get("endorses_us")),
        is_fair_value=bool(given.get("fmv_documented")),
    )


def _check_bonus(given: Given) -> Ruling:
    if not given.get("profit_based", True):
        return officer_pay_rules.check_basis("fixed_amount")
    return officer_pay_rules.check_profit_bonus(
        percent=Decimal(str(given["bonus_pct_of_total_comp"]))
    )


def _check_text(given: Given) -> Ruling:
    draft = wording_check.Draft(
        body=given["text"],
        subject=given.get("subject", ""),
        channel=given.get("channel", "page"),
        facts=frozenset(given.get("facts", ())),
    )
    return wording_check.draft_ruling(draft)


def _check_prescreen(given: Given) -> Ruling:
    # A case says that an offer was withdrawn for a reason that wasn't a criterion before.
    is_withdrawn = any(bool(value) and "withdr" in key for key, value in given.items())
    return credit_report_rules.check_prescreened_offer(
        has_notices=all(value for key, value in given.items() if "optout_notice" in key),
        keeps_criteria=bool(given.get("criteria_kept", False)) and not is_withdrawn,
    )


def _check_record(given: Given) -> Ruling:
    record = given["record"]
    required = telemarketing_records.REQUIRED_FIELDS.get(record, frozenset())
    missing = record_fields(given.get("fields_missing") or ())
    if missing and not required:
        return telemarketing_records.TSR_01.block("incomplete_call_record")
    fields = record_fields(given.get("fields", required)) - missing
    return telemarketing_records.check_record_complete(record, fields)


def _check_options(given: Given) -> Ruling:
    return officer_pay_rules.check_routing_rule("consumer")


def find_subject_check(given: Given) -> SubjectCheck | None:
    """Return the check that answers a case; None for a message, which the gate decides."""
    if not MESSAGE_KEYS.isdisjoint(given) or given.get("voice") == "human":
        return None
    if given.get("message") == "prescreened_offer":
        return _check_prescreen
    if is_about_record_or_report(given):
        return decide_action
    return next((check for keys, check in CHECKS_BY_KEYS if keys <= given.keys()), None)


MESSAGE_KEYS = frozenset({"locations"})  # only a message has a place to be
CHECKS_BY_KEYS: tuple[tuple[frozenset[str], SubjectCheck], ...] = (
    (
        frozenset({"campaign_30d"}),
        lambda given: call_rules.check_abandonment_rate(
            live_answers=given["campaign_30d"]["live_answers"],
            abandoned=given["campaign_30d"]["abandoned"],
        ),
    ),
    (
        frozenset({"connect_seconds"}),
        lambda given: call_rules.check_connect_time(seconds=float(given["connect_seconds"])),
    ),
    (
        frozenset({"ring_seconds"}),
        lambda given: call_rules.check_ring_time(
            seconds=given["ring_seconds"], rings=given.get("rings", 0)
        ),
    ),
    (frozenset({"caller_id"}), _check_caller_id),
    (
        frozenset({"identified_within_seconds"}),
        lambda given: call_rules.check_identification_time(
            state=given["state"], seconds=given["identified_within_seconds"]
        ),
    ),
    (frozenset({"consumer_asked_end_at", "call_ended_at"}), _check_ending),
    (frozenset({"voice"}), _check_voice),
    (
        frozenset({"notice_played"}),
        lambda given: call_rules.check_recording(
            was_told=bool(given.get("notice_played")),
            has_objected=bool(given.get("consumer_objected")),
        ),
    ),
    (frozenset({"counteroffer_notified"}), _check_counteroffer),
    (frozenset({"noi_sent"}), _check_incomplete),
    (frozenset({"application_completed"}), _check_decision_notice),
    (frozenset({"incomplete", "application_received"}), _check_incomplete),
    (frozenset({"application_received"}), _check_decision_notice),
    (frozenset({"event"}), _check_event),
    (frozenset({"disposition"}), _check_event),
    (frozenset({"fields_collected"}), _check_six),
    (frozenset({"esign"}), _check_esign),
    (frozenset({"doc"}), _check_esign),
    (frozenset({"delivery"}), _check_delivery),
    (
        frozenset({"reasons"}),
        lambda given: notice_rules.check_reasons(list(given["reasons"])),
    ),
    (frozenset({"use"}), _check_use),
    (frozenset({"payee"}), _check_payee),
    (
        frozenset({"co_marketing"}),
        lambda given: things_of_value_rules.check_co_marketing(
            our_cost_share=given.get("our_share_cost", 0),
            our_benefit_share=given.get("our_share_space", given.get("our_share_benefit", 0)),
        ),
    ),
    (frozenset({"basis"}), _check_report_basis),
    (frozenset({"reports_used"}), _check_report_basis),
    (frozenset({"consumers_with_reports"}), _check_report_basis),
    (frozenset({"form_fields"}), _check_six),
    (frozenset({"options_shown"}), _check_options),
    (frozenset({"options_presented"}), _check_options),
    (
        frozenset({"comp_basis"}),
        lambda given: officer_pay_rules.check_basis(
            given["comp_basis"], only_when=given.get("only_when", "")
        ),
    ),
    (
        frozenset({"consumer_pays_lo"}),
        lambda given: officer_pay_rules.check_payers(
            consumer_pays=bool(given.get("consumer_pays_lo")),
            creditor_pays=bool(given.get("creditor_pays_lo")),
        ),
    ),
    (frozenset({"bonus_pct_of_total_comp"}), _check_bonus),
    (
        frozenset({"routing_rule"}),
        lambda given: officer_pay_rules.check_routing_rule(str(given["routing_rule"])),
    ),
    (frozenset({"unencrypted_consumers"}), _check_breach),
    (frozenset({"consumers", "discovered"}), _check_breach),
    (
        frozenset({"gpc"}),
        lambda given: data_rights_rules.check_sharing(has_opt_out_signal=bool(given.get("gpc"))),
    ),
    (
        frozenset({"request"}),
        lambda given: data_rights_rules.check_deletion_request(data=given.get("data", "")),
    ),
    (
        frozenset({"state", "data"}),
        lambda given: data_rights_rules.check_state_rights(
            state=given["state"], data=given["data"]
        ),
    ),
    (frozenset({"text"}), _check_text),
    (frozenset({"optout_notice_short_and_long"}), _check_prescreen),
    (frozenset({"record"}), _check_record),
    (
        frozenset({"revocation_received"}),
        lambda given: revocation_check.honor_deadline(
            date.fromisoformat(given["revocation_received"])
        ),
    ),
    (frozenset({"decision_log_written"}), decide_send),
    (frozenset({"action"}), decide_action),
)
