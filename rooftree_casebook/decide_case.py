"""Rulebook cases, decided: messages by the gate, everything else by its own pure rule.

The `rule` of a case is a label and is never read. A case says what it is
about by its keys; what no subject claims is a message.
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
    """It is the line that `rooftree decide` prints for one case."""
    return {"id": case.get("id"), **case_verdict(case["given"]).as_json()}


def case_verdict(given: Given) -> Verdict:
    """It is the verdict on what a case gives."""
    if "gates" in given:
        return _strictest_verdict(_named_rulings(given["gates"]))
    said = normalize_keys(given)
    subject = find_subject_check(said)
    if subject is not None:
        return combine_rulings([subject(said)], Facts())
    return decide(build_case_facts(said))


def _strictest_verdict(rulings: list[Ruling]) -> Verdict:
    """It is the strictest of bare answers; nobody knows when one of them would change."""
    first = deciding_ruling(rulings) or ENG_01.block("gate_failed_closed")
    return Verdict(
        decision=first.decision,
        reason=first.reason,
        sentence=ruling_sentence(first, None),
        rulings=tuple(rulings),
    )


def _named_rulings(gates: Mapping[str, str]) -> list[Ruling]:
    """Named answers of gates, to be combined; an error, or anything unknown, is a block."""
    rulings = []
    for said in gates.values():
        if said in (Decision.ALLOW, Decision.REQUIRE, Decision.BLOCK):
            rulings.append(
                ENG_01.block("strictest_wins") if said == "block" else _allow_or_require(said)
            )
        elif said == Decision.DEFER:
            rulings.append(ENG_01.defer("strictest_wins", case_moment({})))
        else:
            rulings.append(ENG_01.block("gate_failed_closed"))
    return rulings


def _allow_or_require(said: str) -> Ruling:
    return ENG_01.allow("strictest_wins") if said == "allow" else ENG_01.require("strictest_wins")
