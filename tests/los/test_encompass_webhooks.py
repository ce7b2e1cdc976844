"""Encompass webhooks: signature verification and the loan hint."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.los.adapters.encompass_webhooks import (
    compute_signature,
    parse_webhook,
    verify_webhook,
)
from rooftree_simulators.encompass import webhooks as simulated
from tests.los import make

VECTOR = make.sample("encompass_webhook_vector.json")
BODY = VECTOR["raw_body"].encode()
KEY = VECTOR["signingkey"]


def test_signature_of_documented_example_verifies():
    assert verify_webhook(VECTOR["headers"], BODY, [KEY])


def test_old_and_new_key_verify_during_key_change():
    assert verify_webhook(VECTOR["headers"], BODY, ["another key of thirty-two letters", KEY])
    assert not verify_webhook(VECTOR["headers"], BODY, ["another key of thirty-two letters"])


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_body_with_one_changed_byte_is_rejected(position, change):
    tampered = bytearray(BODY)
    tampered[position] ^= change

    assert not verify_webhook(VECTOR["headers"], bytes(tampered), [KEY])


@pytest.mark.parametrize("headers", [{}, {"Elli-Signature": ""}, {"Elli-Signature": "é"}])
def test_missing_or_broken_signature_is_rejected(headers):
    assert not verify_webhook(headers, BODY, [KEY])


def test_webhook_is_rejected_when_no_key_is_stored():
    assert not verify_webhook({"elli-signature": compute_signature(BODY, KEY)}, BODY, [])


@given(st.binary(max_size=40), st.text(min_size=1, max_size=64))
def test_simulated_encompass_signature_verifies(body, key):
    assert verify_webhook({"Elli-Signature": simulated.compute_signature(key, body)}, body, [key])


def test_header_names_ignore_case():
    assert verify_webhook({"elli-signature": compute_signature(BODY, KEY)}, BODY, [KEY])


def test_webhook_hint_names_its_loan():
    hint = parse_webhook(BODY)

    assert hint is not None
    assert hint.loan_id == "61d0c054-4528-4d6e-a20c-048b82cd10c5"
    assert (hint.event_type, hint.instance) == ("milestone", "BE00000001")
    assert hint.happened_at is not None


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"{}", b'{"eventId":"1","meta":{"resourceType":"User","resourceId":"2"}}'],
)
def test_webhook_without_a_loan_gives_no_hint(body):
    assert parse_webhook(body) is None
