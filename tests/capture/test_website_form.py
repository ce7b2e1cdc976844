import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from rooftree.capture.parsing.envelope import Endpoint, IncomingDelivery, Outcome
from rooftree.capture.sources import website_form
from rooftree.leads.vocabulary import ConsentChannel, ConsentStatus, Evidence

NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)
SITE = "https://www.harborlight.example"
WORDING = "I agree to calls and text messages from Harbor Light. Consent is not a condition."
FORM = {
    "submission_id": "s-9",
    "rendered_at": "2026-11-23T16:58:00Z",
    "submitted_at": "2026-11-23T16:59:30Z",
    "first_name": "Imani",
    "last_name": "Brooks",
    "phone": "(216) 555-0147",
    "property_state": "OH",
}


def incoming(body: bytes, *, endpoint: Endpoint | None = None, **headers: str) -> IncomingDelivery:
    return IncomingDelivery(
        path="/in/form/site",
        headers={"Origin": SITE} | {name.replace("_", "-"): text for name, text in headers.items()},
        body=body,
        remote_addr="203.0.113.10",
        received_at=NOON,
        endpoint=endpoint
        or Endpoint(
            secret="shared",
            allowed_origins=frozenset({SITE}),
            return_hosts=frozenset({"www.harborlight.example"}),
        ),
    )


def submit(**changes):
    return website_form.read(incoming(json.dumps(FORM | changes).encode()))


def post(**fields):
    kind = "application/x-www-form-urlencoded"
    return website_form.read(incoming(urlencode(fields).encode(), Content_Type=kind))


def consent_of(envelope):
    return envelope.leads[0].consent


def test_bot_submission_is_answered_and_not_stored():
    envelope = submit(hp_company="Acme")

    assert (envelope.outcome, envelope.reason) == (Outcome.IGNORED, "honeypot")
    assert envelope.http.status == 200
    assert envelope.leads == ()


@pytest.mark.parametrize(
    ("rendered", "outcome"),
    [
        ("2026-11-23T16:59:28Z", Outcome.QUARANTINED),  # two seconds
        ("2026-11-23T16:59:27Z", Outcome.ACCEPTED),  # three
        ("not a time", Outcome.ACCEPTED),
    ],
)
def test_form_filled_too_fast_is_quarantined_and_stored(rendered, outcome):
    envelope = submit(rendered_at=rendered)

    assert envelope.outcome == outcome
    assert len(envelope.leads) == 1
    assert envelope.http.status == 200


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "https://www.harborlight.example.evil.example",
        "http://www.harborlight.example",
    ],
)
def test_other_website_cannot_post(origin):
    envelope = website_form.read(incoming(json.dumps(FORM).encode(), Origin=origin))

    assert (envelope.outcome, envelope.reason) == (Outcome.REJECTED_AUTH, "bad_origin")


def test_signed_post_needs_no_origin_and_names_visitor_ip():
    body = json.dumps(FORM | {"ip_address": "198.51.100.7", "consent": {"checked": True}}).encode()
    digest = hmac.new(b"shared", body, hashlib.sha256).hexdigest()
    signed = incoming(body, X_Rooftree_Signature=f"sha256={digest}", Origin="https://evil.example")

    envelope = website_form.read(signed)

    assert envelope.outcome == Outcome.ACCEPTED
    assert consent_of(envelope).ip == "198.51.100.7"
    tampered = website_form.read(replace(signed, body=body + b" "))
    assert (tampered.outcome, tampered.http.status) == (Outcome.REJECTED_AUTH, 401)


def test_unsigned_post_cannot_name_visitor_ip():
    envelope = submit(ip_address="198.51.100.7", consent={"checked": True})

    assert consent_of(envelope).ip == "203.0.113.10"


def test_signature_without_configured_secret_proves_nothing():
    endpoint = Endpoint(allowed_origins=frozenset({SITE}))
    envelope = website_form.read(
        incoming(
            b"{}",
            endpoint=endpoint,
            X_Rooftree_Signature=hmac.new(b"", b"{}", "sha256").hexdigest(),
        )
    )

    assert envelope.reason == "bad_signature"


def test_server_endpoint_rejects_browser_post():
    endpoint = Endpoint(secret="s", signed_only=True, allowed_origins=frozenset({SITE}))

    assert website_form.read(incoming(b"{}", endpoint=endpoint)).reason == "bad_signature"


@pytest.mark.parametrize(
    ("consent", "status", "channels"),
    [
        ({"checked": True, "text": WORDING}, ConsentStatus.GRANTED, {"call", "text"}),
        ({"checked": True}, ConsentStatus.GRANTED, {"call"}),  # a bare yes
        ({"checked": False, "text": WORDING}, ConsentStatus.DENIED, set()),
        ({"text": WORDING}, ConsentStatus.NOT_PROVIDED, set()),  # shown, but not agreed to
        (None, ConsentStatus.NOT_PROVIDED, set()),
        ("yes, whatever", ConsentStatus.NOT_PROVIDED, set()),
    ],
)
def test_consent_records_answer_to_shown_wording(consent, status, channels):
    consent_found = consent_of(submit(consent=consent))

    assert (consent_found.status, set(consent_found.channels)) == (status, channels)


