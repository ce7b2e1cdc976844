"""The retention of a record, also when several rules apply."""

from datetime import date, timedelta

import pytest

from rooftree.retention.deletion_rule import check_deletion
from rooftree.retention.retention_schedule import (
    REQUEST_ANSWER_DAYS,
    REQUEST_EXTENSION_DAYS,
    REQUEST_WARN_DAYS,
    SCHEDULE,
)

# The law's numbers, written a second time, so that a change in the rule data fails here.
MONTHS = {
    "consent_record": (60, "last_contact", False),  # 16 CFR 310.5(a)(8), (b)
    "call_detail_record": (60, "creation", False),  # 16 CFR 310.5(a)(2)
    "scripts_and_prerecorded": (60, "last_use", False),  # 16 CFR 310.5(a)(1)
    "internal_dnc_entry": (None, "creation", False),  # 47 CFR 64.1200(d)(6)
    "dnc_scrub_log": (60, "creation", False),  # 16 CFR 310.5(a)(11)
    "revocation_event": (120, "end", False),  # Va. Code 59.1-514
    "application_and_notices_reg_b": (25, "notification", False),  # 12 CFR 1002.12(b)(1)
    "prescreened_solicitation_reg_b": (25, "creation", False),  # 12 CFR 1002.12(b)(7)
    "prescreen_criteria_fcra": (36, "creation", False),  # 15 USC 1681m(d)(3)
    "mortgage_ads_reg_n": (24, "last_use", False),  # 12 CFR 1014.5(a)
    "reg_z_ads_and_general": (24, "last_use", False),  # 12 CFR 1026.25(a)
    "lo_compensation": (36, "creation", False),  # 12 CFR 1026.25(c)(2)
    "loan_estimate_trid": (36, "closing", False),  # 12 CFR 1026.25(c)(1)
    "respa_affiliated_business_disclosure": (60, "creation", False),  # 12 CFR 1024.15(d)
    "msa_and_comarketing_files": (60, "creation", False),  # house
    "glba_customer_information_disposal": (24, "last_use", True),  # 16 CFR 314.4(c)(6)
    "access_logs": (36, "creation", False),  # house
    "california_ccpa_requests": (24, "end", False),  # 11 CCR 7101
    "house_default_message_audit": (84, "creation", False),  # house
    "house_staff_accounts": (None, "end", False),
    "house_disposal_log": (None, "creation", False),
}

CALLED = {  # what records are called in a decision, and the class that is meant
    "consent_record": ("consent", "consent_form"),
    "call_detail_record": ("call_log", "recording"),
    "scripts_and_prerecorded": ("script", "prerecorded"),
    "internal_dnc_entry": ("suppression", "internal_dnc", "dnc_entry", "do_not_call_entry"),
    "dnc_scrub_log": ("scrub_log",),
    "revocation_event": ("revocation", "optout", "opt_out", "stop_text"),
    "application_and_notices_reg_b": ("application", "adverse_action", "counteroffer", "noi"),
    "prescreened_solicitation_reg_b": ("prescreened_offer",),
    "prescreen_criteria_fcra": ("prescreen_criteria", "prescreening_criteria"),
    "mortgage_ads_reg_n": ("ad_copy", "advertisement", "radio_ad", "radio_ads"),
    "reg_z_ads_and_general": ("reg_z",),
    "lo_compensation": ("compensation", "comp_plan"),
    "loan_estimate_trid": ("loan_estimate",),
    "respa_affiliated_business_disclosure": ("respa", "affiliated_business"),
    "msa_and_comarketing_files": ("msa", "comarketing", "co_marketing"),
    "access_logs": ("access_log",),
    "california_ccpa_requests": ("ccpa_request",),
    "house_default_message_audit": ("message", "audit"),
}


@pytest.mark.parametrize(("key", "records"), CALLED.items())
def test_record_kind_is_recognized_by_its_name(key: str, records: tuple[str, ...]) -> None:
    for record in records:
        assert SCHEDULE[key].covers(record), record


def test_privacy_request_is_due_in_45_days_with_a_45_day_extension() -> None:
    assert (REQUEST_ANSWER_DAYS, REQUEST_EXTENSION_DAYS, REQUEST_WARN_DAYS) == (45, 45, 10)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("ad_copy", "retention_elapsed"),
        ("ad_copy_script", "retention_5_years"),
        ("application_message", "retention_7_years"),
    ],
)
def test_longest_of_several_rules_keeps_a_record(record: str, reason: str) -> None:
    ruling = check_deletion(
        record=record,
        since=date(2024, 10, 20),
        today=date(2026, 11, 23),
        is_held=False,
        is_telemarketing=False,
    )
    assert ruling.reason == reason


def test_retention_schedule_matches_the_law() -> None:
    assert {
        key: (rule.months, rule.clock_event, rule.on_request) for key, rule in SCHEDULE.items()
    } == MONTHS
    assert all(rule.cite and rule.name for rule in SCHEDULE.values())


@pytest.mark.parametrize("record", [key for key, (months, *_) in MONTHS.items() if months])
def test_record_can_be_deleted_on_its_last_day_and_not_the_day_before(record: str) -> None:
    months = MONTHS[record][0] or 0
    today = date(2040, 6, 15)
    begins = date(2040 - months // 12, 6 - months % 12, 15)
    arguments = {"record": record, "today": today, "is_held": False}
    assert check_deletion(since=begins, **arguments).reason == "retention_elapsed"
    assert check_deletion(since=begins + timedelta(days=1), **arguments).decision.value == "block"


@pytest.mark.parametrize("record", MONTHS)
def test_legal_hold_keeps_every_record(record: str) -> None:
    ruling = check_deletion(
        record=record, since=date(1999, 1, 1), today=date(2040, 1, 1), is_held=True
    )
    assert ruling.reason == "legal_hold"


@pytest.mark.parametrize("record", [key for key, (months, *_) in MONTHS.items() if not months])
def test_opt_out_and_proof_of_deletion_are_kept_forever(record: str) -> None:
    ruling = check_deletion(
        record=record, since=date(1990, 1, 1), today=date(2040, 1, 1), is_held=False
    )
    assert ruling.decision.value == "block"


def test_record_without_a_start_date_is_kept() -> None:
    ruling = check_deletion(
        record="application_and_notices_reg_b", since=None, today=date(2040, 1, 1), is_held=False
    )
    assert ruling.reason == "retention_25_months"
