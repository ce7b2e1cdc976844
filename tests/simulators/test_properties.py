"""Properties that hold for any input, not only for the examples."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rooftree_simulators.encompass.loan_files import (
    MILESTONES,
    Loan,
    merge_document,
    new_milestones,
    read_field,
    write_field,
)
from rooftree_simulators.encompass.loan_schema import FIELDS, Kind, find_document_errors
from rooftree_simulators.encompass.webhooks import _EXPONENTIAL_DELAYS, _LINEAR_DELAYS
from rooftree_simulators.request_log import mask_body, mask_headers
from rooftree_simulators.twilio.webhook_signature import compute_signature
from tests.simulators.conftest import EXCHANGES, NOON

WORDS = st.text(st.characters(categories=["L", "N"]), min_size=8, max_size=30)


def build_loan() -> Loan:
    return Loan(
        guid="g",
        number="TEST-2611-00001",
        folder="Prospects",
        created_at=NOON,
        modified_at=NOON,
        milestones=new_milestones(NOON, MILESTONES),
    )


@given(city=WORDS, amount=st.integers(1, 10**9), units=st.integers(1, 4))
def test_merging_same_document_twice_changes_nothing(city: str, amount: int, units: int) -> None:
    document: dict[str, Any] = {
        "property": {"city": city, "financedNumberOfUnits": units},
        "borrowerRequestedLoanAmount": amount,
    }
    stored: dict[str, Any] = {}
    assert find_document_errors(document, custom_fields=set(), with_ids=False) == []
    assert len(merge_document(stored, document)) == 3
    assert merge_document(stored, document) == []
    assert stored == document


@given(name=st.sampled_from(sorted(FIELDS)), value=WORDS)
def test_field_written_by_id_is_read_back(name: str, value: str) -> None:
    if FIELDS[name].kind is not Kind.TEXT or name in {"GUID", "364"}:
        return
    loan = build_loan()
    assert write_field(loan, name, value)
    assert read_field(loan, name) == value


@given(path=WORDS.filter(lambda name: not name.isdigit()), value=st.integers() | WORDS)
def test_undocumented_path_is_refused(path: str, value: object) -> None:
    sample = json.loads((EXCHANGES / "encompass_create_loan.json").read_text())
    if path in sample:
        return
    errors = find_document_errors({path: value}, custom_fields=set(), with_ids=False)
    assert [key for key, _ in errors] == [path]


@given(secret=WORDS)
def test_request_log_never_contains_secrets(secret: str) -> None:
    body = f"grant_type=password&password={secret}&client_secret={secret}"
    assert secret not in mask_body(body.encode())
    masked = json.loads(mask_body(json.dumps({"signingkey": secret}).encode()))
    assert secret not in masked["signingkey"]  # it can be a part of the field's name
    assert secret not in str(mask_headers([("Authorization", f"Basic {secret}")]))


@given(st.lists(st.tuples(WORDS, WORDS), max_size=6), st.randoms())
def test_signature_does_not_depend_on_field_order(fields: list[tuple[str, str]], rng: Any) -> None:
    mixed = list(fields)
    rng.shuffle(mixed)
    assert compute_signature("k", "https://x.example/a", fields) == compute_signature(
        "k", "https://x.example/a", mixed
    )


def test_retry_delays_match_documents() -> None:
    assert _LINEAR_DELAYS == (20.0, 20.0, 20.0)
    assert len(_EXPONENTIAL_DELAYS) == 14
    assert _EXPONENTIAL_DELAYS[:4] == (30.0, 60.0, 120.0, 240.0)
    assert sum(_EXPONENTIAL_DELAYS) == 8 * 3600
