"""Each production gate stops a message that is lawful except for one fact."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from rooftree.compliance.gate.facts import (
    Emergency,
    Facts,
    Medium,
    NumberCheck,
    PriorContact,
    Revocation,
    StateList,
)
from rooftree.compliance.gate.message_gate import ENFORCED_CHECKS, decide
from rooftree.compliance.gate.verdict import Decision
from tests.compliance.usual import (
    NOON,
    call,
    email,
    facts,
    license_in,
    officer,
    place,
    provenance,
)

LOUISIANA = Emergency(state="LA", county="*", from_date=date(2026, 11, 1), until_date=None)
TRIGGER = provenance(
    source_class="cra_trigger",
    is_firm_offer=True,
    is_authorized_to_cra=True,
    says_not_affiliated=True,
    keeps_criteria=True,
    has_prescreen_notices=True,
)
TRIPS: dict[str, tuple[Facts, str]] = {
    "audit": (facts(has_audit_row=False), "no_audit_record"),
    "rules": (facts(rules_version="2026-01-01.1"), "rules_stale"),
    "revocation": (
        facts(revocations=(Revocation(at=NOON, media=(Medium.TEXT,), about=None, by_text=True),)),
        "revoked",
    ),
    "internal_dnc": (facts(internal_dnc_on=NOON.date()), "internal_dnc"),
    "reassigned": (
        facts(number_check=NumberCheck(response="yes", checked_on=NOON.date())),
        "number_reassigned",
    ),
    "credit_file": (facts(credit_stop="denied"), "file_denied"),
    "trigger_basis": (facts(provenance=provenance(source_class="unknown")), "provenance_unknown"),
    "trigger_state": (
        facts(provenance=replace(TRIGGER, says_not_affiliated=False), places=(place("GA"),)),
        "state_disclosure_missing",
    ),
    "prescreened": (
        facts(provenance=replace(TRIGGER, has_prescreen_notices=False)),
        "prescreen_optout_notice_missing",
    ),
    "license": (facts(officer=officer(licenses=())), "lo_unlicensed_state"),
    "owner": (facts(is_owners=False), "not_the_owner"),
    "activity": (facts(activity="quote_rate"), "mlo_activity_needs_licence"),
    "registration": (facts(registered_states=()), "registration_or_exemption"),
    "consent": (facts(consents=(), relationships=()), "no_written_consent"),
    "national_dnc": (call(is_on_registry=True, relationships=()), "national_dnc"),
    "state_dnc": (
        call(
            relationships=(),
            state_lists=(
                StateList(state="FL", version_date=NOON.date(), is_listed=True, listed_on=None),
            ),
        ),
        "state_dnc_no_ebr",
    ),
    "emergency": (
        facts(places=(place("LA", "America/Chicago"),), emergencies=(LOUISIANA,)),
        "state_of_emergency",
    ),
    "hours": (facts(at=NOON + timedelta(hours=9)), "after_window"),
    "caps": (
        facts(contacts=tuple(PriorContact(at=NOON, medium=Medium.CALL) for _ in range(3))),
        "cap_3_in_24h",
    ),
    "nmls_ids": (facts(text="Hi. Reply STOP to opt out."), "add_nmls_ids"),
    "license_words": (
        facts(property_state="CA", officer=officer(licenses=(license_in("CA"),))),
        "license_words_not_on_file",
    ),
    "opt_out_words": (facts(text="Acme NMLS 111111, Dana NMLS 222222"), "add_optout_text"),
    "approval": (facts(wording_until=NOON), "wording_not_approved"),
    "content": (
        facts(text="NMLS 111111 NMLS 222222 STOP ends. Guaranteed approval for you"),
        "guaranteed_approval",
    ),
    "links": (
        facts(text="NMLS 111111 NMLS 222222 STOP ends. bit.ly/x"),
        "public_shortener",
    ),
    "brand": (facts(is_brand_registered=False), "brand_not_registered"),
    "attributes": (facts(campaign_attributes=()), "direct_lending_attribute_missing"),
    "opt_in": (facts(optin_source="shared_aggregator_list"), "consent_sharing"),
    "broker": (
        facts(company_kind="broker", carrier_policy="direct_lenders_only"),
        "provider_refuses_third_party_lending",
    ),
    "email_address": (email(postal_address=None), "postal_address_missing"),
    "one_click": (email(has_one_click=False), "one_click_missing"),
    "subject": (email(subject="Re: your application"), "deceptive_subject"),
    "unsubscribe": (email(unsubscribe_days=29), "optout_link_ttl"),
    "authentication": (email(is_authenticated=False), "authentication_failed"),
    "spam_rate": (email(spam_percent=0.3), "spam_rate_stop"),
}


@pytest.mark.parametrize("gate", TRIPS)
def test_wrong_fact_is_stopped_only_by_its_own_gate(gate: str) -> None:
    wrong, reason = TRIPS[gate]
    verdict = decide(wrong)
    assert verdict.decision is not Decision.ALLOW
    assert verdict.reason == reason
    objecting = [
        ruling.reason for ruling in verdict.rulings if ruling.decision is not Decision.ALLOW
    ]
    assert objecting == [reason]


def test_template_is_allowed_until_the_second_its_approval_ends() -> None:
    assert decide(facts(wording_until=NOON + timedelta(seconds=1))).decision is Decision.ALLOW
    assert decide(facts(wording_until=None)).decision is Decision.ALLOW  # a person's own words


def test_every_gate_that_can_object_has_a_test() -> None:
    assert set(ENFORCED_CHECKS) - set(TRIPS) == {
        "email_hours"
    }  # it only ever says that email has none
