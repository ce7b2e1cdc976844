"""Decisions on rulebook cases: messages by the gate, everything else by its own pure rule.

The `rule` of a case is a label and is never read. The keys of a case say what it is about; a case
that matches no subject is a message.
"""

from collections.abc import Mapping
from typing import Any

from rooftree.compliance.gate.facts import Facts
from rooftree.compliance.gate.message_gate import ENG_01, combine_rulings, decide
from rooftree.compliance.gate.reason_sentences import ruling_sentence
from rooftree.compliance.gate.verdict import Decision, Ruling, Verdict, deciding_ruling
from rooftree_casebook.case_facts import build_case_facts, case_moment
from rooftree_casebook.case_keys import normalize_keys
from rooftree_casebook.case_subjects import find_subject_check

type Given = Mapping[str, Any]


def case_result(case: Mapping[str, Any]) -> dict[str, Any]:
    """Return the line that `rooftree decide` prints for one case."""
    return {"id": case.get("id"), **case_verdict(case["given"]).as_json()}


def case_verdict(given: Given) -> Verdict:
    """Return the verdict on the `given` part of a case."""
    if given.get("gates"):
        return _strictest_verdict(_named_rulings(given["gates"]))
    given = normalize_keys(given)
    check_subject = find_subject_check(given)
    if check_subject is not None:
        return combine_rulings([check_subject(given)], Facts())
    return decide(build_case_facts(given))


def _strictest_verdict(rulings: list[Ruling]) -> Verdict:
    """Return the strictest of bare answers, without the moment when one of them changes."""
    first = deciding_ruling(rulings) or ENG_01.block("gate_failed_closed")
    return Verdict(
        decision=first.decision,
        reason=first.reason,
        sentence=ruling_sentence(first, None),
        rulings=tuple(rulings),
    )


def _named_rulings(gates: Mapping[str, str]) -> list[Ruling]:
    """Return the rulings of the answers that a case names; an unknown answer is a block."""
    rulings = []
    for answer in gates.values():
        if answer == Decision.ALLOW:
            rulings.append(ENG_01.allow("strictest_wins"))
        elif answer == Decision.DEFER:
            rulings.append(ENG_01.defer("strictest_wins", case_moment({})))
        elif answer == Decision.REQUIRE:
            rulings.append(ENG_01.require("strictest_wins"))
        elif answer == Decision.BLOCK:
            rulings.append(ENG_01.block("strictest_wins"))
        else:
            rulings.append(ENG_01.block("gate_failed_closed"))
    return rulings
