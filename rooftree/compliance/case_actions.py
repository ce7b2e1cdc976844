"""What somebody wants to do: sign in, export, pull, share, delete, send."""

from collections.abc import Callable, Mapping
from typing import Any

from rooftree.compliance import (
    audit,
    credit_reports,
    data_rights,
    email_rules,
    officer_pay,
    retention,
)
from rooftree.compliance.case_facts import of_case
from rooftree.compliance.case_lists import day, today
from rooftree.compliance.gate import ENG_01, decide
from rooftree.compliance.verdict import Ruling

type Given = Mapping[str, Any]
type Answer = Callable[[Given], Ruling]

SINCE = ("notified", "last_contact", "last_use", "last_disseminated", "created", "since")


def of_action(given: Given) -> Ruling:
    action = given["action"]
    if action in ACTIONS:
        return ACTIONS[action](given)
    for verb, named in VERBS:
        if action.startswith(verb):
            return named(given)
    return ENG_01.block("gate_failed_closed")


def _deletion(given: Given) -> Ruling:
    return retention.deletion(
        record=given["action"].removeprefix("delete").removeprefix("_"),
        since=max(filter(None, (day(given.get(key)) for key in SINCE)), default=None),
        today=today(given),
        is_held=bool(given.get("legal_hold") or given.get("hold")),
        is_telemarketing=bool(given.get("tsr_records") or given.get("was_telemarketing_script")),
    )


def _login(given: Given) -> Ruling:
    return data_rights.login(has_mfa=bool(given.get("mfa")))


def _export(given: Given) -> Ruling:
    if not given.get("mfa", True):
        return _login(given)
    return data_rights.export(
        has_reason=bool(given.get("reason_given")),
        has_second_approver=bool(given.get("second_approver")),
    )


def _pull(given: Given) -> Ruling:
    return credit_reports.pull(
        has_written_instructions=bool(given.get("written_instructions")),
        is_started_by_consumer=bool(given.get("initiated_by_consumer")),
    )


def _view(given: Given) -> Ruling:
    branches = {one for key, one in given.items() if "branch" in key and isinstance(one, str)}
    is_own = bool(given.get("same_branch", len(branches) == 1)) and not given.get("other_branch")
    return _login({"mfa": given.get("mfa", True)}) if is_own else data_rights.other_branch()


def _share(given: Given) -> Ruling:
    if given.get("channel") == "email" or "includes_opted_out" in given:
        return email_rules.transfer(includes_opted_out=bool(given.get("includes_opted_out")))
    has_signal = any(
        (bool(one) and ("gpc" in key or "opt_out_signal" in key)) or str(one).casefold() == "gpc"
        for key, one in given.items()
    )
    return data_rights.sharing(has_opt_out_signal=has_signal)


def of_send(given: Given) -> Ruling:
    return decide(of_case({**given, "action": None})).rulings[0]


def _cut(given: Given) -> Ruling:
    return officer_pay.change_after_terms()


def _edit(given: Given) -> Ruling:
    return audit.edit()


ACTIONS: dict[str, Answer] = {
    "login": _login,
    "export_leads": _export,
    "soft_pull": _pull,
    "hard_pull": _pull,
    "delete_audit_row": _edit,
    "lo_cuts_own_comp_to_match_competitor": _cut,
}


VERBS: tuple[tuple[str, Answer], ...] = (
    ("delete", _deletion),
    ("purge", _deletion),
    ("edit_audit", _edit),
    ("export", _export),
    ("share", _share),
    ("sell", _share),
    ("view", _view),
    ("open", _view),
    ("read", _view),
    ("lo_", _cut),
)
