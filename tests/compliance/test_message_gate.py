"""The gate on production facts: total, strictest wins, fail closed."""

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rooftree.compliance.gate.facts import (
    UNKNOWN,
    Facts,
    Medium,
    Place,
    PriorContact,
    Purpose,
    Restart,
    Revocation,
)
from rooftree.compliance.gate.facts_json import facts_from_json, facts_hash, facts_to_json
from rooftree.compliance.gate.message_gate import ENFORCED_CHECKS, decide
from rooftree.compliance.gate.rulebook import STATES
from rooftree.compliance.gate.verdict import STRICTNESS, Decision
from tests.compliance.usual import (
    NOON,
    call,
    company,
    consent,
    email,
    facts,
    license_in,
    officer,
    place,
    provenance,
)

HOURS = [place(state, zone, "area_code") for state, row in STATES.items() for zone in row.zones]
moments = st.datetimes(
    min_value=datetime(2026, 10, 1),  # noqa: DTZ001  hypothesis adds the zone
    max_value=datetime(2027, 11, 30),  # noqa: DTZ001
    timezones=st.just(UTC),
)
places = st.lists(st.sampled_from(HOURS), min_size=1, max_size=3, unique=True).map(tuple)
STOP = Revocation(
    at=NOON - timedelta(seconds=30), media=(Medium.CALL, Medium.TEXT), about=None, by_text=True
)


def test_text_with_written_consent_is_allowed() -> None:
    verdict = decide(facts())
    assert (verdict.decision, verdict.reason) == (Decision.ALLOW, "pewc_valid")
    assert {ruling.decision for ruling in verdict.rulings} == {Decision.ALLOW}


def test_email_needs_no_consent() -> None:
    assert decide(email()).reason == "no_email_hours"


def test_call_by_hand_after_an_inquiry_needs_no_registry() -> None:
    verdict = decide(call(registry_date=None, state_lists=()))
    assert (verdict.decision, verdict.reason) == (Decision.ALLOW, "ebr_inquiry")


def test_call_without_registry_or_relationship_is_blocked() -> None:
    verdict = decide(call(registry_date=None, relationships=()))
    assert (verdict.decision, verdict.reason) == (Decision.BLOCK, "scrub_stale")


def test_empty_facts_are_blocked() -> None:
    verdict = decide(Facts())
    assert (verdict.decision, verdict.reason) == (Decision.BLOCK, "gate_failed_closed")


@pytest.mark.parametrize("whole", [facts(), email(), call()], ids=["text", "email", "call"])
def test_any_missing_fact_stops_a_lawful_message(whole: Facts) -> None:
    assert decide(whole).decision is Decision.ALLOW
    for field in fields(Facts):
        if field.name != "asks":
            verdict = decide(replace(whole, **{field.name: UNKNOWN}))
            assert (verdict.decision, verdict.reason) == (Decision.BLOCK, "gate_failed_closed")


CHANGES = {
    "late": facts(at=NOON + timedelta(hours=12)),
    "stopped": facts(revocations=(STOP,)),
    "capped": facts(contacts=tuple(PriorContact(at=NOON, medium=Medium.CALL) for _ in range(3))),
    "unlicensed": facts(officer=officer(licenses=())),
    "unconsented": facts(consents=()),
    "listed": call(is_on_registry=True, relationships=()),
    "prescreen": facts(
        provenance=provenance(
            source_class="cra_trigger",
            is_firm_offer=True,
            is_authorized_to_cra=True,
            has_opted_out_of_prescreen=True,
        )
    ),
    "no address": email(postal_address=None),
}


@pytest.mark.parametrize("whole", CHANGES.values(), ids=CHANGES)
def test_dropping_any_fact_never_allows_a_blocked_message(whole: Facts) -> None:
    assert decide(whole).decision is not Decision.ALLOW
    for smaller in _with_one_key_less(facts_to_json(whole)):
        assert decide(facts_from_json(smaller)).decision is not Decision.ALLOW


def _with_one_key_less(data: dict[str, object]) -> list[dict[str, object]]:
    variants = []
    for name, value in data.items():
        variants.append({key: message for key, message in data.items() if key != name})
        items = value if isinstance(value, list) else [value]
        for index, item in enumerate(items):
            if isinstance(item, dict):
                for key in item:
                    less = {k: v for k, v in item.items() if k != key}
                    changed = [*items[:index], less, *items[index + 1 :]]
                    variants.append({**data, name: changed if isinstance(value, list) else less})
    return variants


