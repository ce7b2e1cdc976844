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


def test_the_written_down_vector_verifies():
    assert verify_webhook(VECTOR["headers"], BODY, [KEY])


def test_while_a_key_is_replaced_the_old_and_the_new_are_taken():
    assert verify_webhook(VECTOR["headers"], BODY, ["another key of thirty-two letters", KEY])
    assert not verify_webhook(VECTOR["headers"], BODY, ["another key of thirty-two letters"])


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_one_changed_byte_is_refused(position, change):
    tampered = bytearray(BODY)
    tampered[position] ^= change

    assert not verify_webhook(VECTOR["headers"], bytes(tampered), [KEY])


@pytest.mark.parametrize("headers", [{}, {"Elli-Signature": ""}, {"Elli-Signature": "é"}])
def test_a_missing_or_broken_signature_is_refused(headers):
    assert not verify_webhook(headers, BODY, [KEY])


def test_without_a_key_nothing_is_accepted():
    assert not verify_webhook({"elli-signature": compute_signature(BODY, KEY)}, BODY, [])


@given(st.binary(max_size=40), st.text(min_size=1, max_size=64))
def test_the_simulated_encompass_signs_as_we_verify(body, key):
    assert verify_webhook({"Elli-Signature": simulated.compute_signature(key, body)}, body, [key])


def test_header_names_are_read_without_case():
    assert verify_webhook({"elli-signature": compute_signature(BODY, KEY)}, BODY, [KEY])


def test_a_hint_says_which_loan():
    hint = parse_webhook(BODY)

    assert hint is not None
    assert hint.loan_id == "61d0c054-4528-4d6e-a20c-048b82cd10c5"
    assert (hint.event_type, hint.instance) == ("milestone", "BE00000001")
    assert hint.happened_at is not None


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"{}", b'{"eventId":"1","meta":{"resourceType":"User","resourceId":"2"}}'],
)
def test_what_is_not_about_a_loan_is_no_hint(body):
    assert parse_webhook(body) is None
