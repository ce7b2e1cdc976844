"""What somebody wants to do: sign in, export, pull, share, delete, send."""

from collections.abc import Callable, Mapping
from typing import Any

from rooftree.compliance import (
    audit,
    credit_notices,
    credit_reports,
    data_rights,
    email_rules,
    officer_pay,
    retention,
)
from rooftree.compliance.case_facts import of_case
from rooftree.compliance.case_lists import day, today
from rooftree.compliance.gate import ENG_01, decide
from rooftree.compliance.verdict import Ruling, headline

type Given = Mapping[str, Any]
type Answer = Callable[[Given], Ruling]

STARTED = ("initiated_by_consumer", "application_submitted", "submitted_application")
SINCE = ("notified", "last_contact", "last_use", "last_disseminated", "created", "since")


def of_action(given: Given) -> Ruling:
    words = str(given["action"]).split("_")
    for verbs, named in VERBS:
        if not verbs.isdisjoint(words):
            return named(given)
    return ENG_01.block("gate_failed_closed")


def _deletion(given: Given) -> Ruling:
    return retention.deletion(
        record=str(given["action"]).partition("_")[2],
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
        is_started_by_consumer=any(bool(given.get(key)) for key in STARTED),
    )


def _view(given: Given) -> Ruling:
    """Own only when both branches are told and are one; nothing told is not one's own."""
    branches = [one for key, one in given.items() if "branch" in key and isinstance(one, str)]
    is_one = len(branches) > 1 and len(set(branches)) == 1
    is_own = any(bool(given.get(key)) for key in ("same_branch", "own_branch")) or is_one
    if given.get("other_branch") or not is_own:
        return data_rights.other_branch()
    return _login({"mfa": given.get("mfa", True)})


def _share(given: Given) -> Ruling:
    if given.get("channel") == "email" or "includes_opted_out" in given:
        return email_rules.transfer(includes_opted_out=bool(given.get("includes_opted_out")))
    has_signal = any(
        (bool(one) and ("gpc" in key or "opt_out_signal" in key)) or str(one).casefold() == "gpc"
        for key, one in given.items()
    )
    return data_rights.sharing(has_opt_out_signal=has_signal)


def of_send(given: Given) -> Ruling:
    verdict = decide(of_case({**given, "action": None}))
    return headline(verdict.rulings) or ENG_01.block("gate_failed_closed")


def _cut(given: Given) -> Ruling:
    return officer_pay.change_after_terms()


def _edit(given: Given) -> Ruling:
    return audit.edit()


def _publish(given: Given) -> Ruling:
    fields = given.get("form_fields") or given.get("fields") or ()
    return credit_notices.six_items(frozenset(fields), on=None, is_lead_form=True)


VERBS: tuple[tuple[frozenset[str], Answer], ...] = (
    (frozenset({"audit"}), _edit),
    (frozenset({"login", "signin"}), _login),
    (frozenset({"pull"}), _pull),
    (frozenset({"delete", "purge", "erase", "dispose"}), _deletion),
    (frozenset({"export", "download"}), _export),
    (frozenset({"share", "sell"}), _share),
    (frozenset({"view", "open", "read", "access"}), _view),
    (frozenset({"publish"}), _publish),
    (frozenset({"lo", "comp"}), _cut),
    (frozenset({"send"}), of_send),
)
