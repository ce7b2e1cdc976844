"""Rulebook cases about an action: sign in, export, pull credit, share, delete, send."""

from collections.abc import Callable, Mapping
from typing import Any

from rooftree.compliance.credit import credit_report_rules, notice_rules
from rooftree.compliance.fair_lending import officer_pay_rules
from rooftree.compliance.gate import decision_record, email_rules
from rooftree.compliance.gate.message_gate import ENG_01, decide
from rooftree.compliance.gate.verdict import Ruling, deciding_ruling
from rooftree.compliance.privacy import data_rights_rules
from rooftree.retention import deletion_rule
from rooftree_casebook.case_facts import build_case_facts
from rooftree_casebook.case_lists import case_today, parse_day
from rooftree_casebook.case_words import is_stated

type Given = Mapping[str, Any]
type ActionCheck = Callable[[Given], Ruling]

DELETION_VERBS = frozenset({"delete", "purge", "erase", "dispose"})
CONSUMER_STARTED_KEYS = ("initiated_by_consumer", "application_submitted", "submitted_application")
CLOCK_START_KEYS = ("notified", "last_contact", "last_use", "last_disseminated", "created", "since")


def decide_action(given: Given) -> Ruling:
    """Decide a case by the verb in its `action`; an unknown verb is a block."""
    words = str(given["action"]).split("_")
    for verbs, check in CHECKS_BY_VERB:
        if not verbs.isdisjoint(words):
            return check(given)
    return ENG_01.block("gate_failed_closed")


def _check_deletion(given: Given) -> Ruling:
    return deletion_rule.check_deletion(
        record=str(given.get("record") or str(given["action"]).partition("_")[2]),
        since=max(
            filter(None, (parse_day(given.get(key)) for key in CLOCK_START_KEYS)), default=None
        ),
        today=case_today(given),
        is_held=bool(given.get("legal_hold") or given.get("hold")),
        is_telemarketing=bool(given.get("tsr_records") or given.get("was_telemarketing_script")),
    )


def _check_login(given: Given) -> Ruling:
    return data_rights_rules.check_login(has_mfa=bool(given.get("mfa")))


def _check_export(given: Given) -> Ruling:
    if not given.get("mfa", True):
        return _check_login(given)
    return data_rights_rules.check_export(
        has_reason=bool(given.get("reason_given")),
        has_second_approver=is_stated(given.get("second_approver"))
        and "same" not in str(given.get("second_approver")),
    )


def _check_view(given: Given) -> Ruling:
    """Allow only the user's own branch; without both branches in the case it is another's."""
    branches = [value for key, value in given.items() if "branch" in key and isinstance(value, str)]
    is_same = len(branches) > 1 and len(set(branches)) == 1
    if isinstance(given.get("user_branches"), list):
        is_same = given.get("lead_branch") in given["user_branches"]
    is_own = any(bool(given.get(key)) for key in ("same_branch", "own_branch")) or is_same
    if given.get("other_branch") or not is_own:
        return data_rights_rules.refuse_other_branch()
    return _check_login({"mfa": given.get("mfa", True)})


def _check_share(given: Given) -> Ruling:
    if given.get("channel") == "email" or "includes_opted_out" in given:
        return email_rules.check_list_transfer(
            includes_opted_out=bool(given.get("includes_opted_out"))
        )
    has_signal = any(
        (bool(value) and ("gpc" in key or "opt_out_signal" in key))
        or str(value).casefold() == "gpc"
        for key, value in given.items()
    )
    return data_rights_rules.check_sharing(has_opt_out_signal=has_signal)


def is_about_record_or_report(given: Given) -> bool:
    """Return whether the case removes a record or pulls a report, whatever else it states."""
    words = set(str(given.get("action") or "").split("_"))
    return bool(words & (DELETION_VERBS | {"pull"}))


def decide_send(given: Given) -> Ruling:
    """Decide a case about a message by the gate."""
    verdict = decide(build_case_facts({**given, "action": None}))
    return deciding_ruling(verdict.rulings) or ENG_01.block("gate_failed_closed")


CHECKS_BY_VERB: tuple[tuple[frozenset[str], ActionCheck], ...] = (
    (frozenset({"audit"}), lambda _: decision_record.refuse_edit()),
    (frozenset({"login", "signin"}), _check_login),
    (
        frozenset({"pull"}),
        lambda given: credit_report_rules.check_pull(
            has_written_instructions=bool(given.get("written_instructions")),
            is_started_by_consumer=any(bool(given.get(key)) for key in CONSUMER_STARTED_KEYS),
        ),
    ),
    (DELETION_VERBS, _check_deletion),
    (frozenset({"export", "download"}), _check_export),
    (frozenset({"share", "sell", "transfer", "rent"}), _check_share),
    (frozenset({"view", "open", "read", "access", "edit", "update", "reassign"}), _check_view),
    (
        frozenset({"publish"}),
        lambda given: notice_rules.check_six_items(
            frozenset(given.get("form_fields") or given.get("fields") or ()),
            on=None,
            is_lead_form=True,
        ),
    ),
    (frozenset({"lo", "comp"}), lambda _: officer_pay_rules.refuse_change_after_terms()),
    (frozenset({"send"}), decide_send),
)
