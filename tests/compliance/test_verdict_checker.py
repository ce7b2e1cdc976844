"""The checker agrees with the gate, and finds an altered fact."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rooftree.compliance.evidence import license_wording_check, verdict_checker
from rooftree.compliance.gate.facts import Facts, Medium, PriorContact, Purpose, Revocation
from rooftree.compliance.gate.facts_json import facts_hash, facts_to_json, json_hash
from rooftree.compliance.gate.message_gate import decide
from rooftree.compliance.gate.rulebook import STATES
from tests.compliance.usual import NOON, call, company, consent, email, facts, officer, place

PLACES = [place(code, zone) for code, row in STATES.items() for zone in row.zones]
STOP = Revocation(at=NOON - timedelta(seconds=1), media=(Medium.TEXT,), about=None, by_text=True)


def stored(message: Facts, **changes: Any) -> dict[str, Any]:
    verdict = decide(message)
    until = verdict.next_allowed_at
    return {
        "facts": facts_to_json(message),
        "facts_sha256": facts_hash(message),
        "decision": verdict.decision.value,
        "reason": verdict.reason,
        "next_allowed_at": until.isoformat() if until else None,
        **changes,
    }


@pytest.mark.parametrize(
    "message",
    [
        facts(),
        email(),
        call(),
        facts(at=NOON + timedelta(hours=10)),
        facts(consents=()),
        facts(revocations=(STOP,)),
        facts(contacts=tuple(PriorContact(at=NOON, medium=Medium.CALL) for _ in range(3))),
        facts(purpose=Purpose.INFORMATIONAL, has_promo=False),
    ],
)
def test_checker_accepts_the_gates_verdict(message: Facts) -> None:
    assert verdict_checker.find_problems(stored(message)) == []


@settings(max_examples=200, deadline=None)
@given(
    at=st.datetimes(
        min_value=datetime(2026, 10, 1),  # noqa: DTZ001  hypothesis adds the zone
        max_value=datetime(2027, 11, 30),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    where=st.lists(st.sampled_from(PLACES), min_size=1, max_size=3).map(tuple),
    medium=st.sampled_from([Medium.CALL, Medium.TEXT, Medium.EMAIL]),
    purpose=st.sampled_from([Purpose.MARKETING, Purpose.INFORMATIONAL]),
    is_automated=st.booleans(),
    hours=st.lists(st.integers(0, 30), max_size=5),
    has_stop=st.booleans(),
    has_consent=st.booleans(),
)
def test_checker_and_gate_agree_on_generated_facts(**kwargs: Any) -> None:
    at = kwargs["at"]
    message = facts(
        at=at,
        places=kwargs["where"],
        medium=kwargs["medium"],
        purpose=kwargs["purpose"],
        has_promo=kwargs["purpose"] is Purpose.MARKETING,
        is_automated=kwargs["is_automated"],
        contacts=tuple(
            PriorContact(at=at - timedelta(hours=hour), medium=Medium.CALL)
            for hour in kwargs["hours"]
        ),
        revocations=(STOP,) if kwargs["has_stop"] else (),
        consents=(consent(captured_at=at),) if kwargs["has_consent"] else (),
        registered_states=tuple(STATES),
        emergencies_read_at=at,
    )
    assert verdict_checker.find_problems(stored(message)) == []


@pytest.mark.parametrize(
    "wrong_facts",
    [
        facts(at=NOON + timedelta(hours=10)),
        facts(consents=()),
        facts(consents=(consent(signature="prechecked_box"),)),
        facts(consents=(consent(phone="+13055550112"),)),
        facts(consents=(consent(seller="Other"),)),
        facts(consents=(consent(evidence=("ip",)),)),
        facts(revocations=(STOP,)),
        facts(contacts=tuple(PriorContact(at=NOON, medium=Medium.CALL) for _ in range(3))),
        facts(officer=officer(licenses=())),
        facts(officer=officer(is_sponsored=False)),
        facts(company=company(licensed_states=())),
        facts(property_state=None),
        facts(places=()),
        facts(is_held=True),
        facts(is_wrong_person=True),
        facts(has_audit_row=False),
    ],
)
def test_checker_finds_an_allow_against_the_facts(wrong_facts: Facts) -> None:
    assert (
        verdict_checker.find_problems(stored(wrong_facts, decision="allow", reason="pewc_valid"))
        != []
    )


def test_hash_reveals_an_altered_fact() -> None:
    row = stored(facts())
    row["facts"]["recipient"] = "+13055550112"
    assert "the facts have changed since they were hashed" in verdict_checker.find_problems(row)


def test_rules_reveal_an_altered_fact_with_a_new_hash() -> None:
    row = stored(facts())
    row["facts"]["consents"][0]["condition_of_purchase"] = True
    row["facts_sha256"] = json_hash(row["facts"])
    assert verdict_checker.find_problems(row) == ["allowed, but written consent is missing"]


def test_checker_finds_a_deferral_to_a_moment_outside_hours() -> None:
    message = facts(at=NOON + timedelta(hours=10))
    late = (NOON + timedelta(hours=11)).isoformat()
    assert verdict_checker.find_problems(stored(message, next_allowed_at=late)) != []
    assert verdict_checker.find_problems(stored(message, next_allowed_at=None)) != []


def test_checker_finds_a_block_without_an_opt_out() -> None:
    assert verdict_checker.find_problems(stored(facts(), decision="block", reason="revoked")) != []


def test_checker_finds_facts_that_name_only_some_gates() -> None:
    assert verdict_checker.find_problems(stored(facts(asks=("hours",)))) != []


@pytest.mark.parametrize("checker_file", [verdict_checker, license_wording_check])
def test_checker_shares_no_code_with_the_gate(checker_file: ModuleType) -> None:
    tree = ast.parse(Path(str(checker_file.__file__)).read_text(encoding="utf-8"))
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            modules.add(node.module or "")
        elif isinstance(node, ast.Import):
            modules |= {name.name for name in node.names}
    assert modules
    own_modules = {name for name in modules if name.startswith("rooftree")}
    assert own_modules <= {license_wording_check.__name__}
