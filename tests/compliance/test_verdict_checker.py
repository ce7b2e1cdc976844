"""The second opinion agrees with the gate, and one altered fact does not get past it."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rooftree.compliance.evidence import verdict_checker
from rooftree.compliance.gate.facts import Facts, Medium, PriorContact, Purpose, Revocation
from rooftree.compliance.gate.facts_json import facts_hash, facts_to_json, json_hash
from rooftree.compliance.gate.message_gate import decide
from rooftree.compliance.gate.rulebook import STATES
from tests.compliance.usual import NOON, call, company, consent, email, facts, officer, place

PLACES = [place(code, zone) for code, row in STATES.items() for zone in row.zones]
STOP = Revocation(at=NOON - timedelta(seconds=1), media=(Medium.TEXT,), about=None, by_text=True)


def stored(one: Facts, **changes: Any) -> dict[str, Any]:
    verdict = decide(one)
    until = verdict.next_allowed_at
    return {
        "facts": facts_to_json(one),
        "facts_sha256": facts_hash(one),
        "decision": verdict.decision.value,
        "reason": verdict.reason,
        "next_allowed_at": until.isoformat() if until else None,
        **changes,
    }


@pytest.mark.parametrize(
    "one",
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
def test_a_verdict_as_the_gate_gave_it_is_sound(one: Facts) -> None:
    assert verdict_checker.find_problems(stored(one)) == []


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
def test_the_checker_and_the_gate_agree_on_any_facts(**kwargs: Any) -> None:
    at = kwargs["at"]
    one = facts(
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
    assert verdict_checker.find_problems(stored(one)) == []


@pytest.mark.parametrize(
    "bad",
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
def test_an_allow_that_the_facts_do_not_bear_is_found(bad: Facts) -> None:
    assert verdict_checker.find_problems(stored(bad, decision="allow", reason="pewc_valid")) != []


def test_one_altered_fact_is_found_by_the_hash() -> None:
    row = stored(facts())
    row["facts"]["recipient"] = "+13055550112"
    assert "the facts have changed since they were hashed" in verdict_checker.find_problems(row)


def test_an_altered_fact_with_a_new_hash_is_found_by_the_rules() -> None:
    row = stored(facts())
    row["facts"]["consents"][0]["condition_of_purchase"] = True
    row["facts_sha256"] = json_hash(row["facts"])
    assert verdict_checker.find_problems(row) == ["allowed, but written consent is missing"]


def test_a_moment_outside_hours_is_no_moment() -> None:
    one = facts(at=NOON + timedelta(hours=10))
    late = (NOON + timedelta(hours=11)).isoformat()
    assert verdict_checker.find_problems(stored(one, next_allowed_at=late)) != []
    assert verdict_checker.find_problems(stored(one, next_allowed_at=None)) != []


def test_a_block_for_a_stop_that_never_was_is_found() -> None:
    assert verdict_checker.find_problems(stored(facts(), decision="block", reason="revoked")) != []


def test_facts_that_ask_only_some_gates_are_found() -> None:
    assert verdict_checker.find_problems(stored(facts(asks=("hours",)))) != []


def test_the_checker_shares_no_code_with_the_gate() -> None:
    tree = ast.parse(Path(verdict_checker.__file__).read_text(encoding="utf-8"))
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
        elif isinstance(node, ast.Import):
            modules |= {name.name for name in node.names}
    assert modules
    assert not [name for name in modules if name.startswith("rooftree")]
