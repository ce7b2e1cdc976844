"""Rulebook cases, decided: messages by the gate, everything else by its own pure rule.

The `rule` of a case is a label and is never read. A case says what it is
about by its keys; what no subject claims is a message.
"""

from collections.abc import Mapping
from typing import Any

from rooftree.compliance.case_facts import moment, of_case
from rooftree.compliance.case_subjects import subject_of
from rooftree.compliance.case_words import plain
from rooftree.compliance.facts import Facts
from rooftree.compliance.gate import ENG_01, combine, decide
from rooftree.compliance.reasons import sentence
from rooftree.compliance.verdict import Decision, Ruling, Verdict, headline

type Given = Mapping[str, Any]


def answer(case: Mapping[str, Any]) -> dict[str, Any]:
    """It is the line that `rooftree decide` prints for one case."""
    return {"id": case.get("id"), **verdict_of(case["given"]).as_json()}


def verdict_of(given: Given) -> Verdict:
    """It is the verdict on what a case gives."""
    if "gates" in given:
        return _strictest(_engine(given["gates"]))
    said = plain(given)
    subject = subject_of(said)
    if subject is not None:
        return combine([subject(said)], Facts())
    return decide(of_case(said))


def _strictest(rulings: list[Ruling]) -> Verdict:
    """It is the strictest of bare answers; nobody knows when one of them would change."""
    first = headline(rulings) or ENG_01.block("gate_failed_closed")
    return Verdict(
        decision=first.decision,
        reason=first.reason,
        sentence=sentence(first, None),
        rulings=tuple(rulings),
    )


def _engine(gates: Mapping[str, str]) -> list[Ruling]:
    """Named answers of gates, to be combined; an error, or anything unknown, is a block."""
    rulings = []
    for said in gates.values():
        if said in (Decision.ALLOW, Decision.REQUIRE, Decision.BLOCK):
            rulings.append(ENG_01.block("strictest_wins") if said == "block" else _named(said))
        elif said == Decision.DEFER:
            rulings.append(ENG_01.defer("strictest_wins", moment({})))
        else:
            rulings.append(ENG_01.block("gate_failed_closed"))
    return rulings


def _named(said: str) -> Ruling:
    return ENG_01.allow("strictest_wins") if said == "allow" else ENG_01.require("strictest_wins")