@settings(max_examples=150, deadline=None)
@given(at=moments, where=places, more=st.sampled_from(HOURS), is_automated=st.booleans())
def test_another_place_never_makes_a_verdict_milder(
    at: datetime, where: tuple[Place, ...], more: Place, is_automated: bool
) -> None:
    message = facts(at=at, places=where, is_automated=is_automated)
    before, after = decide(message), decide(replace(message, places=(*where, more)))
    assert STRICTNESS[after.decision] >= STRICTNESS[before.decision]
    if before.decision is after.decision is Decision.DEFER:
        assert before.next_allowed_at is not None
        assert after.next_allowed_at is not None
        assert after.next_allowed_at >= before.next_allowed_at


@settings(max_examples=80, deadline=None)
@given(
    at=moments,
    stopped=moments,
    media=st.sets(st.sampled_from(list(Medium)), min_size=1),
    about=st.sampled_from([None, *Purpose]),
    medium=st.sampled_from([Medium.CALL, Medium.TEXT, Medium.EMAIL]),
    purpose=st.sampled_from([Purpose.MARKETING, Purpose.INFORMATIONAL]),
)
def test_another_opt_out_never_makes_a_verdict_milder(
    at: datetime,
    stopped: datetime,
    media: set[Medium],
    about: Purpose | None,
    medium: Medium,
    purpose: Purpose,
) -> None:
    message = facts(at=at, medium=medium, purpose=purpose, has_promo=False)
    stop = Revocation(at=stopped, media=tuple(sorted(media)), about=about, by_text=True)
    before, after = decide(message), decide(replace(message, revocations=(stop,)))
    assert STRICTNESS[after.decision] >= STRICTNESS[before.decision]


@settings(max_examples=150, deadline=None)
@given(at=moments, where=places, is_automated=st.booleans(), guard=st.sampled_from([0, 5, 15]))
def test_deferred_message_is_within_hours_at_its_moment(
    at: datetime, where: tuple[Place, ...], is_automated: bool, guard: int
) -> None:
    message = facts(
        at=at, places=where, is_automated=is_automated, guard_minutes=guard, asks=("hours",)
    )
    verdict = decide(message)
    if verdict.decision is Decision.DEFER:
        assert verdict.next_allowed_at is not None
        assert verdict.next_allowed_at > at
        assert decide(replace(message, at=verdict.next_allowed_at)).decision is Decision.ALLOW


@settings(max_examples=60, deadline=None)
@given(at=moments, where=places, automated=st.booleans(), hours=st.lists(st.integers(0, 200)))
def test_facts_and_verdict_survive_json(
    at: datetime, where: tuple[Place, ...], automated: bool, hours: list[int]
) -> None:
    contacts = tuple(
        PriorContact(at=at - timedelta(hours=hour), medium=Medium.CALL) for hour in hours
    )
    message = facts(at=at, places=where, is_automated=automated, contacts=contacts)
    again = facts_from_json(json.loads(json.dumps(facts_to_json(message))))
    assert again == message
    assert facts_hash(again) == facts_hash(message)
    assert decide(again) == decide(message) == decide(message)


def test_fact_of_the_wrong_type_is_unknown() -> None:
    data = {**facts_to_json(facts()), "is_automated": "no", "contacts": [{"medium": "call"}]}
    again = facts_from_json(data)
    assert again.is_automated is UNKNOWN
    assert again.contacts is UNKNOWN


def test_depository_officer_needs_registration_not_a_license() -> None:
    bank = company(is_depository=True, licensed_states=())
    assert decide(facts(company=bank)).reason == "lo_unlicensed_state"
    registered = officer(is_registered=True, licenses=())
    assert decide(facts(company=bank, officer=registered)).decision is Decision.ALLOW


def test_license_is_valid_through_its_last_day() -> None:
    today = NOON.date()
    for expires, reason in (
        (today, "pewc_valid"),
        (today - timedelta(days=1), "licence_expired"),
    ):
        message = facts(officer=officer(licenses=(license_in("FL", expires_on=expires),)))
        assert decide(message).reason == reason


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Acme NMLS 111111, Dana NMLS #222222. Reply STOP to end.", "pewc_valid"),
        ("Acme NMLS 111111. Reply STOP to end.", "add_nmls_ids"),
        ("Acme NMLS 111111, Dana NMLS ID: 222222.", "add_optout_text"),
        ("Acme NMLS 111111, Dana NMLS 222222. STOP ends. bit.ly/3xyz", "public_shortener"),
    ],
)
def test_first_text_must_have_nmls_ids_and_opt_out(words: str, reason: str) -> None:
    assert decide(facts(text=words)).reason == reason


def test_company_message_needs_only_the_company_nmls_id() -> None:
    message = facts(officer=None, text="Acme NMLS 111111. Reply STOP to end.")
    assert decide(message).decision is Decision.ALLOW


def test_program_never_quotes_a_rate() -> None:
    assert decide(facts(activity="quote_rate")).reason == "mlo_activity_needs_licence"


