"""Consent proven by a delivery, a certificate and source terms."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from rooftree.compliance.consent.build_consent_record import (
    ConsentProofs,
    ReviewedTerms,
    SessionCertificate,
    build_consent_record,
    consent_fact,
)
from rooftree.compliance.gate.message_gate import decide
from tests.compliance.usual import NOON, NUMBER, US, facts

WORDING = (
    f"By checking this box I agree that {US} may call and text me at this number with automated "
    "technology. Consent is not a condition of purchase."
)
CANONICAL = {
    "status": "granted",
    "channels": ["call", "text"],
    "text": WORDING,
    "timestamp": "2026-11-24T16:59:00+00:00",
    "ip": "203.0.113.7",
    "user_agent": "Firefox",
    "page_url": "https://acme.example/quote",
    "method": "checkbox",
    "certificate_url": None,
    "leadid_token": None,
    "seller_named": None,
}
TERMS = ReviewedTerms(
    from_date=date(2026, 1, 1),
    until_date=None,
    is_reviewed=True,
    wording=WORDING,
    signature="checkbox_unticked_by_default",
    channels=("call", "text"),
    seller_list="",
)
OWN = ConsentProofs(
    consent=CANONICAL, phone=NUMBER, received_on=date(2026, 11, 24), is_own_form=True
)
NAMES = (US, "Acme Home Loans")


def _decided(record: dict[str, object]) -> str:
    consents = (consent_fact(record),) if record else ()
    return decide(facts(consents=consents, at=NOON)).reason


def test_own_form_proves_every_part_of_consent() -> None:
    record = build_consent_record(OWN, NAMES)
    assert record["seller"] == US
    assert record["signature"] == "checkbox_unticked_by_default"
    assert record["condition_of_purchase"] is False
    assert record["evidence"] == ["text_hash", "page_url", "ip", "user_agent", "form_record"]
    assert _decided(record) == "pewc_valid"


def test_platform_without_evidence_proves_only_the_number() -> None:
    bare = replace(OWN, consent={"status": "not_provided", "channels": []}, is_own_form=False)
    assert build_consent_record(bare, NAMES) == {
        "type": "number_provided",
        "phone": NUMBER,
        "signer_is_subscriber": True,
    }
    assert _decided(build_consent_record(bare, NAMES)) == "consent_not_written"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"text": WORDING.replace(US, "our partners")}, "seller_not_named"),
        ({"text": WORDING.replace("not a condition", "part")}, "consent_conditioned_on_purchase"),
        ({"text": WORDING.replace("automated", "any")}, "autodial_disclosure_missing"),
        ({"channels": ["email"]}, "consent_channel_mismatch"),
        ({"timestamp": None}, "consent_evidence_incomplete"),
        ({"timestamp": "2026-11-24T17:00:01+00:00"}, "consent_after_send"),
        ({"ip": None}, "consent_evidence_incomplete"),
        ({"method": "verbal"}, "consent_not_written"),
        ({"method": None}, "consent_not_written"),
        ({"text": None}, "consent_not_written"),
        ({"status": "denied"}, "consent_still_needed"),
        ({"seller_named": "Other Bank"}, "seller_not_named"),
    ],
)
def test_unproven_part_is_not_consent(changes: dict[str, object], reason: str) -> None:
    assert (
        _decided(build_consent_record(replace(OWN, consent={**CANONICAL, **changes}), NAMES))
        == reason
    )


def test_third_party_form_proves_nothing_about_its_checkbox() -> None:
    record = build_consent_record(replace(OWN, is_own_form=False), NAMES)
    assert "signature" not in record
    assert _decided(record) == "consent_not_affirmative"


def test_source_terms_prove_the_checkbox_while_in_force_and_reviewed() -> None:
    bought = replace(
        OWN, consent={**CANONICAL, "leadid_token": "abc"}, is_own_form=False, terms=TERMS
    )
    assert _decided(build_consent_record(bought, NAMES)) == "pewc_valid"
    for worse in (
        replace(TERMS, is_reviewed=False),
        replace(TERMS, from_date=date(2026, 11, 25)),
        replace(TERMS, until_date=date(2026, 11, 24)),
    ):
        assert (
            _decided(build_consent_record(replace(bought, terms=worse), NAMES))
            == "consent_not_affirmative"
        )


def test_certificate_for_another_number_removes_the_number() -> None:
    claimed = SessionCertificate(
        phone="+13055550999",
        signature="checkbox_unticked_by_default",
        page_url=None,
        ip=None,
        user_agent=None,
        captured_at=datetime(2026, 11, 24, 16, 59, tzinfo=UTC),
        wording=None,
    )
    record = build_consent_record(replace(OWN, certificate=claimed), NAMES)
    assert "phone" not in record
    assert _decided(record) == "consent_number_mismatch"
    good = build_consent_record(replace(OWN, certificate=replace(claimed, phone=NUMBER)), NAMES)
    assert "session_cert" in good["evidence"]


def test_prechecked_box_on_the_certificate_is_not_consent() -> None:
    claimed = SessionCertificate(
        phone=NUMBER,
        signature="prechecked_box",
        page_url=None,
        ip=None,
        user_agent=None,
        captured_at=None,
        wording=None,
    )
    assert (
        _decided(build_consent_record(replace(OWN, certificate=claimed), NAMES))
        == "consent_not_affirmative"
    )


def test_disowned_number_is_not_consent() -> None:
    assert (
        _decided(build_consent_record(replace(OWN, is_disowned=True), NAMES))
        == "consent_person_mismatch"
    )


def test_registered_trade_name_counts_but_part_of_a_word_does_not() -> None:
    dba = {**CANONICAL, "text": WORDING.replace(US, "ACME Home Loans,")}
    assert build_consent_record(replace(OWN, consent=dba), NAMES)["seller"] == "Acme Home Loans"
    near = {**CANONICAL, "text": WORDING.replace(US, "Acme Mortgage LLCs")}
    assert "seller" not in build_consent_record(replace(OWN, consent=near), NAMES)


def test_spanish_wording_is_recognized() -> None:
    words = (
        f"Acepto que {US} me llame y envíe mensajes con tecnología automática. "
        "El consentimiento no es condición de compra."
    )
    record = build_consent_record(replace(OWN, consent={**CANONICAL, "text": words}), NAMES)
    assert record["autodial_disclosure"] is True
    assert record["condition_of_purchase"] is False
