import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.core.twilio_signature import is_signed_by_twilio
from rooftree_simulators.twilio.webhook_signature import compute_signature

URL = "https://lender.example/in/twilio/a?x=1"
FORM = [("To", "+15125550100"), ("Body", "héllo"), ("From", "+13055550142"), ("Body", "a")]
SIGNED_TEXT = f"{URL}BodyaBodyhélloFrom+13055550142To+15125550100"
KEYS = {"": "token", "second": "shared"}


def sign_by_hand(secret: str, text: str, digest=hashlib.sha1) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), digest).digest()).decode()


def test_signed_text_is_the_url_then_sorted_keys_and_values():
    signature = sign_by_hand("token", SIGNED_TEXT)

    assert is_signed_by_twilio({"X-Twilio-Signature": signature}, URL, FORM, KEYS)


@pytest.mark.parametrize("signed", ["https://lender.example:443/in/twilio/a?x=1", URL])
@pytest.mark.parametrize("seen", ["https://lender.example:443/in/twilio/a?x=1", URL])
def test_default_port_is_optional(signed, seen):
    signature = compute_signature("token", signed, FORM)

    assert is_signed_by_twilio({"x-twilio-signature": signature}, seen, FORM, KEYS)


def test_other_port_breaks_the_signature():
    signature = compute_signature("token", "https://lender.example:8443/in/twilio/a?x=1", FORM)

    assert not is_signed_by_twilio({"x-twilio-signature": signature}, URL, FORM, KEYS)


def test_shared_key_signs_with_sha256():
    headers = {
        "X-Twilio-Signature": sign_by_hand("shared", SIGNED_TEXT, hashlib.sha256),
        "X-Twilio-Webhooks-Signature-Settings": "key=second,algorithm=HMAC_SHA256",
    }

    assert is_signed_by_twilio(headers, URL, FORM, KEYS)
    assert not is_signed_by_twilio(headers, URL, FORM, {"": "shared"})


@pytest.mark.parametrize(
    "settings",
    ["key=third,algorithm=HMAC_SHA256", "key=second,algorithm=HMAC_SHA1", "algorithm=HMAC_SHA256"],
)
def test_unknown_signature_settings_are_rejected(settings):
    headers = {
        "X-Twilio-Signature": sign_by_hand("shared", SIGNED_TEXT, hashlib.sha256),
        "X-Twilio-Webhooks-Signature-Settings": settings,
    }

    assert not is_signed_by_twilio(headers, URL, FORM, KEYS)


def test_json_body_is_signed_by_its_hash_in_the_url():
    body = b'{"a":1}'
    url = f"{URL}&bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {"X-Twilio-Signature": compute_signature("token", url, [])}

    assert is_signed_by_twilio(headers, url, [], KEYS, raw_body=body)
    assert not is_signed_by_twilio(headers, url, [], KEYS, raw_body=body + b" ")


@pytest.mark.parametrize("headers", [{}, {"X-Twilio-Signature": ""}])
def test_unsigned_request_is_rejected(headers):
    assert not is_signed_by_twilio(headers, URL, FORM, KEYS)


def test_empty_secret_accepts_nothing():
    assert not is_signed_by_twilio(
        {"X-Twilio-Signature": compute_signature("", URL, FORM)}, URL, FORM, {"": ""}
    )


@given(
    st.lists(st.tuples(st.text(min_size=1), st.text()), min_size=1),
    st.data(),
)
def test_changed_value_breaks_the_signature(form, data):
    headers = {"X-Twilio-Signature": compute_signature("token", URL, form)}
    position = data.draw(st.integers(0, len(form) - 1))
    name, value = form[position]
    changed = [*form[:position], (name, value + "!"), *form[position + 1 :]]

    assert is_signed_by_twilio(headers, URL, form, KEYS)
    if (name, value + "!") not in form:
        assert not is_signed_by_twilio(headers, URL, changed, KEYS)


@given(st.lists(st.tuples(st.text(min_size=1), st.text())))
def test_simulated_twilio_signs_as_we_verify(form):
    headers = {"X-Twilio-Signature": compute_signature("token", URL, form)}

    assert is_signed_by_twilio(headers, URL, form, KEYS)