def test_text_opt_out_still_allows_email_and_a_service_call_by_hand() -> None:
    assert decide(facts(revocations=(STOP,))).reason == "revoked"
    assert decide(email(revocations=(STOP,))).decision is Decision.ALLOW
    service = call(revocations=(STOP,), purpose=Purpose.INFORMATIONAL, has_promo=False)
    assert decide(service).decision is Decision.ALLOW
    assert decide(replace(service, is_automated=True)).reason == "revoked"


def test_only_a_consent_after_the_opt_out_undoes_it() -> None:
    new = consent(captured_at=STOP.at + timedelta(seconds=1))
    assert decide(facts(revocations=(STOP,), consents=(new,))).reason == "fresh_written_consent"
    old = consent(captured_at=STOP.at - timedelta(seconds=1))
    assert decide(facts(revocations=(STOP,), consents=(old,))).reason == "revoked"


@pytest.mark.parametrize(
    "lacking",
    [
        {"signature": "prechecked_box"},
        {"phone": "+13055550999"},
        {"seller": "Other Bank"},
        {"evidence": ("ip",)},
        {"channels": ("email",)},
        {"signer_is_subscriber": False},
    ],
)
def test_only_a_complete_consent_undoes_an_opt_out(lacking: dict[str, object]) -> None:
    new = consent(captured_at=STOP.at + timedelta(seconds=1), **lacking)
    assert decide(facts(revocations=(STOP,), consents=(new,))).reason == "revoked"


def test_virginia_text_opt_out_outlasts_start() -> None:
    start = Restart(at=NOON, has_prior_written_consent=True)
    there = (place("VA"),)
    old = (consent(captured_at=STOP.at - timedelta(days=1)),)
    message = facts(revocations=(STOP,), restarts=(start,), consents=old)
    assert decide(message).reason == "resubscribed"
    assert decide(replace(message, places=there)).reason == "revoked_va_10_years"
    new = (consent(captured_at=STOP.at + timedelta(seconds=1)),)
    assert decide(replace(message, places=there, consents=new)).reason == "fresh_written_consent"


def test_opt_out_ends_an_earlier_consent() -> None:
    late = Revocation(at=NOON, media=(Medium.TEXT,), about=Purpose.MARKETING, by_text=True)
    assert decide(facts(revocations=(late,))).reason == "revoked"


def test_stale_emergency_list_stops_messages_to_new_york() -> None:
    there = facts(places=(place("NY"),), registered_states=("NY",))
    assert decide(there).decision is Decision.ALLOW
    stale = replace(there, emergencies_read_at=NOON - timedelta(hours=25))
    assert decide(stale).reason == "emergency_data_stale"


def test_new_inquiry_has_its_own_caps() -> None:
    texts = (PriorContact(at=NOON - timedelta(hours=1), medium=Medium.TEXT),)
    assert decide(facts(contacts=texts)).decision is Decision.ALLOW
    old = facts(contacts=texts, inquired_at=NOON - timedelta(hours=24))
    assert decide(old).reason == "house_cap_1_text_24h"
    assert decide(old).next_allowed_at == NOON + timedelta(hours=23)
    assert decide(facts(contacts=texts * 2)).reason == "house_cap_2_text_24h"


def test_deferral_sentence_names_state_and_hour() -> None:
    at = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
    message = facts(
        at=at,
        places=(place("TX", "America/Denver"),),
        consents=(consent(captured_at=at),),
        property_state="FL",
    )
    verdict = decide(message)
    assert verdict.sentence == (
        "Allowed from Tue Nov 24, 9:00 AM Mountain. Texas doesn't allow marketing calls or texts "
        "before 9:00 AM Mountain."
    )


def test_production_runs_all_gates() -> None:
    assert facts().asks is None
    ids = {ruling.rule for ruling in decide(facts()).rulings}
    assert {"AUD-01", "REV-01", "LIC-01", "CON-01", "DNC-01", "HRS-02", "CAP-01"} <= ids
    assert len(ENFORCED_CHECKS) == len(set(ENFORCED_CHECKS))


def test_outdated_rules_version_blocks_a_message() -> None:
    assert decide(facts(rules_version="2026-11-22.9")).reason == "rules_stale"


def test_decision_is_fast() -> None:
    message, start = facts(), perf_counter()
    for _ in range(200):
        decide(message)
    assert (perf_counter() - start) / 200 < 0.01  # ten times the goal, so that it never flakes


def test_date_is_not_a_datetime() -> None:
    assert facts_from_json({**facts_to_json(facts()), "registry_date": 5}).registry_date is UNKNOWN
    assert facts_from_json(facts_to_json(facts())).registry_date == date(2026, 11, 20)