def test_spanish_wording_names_its_media():
    wording = "Acepto llamadas automatizadas o pregrabadas y mensajes de texto."

    consent_found = consent_of(submit(consent={"checked": True, "text": wording}))

    assert set(consent_found.channels) == {"call", "autodial_call", "prerecorded", "text"}
    assert consent_found.evidence == Evidence.FULL


def test_shown_wording_and_visitor_actions_are_stored():
    shown = {"checked": True, "text": WORDING, "version": "v7", "snapshot_sha256": "ab12"}
    shown |= {"font_px": 14, "contrast": 7.1, "prechecked": True, "seller": "Harbor Light"}

    envelope = submit(consent=shown)

    extras = envelope.leads[0].extras
    assert extras["consent.version"] == "v7"
    assert extras["consent.snapshot_sha256"] == "ab12"
    assert (extras["consent.font_px"], extras["consent.contrast"]) == ("14", "7.1")
    assert extras["consent.prechecked"] == "true"
    assert "consent_prechecked" in envelope.warnings
    assert consent_of(envelope).seller_named == "Harbor Light"


def test_separate_checkboxes_grant_only_ticked_media():
    consent_found = consent_of(post(name="Pat Okoro", email="p@example.com", consent_sms="on"))

    assert consent_found.channels == (ConsentChannel.TEXT,)


def test_private_ip_is_not_stored_as_evidence():
    body = json.dumps(FORM | {"consent": {"checked": True}}).encode()

    envelope = website_form.read(replace(incoming(body), remote_addr="10.0.0.7"))

    assert consent_of(envelope).ip is None
    assert "consent_ip_not_public" in envelope.warnings


def test_consent_time_cannot_be_in_the_future():
    envelope = submit(submitted_at="2027-01-01T00:00:00Z", consent={"checked": True})

    assert consent_of(envelope).timestamp == NOON
    assert "submitted_at_in_future" in envelope.warnings


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "https://www.harborlight.example@evil.example/",
        "https://evil.example\\@www.harborlight.example/",
        "//www.harborlight.example/",
        "http://www.harborlight.example/",
        "javascript:alert(1)",
        "https://www.harborlight.example:8443/",
        "https://[/",
    ],
)
def test_visitor_is_never_redirected_to_other_site(back):
    envelope = post(name="Pat Okoro", email="pat@example.com", return_to=back)

    assert (envelope.http.status, envelope.http.location) == (200, None)
    assert "return_to_not_allowed" in envelope.warnings


def test_visitor_without_javascript_is_redirected_back():
    envelope = post(name="Pat Okoro", email="pat@example.com", return_to=f"{SITE}/thanks")

    assert (envelope.http.status, envelope.http.location) == (303, f"{SITE}/thanks")


def test_sensitive_numbers_never_reach_the_lead():
    envelope = submit(message="ssn 900-12-3456, card 4111 1111 1111 1111")

    assert envelope.leads[0].message == "ssn [redacted ssn], card [redacted card]"
    assert {"ssn_discarded", "card_number_redacted"} <= set(envelope.warnings)


@pytest.mark.parametrize(
    ("token", "kept"),
    [
        ("b6d767d2-f8ed-5d21-a44b-0e5886680cb9", "B6D767D2-F8ED-5D21-A44B-0E5886680CB9"),
        ("00000000-0000-0000-0000-000000000000", None),
        ("not-a-token", None),
    ],
)
def test_jornaya_token_is_stored_only_if_valid(token, kept):
    assert consent_of(submit(leadid_token=token)).leadid_token == kept


def test_certificate_url_must_be_on_trustedform_host():
    envelope = submit(xxTrustedFormCertUrl="https://cert.trustedform.com.evil.example/" + "a" * 40)

    assert consent_of(envelope).certificate_url is None
    assert envelope.actions == ()


def test_test_submission_is_not_counted():
    assert submit(is_test=True).outcome == Outcome.ACCEPTED_TEST


@pytest.mark.parametrize(
    ("written", "bin_"),
    [
        ("3-6 months", "3_6_months"),
        ("ASAP", "asap"),
        ("2 weeks", "0_30_days"),
        ("1-3 months", "61_90_days"),
        ("6-12 months", "6_12_months"),
        ("12+ months", "12_plus_months"),
        ("just looking", "no_timeframe"),
        (45, "31_60_days"),
    ],
)
def test_timeline_answer_is_grouped_by_its_last_day(written, bin_):
    assert submit(timeline=written).leads[0].timeline == bin_
