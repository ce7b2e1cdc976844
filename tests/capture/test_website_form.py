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


def test_a_robot_is_thanked_and_forgotten():
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
def test_a_form_filled_faster_than_a_hand_is_set_aside_but_kept(rendered, outcome):
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
def test_another_site_cannot_post(origin):
    envelope = website_form.read(incoming(json.dumps(FORM).encode(), Origin=origin))

    assert (envelope.outcome, envelope.reason) == (Outcome.REJECTED_AUTH, "bad_origin")


def test_a_signed_post_needs_no_origin_and_tells_its_visitors_address():
    body = json.dumps(FORM | {"ip_address": "198.51.100.7", "consent": {"checked": True}}).encode()
    digest = hmac.new(b"shared", body, hashlib.sha256).hexdigest()
    signed = incoming(body, X_Rooftree_Signature=f"sha256={digest}", Origin="https://evil.example")

    envelope = website_form.read(signed)

    assert envelope.outcome == Outcome.ACCEPTED
    assert consent_of(envelope).ip == "198.51.100.7"
    tampered = website_form.read(replace(signed, body=body + b" "))
    assert (tampered.outcome, tampered.http.status) == (Outcome.REJECTED_AUTH, 401)


def test_an_unsigned_post_cannot_name_its_own_address():
    envelope = submit(ip_address="198.51.100.7", consent={"checked": True})

    assert consent_of(envelope).ip == "203.0.113.10"


def test_a_signature_proves_nothing_where_no_secret_is_set():
    endpoint = Endpoint(allowed_origins=frozenset({SITE}))
    envelope = website_form.read(
        incoming(
            b"{}",
            endpoint=endpoint,
            X_Rooftree_Signature=hmac.new(b"", b"{}", "sha256").hexdigest(),
        )
    )

    assert envelope.reason == "bad_signature"


def test_an_endpoint_for_servers_takes_no_browsers_post():
    endpoint = Endpoint(secret="s", signed_only=True, allowed_origins=frozenset({SITE}))

    assert website_form.read(incoming(b"{}", endpoint=endpoint)).reason == "bad_signature"


@pytest.mark.parametrize(
    ("consent", "status", "channels"),
    [
        ({"checked": True, "text": WORDING}, ConsentStatus.GRANTED, {"call", "text"}),
        ({"checked": True}, ConsentStatus.GRANTED, {"call"}),  # a bare yes
        ({"checked": False, "text": WORDING}, ConsentStatus.DENIED, set()),
        ({"text": WORDING}, ConsentStatus.NOT_PROVIDED, set()),  # shown is not agreed
        (None, ConsentStatus.NOT_PROVIDED, set()),
        ("yes, whatever", ConsentStatus.NOT_PROVIDED, set()),
    ],
)
def test_consent_is_what_was_said_to_the_words_shown(consent, status, channels):
    found = consent_of(submit(consent=consent))

    assert (found.status, set(found.channels)) == (status, channels)


def test_a_spanish_wording_names_its_media():
    wording = "Acepto llamadas automatizadas o pregrabadas y mensajes de texto."

    found = consent_of(submit(consent={"checked": True, "text": wording}))

    assert set(found.channels) == {"call", "autodial_call", "prerecorded", "text"}
    assert found.evidence == Evidence.FULL


def test_what_was_shown_and_done_is_kept():
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


def test_one_box_a_medium_grants_only_what_was_ticked():
    found = consent_of(post(name="Pat Okoro", email="p@example.com", consent_sms="on"))

    assert found.channels == (ConsentChannel.TEXT,)


def test_a_private_address_is_no_evidence():
    body = json.dumps(FORM | {"consent": {"checked": True}}).encode()

    envelope = website_form.read(replace(incoming(body), remote_addr="10.0.0.7"))

    assert consent_of(envelope).ip is None
    assert "consent_ip_not_public" in envelope.warnings


def test_consent_cannot_come_from_the_future():
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
def test_a_visitor_is_never_sent_to_another_site(back):
    envelope = post(name="Pat Okoro", email="pat@example.com", return_to=back)

    assert (envelope.http.status, envelope.http.location) == (200, None)
    assert "return_to_not_allowed" in envelope.warnings


def test_a_visitor_without_script_is_sent_back():
    envelope = post(name="Pat Okoro", email="pat@example.com", return_to=f"{SITE}/thanks")

    assert (envelope.http.status, envelope.http.location) == (303, f"{SITE}/thanks")


def test_numbers_that_may_not_be_kept_never_reach_the_lead():
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
def test_a_jornaya_token_is_kept_only_when_it_can_be_one(token, kept):
    assert consent_of(submit(leadid_token=token)).leadid_token == kept


def test_only_trustedforms_own_host_is_a_certificate():
    envelope = submit(xxTrustedFormCertUrl="https://cert.trustedform.com.evil.example/" + "a" * 40)

    assert consent_of(envelope).certificate_url is None
    assert envelope.actions == ()


def test_a_test_submission_counts_for_nothing():
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
def test_a_timeline_is_binned_by_its_last_day(written, bin_):
    assert submit(timeline=written).leads[0].timeline == bin_
