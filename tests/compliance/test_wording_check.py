"""Every wording rule against its own examples, and the effect of a finding."""

import re

import pytest

from rooftree.compliance.gate.facts import HumanDecision
from rooftree.compliance.gate.message_gate import decide
from rooftree.compliance.gate.verdict import Decision, Verdict
from rooftree.compliance.wording_rules.wording_check import (
    WORDING_DATA,
    Draft,
    draft_ruling,
    find_wording_issues,
    is_promotional,
    sounds_like_denial,
)
from tests.compliance.usual import NOON, WORDS, facts

CHANNELS = {"sms": "sms", "ai_sender": "ai_sender", "subject": ""}
BLOCKED = [(pattern, text) for pattern in WORDING_DATA["patterns"] for text in pattern["blocked"]]
ALLOWED = [(pattern, text) for pattern in WORDING_DATA["patterns"] for text in pattern["allowed"]]
# As content.md states them: id, action, name, scope.
STATED = """
    CT-01 block rate_without_apr
    CT-02 block payment_trigger
    CT-03 require downpayment_trigger
    CT-04 require term_trigger
    CT-05 require finance_charge_trigger
    CT-06 block fixed_misuse
    CT-07 block gov_affiliation
    CT-08 block current_lender_name
    CT-09 block debt_elimination
    CT-10 block counselor
    CT-11 block guaranteed_approval
    CT-12 block no_credit_check
    CT-13 require preapproved
    CT-14 require no_cost
    CT-15 require savings_claim
    CT-16 require urgency
    CT-17 require superlative
    CT-18 block skip_payment
    CT-19 require tax_claim
    CT-20 block false_thread subject
    CT-21 block official_look
    CT-22 block reverse_claims
    CT-23 block mortgage_relief
    CT-24 block speed_funding
    CT-25 block credit_repair
    CT-26 block discouragement
    CT-27 require steering_language
    CT-28 block referral_fee
    CT-29 block shortener sms
    CT-30 require shouting sms
    CT-31 require prediction
    CT-32 block pressure_prior_contact
    CT-33 require heloc_trigger
    CT-34 block as_low_as
    CT-35 require bot_persona ai_sender
    CT-36 require special_population_rate
    CT-37 block lock_claim
    CT-40 require typed_number
"""


def test_rules_match_the_wording_document() -> None:
    rules_as_shipped = [
        (pattern["id"], pattern["action"], pattern["name"], pattern.get("scope"))
        for pattern in WORDING_DATA["patterns"]
    ]

    assert [" ".join(filter(None, pattern)) for pattern in rules_as_shipped] == [
        line.strip() for line in STATED.strip().splitlines()
    ]


def _ids(pattern: dict[str, str], text: str, **changes: object) -> set[str]:
    draft = Draft(body=text, channel=CHANNELS.get(pattern.get("scope", ""), ""), **changes)  # type: ignore[arg-type]
    return {wording_issue.id for wording_issue in find_wording_issues(draft)}


def test_forbidden_examples_are_found() -> None:
    missed = [
        (pattern["id"], text)
        for pattern, text in BLOCKED
        if pattern["id"] not in _ids(pattern, text)
    ]
    assert missed == []


def test_allowed_examples_pass() -> None:
    blocked_examples = [
        (pattern["id"], text) for pattern, text in ALLOWED if pattern["id"] in _ids(pattern, text)
    ]
    assert blocked_examples == []


LIFTED_BY_A_FACT = {
    "disclosure_set_ok": ("CT-02", "CT-03", "CT-04", "CT-05", "CT-33"),
    "prior_thread_ok": ("CT-20",),
    "prior_contact_ok": ("CT-32",),
    "rate_snapshot_ok": ("CT-34", "CT-40"),
    "lock_agreement_ok": ("CT-37",),
}
OF_ID = {pattern["id"]: pattern for pattern in WORDING_DATA["patterns"]}


@pytest.mark.parametrize(
    ("fact", "rule"),
    [(fact, pattern) for fact, rules in LIFTED_BY_A_FACT.items() for pattern in rules],
)
def test_exempting_fact_lifts_its_rule(fact: str, rule: str) -> None:
    for text in OF_ID[rule]["blocked"]:
        assert rule not in _ids(OF_ID[rule], text, facts=frozenset({fact}))


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("CT-01", "30-year fixed at 5.75% (6.012% APR)"),
        ("CT-06", "Fixed 4.99% for the first year, adjustable in equal prominence after it"),
        ("CT-10", "A HUD-approved housing counselor and a mortgage counselor can both help"),
        ("CT-19", "Interest is tax deductible for some: consult your tax adviser"),
        ("CT-24", "Our loans closed within 28 days, an average 28 days last quarter"),
        ("CT-30", "CALL BACK ABOUT YOUR LOAN, NMLS 1204417"),
    ],
)
def test_exempting_words_lift_their_rule(rule: str, text: str) -> None:
    assert rule not in _ids(OF_ID[rule], text)
    unless = re.compile(OF_ID[rule]["unless"], re.IGNORECASE)
    assert rule in _ids(OF_ID[rule], unless.sub("", text))


def test_proven_fact_satisfies_the_rule_that_names_it() -> None:
    words = "Your payment could be $1,850/month"
    assert draft_ruling(Draft(body=words)).reason == "payment_trigger"
    shown = Draft(body=words, facts=frozenset({"disclosure_set_ok", "rate_snapshot_ok"}))
    assert draft_ruling(shown).reason == "clean"


def test_short_link_blocks_a_text_and_not_an_email() -> None:
    assert find_wording_issues(Draft(body="See bit.ly/3xyz", channel="sms"))[0].name == "shortener"
    assert find_wording_issues(Draft(body="See bit.ly/3xyz", channel="email")) == ()


def test_promotional_line_makes_the_message_marketing() -> None:
    assert is_promotional(
        find_wording_issues(Draft(body="Your file is complete. Lowest rates in Texas!"))
    )
    assert not is_promotional(find_wording_issues(Draft(body="Your file is complete.")))


def test_strictest_and_most_specific_finding_is_the_reason() -> None:
    ruling = draft_ruling(Draft(body="Rates as low as 5.5%"))
    assert (ruling.decision, ruling.reason) == (Decision.BLOCK, "as_low_as")


def test_gate_checks_the_rendered_text() -> None:
    ids = "Dana Lee NMLS 222222, Acme Mortgage NMLS 111111. Reply STOP to opt out."
    blocked = decide(facts(text=f"Ours is 5.5% today. {ids}"))
    assert (blocked.decision, blocked.reason) == (Decision.BLOCK, "rate_without_apr")
    assert "5.5%" in blocked.sentence
    verdict = decide(facts(text=f"A no-cost refinance for you. {ids}"))
    assert (verdict.decision, verdict.reason) == (Decision.REQUIRE, "no_cost")
    proven = facts(text=f"5.75% (6.012% APR). {ids}", content_facts=("rate_snapshot_ok",))
    assert decide(proven).decision is Decision.ALLOW


def test_approver_can_allow_only_what_needs_approval() -> None:
    def approved(words: str, reason: str) -> Verdict:
        by = HumanDecision(rule="CNT-01", reason=reason, by="user:1", at=NOON)
        return decide(facts(text=f"{words} {WORDS}", answers=(by,)))

    assert approved("A no-cost refinance.", "no_cost").decision is Decision.ALLOW
    assert approved("Guaranteed approval.", "guaranteed_approval").decision is Decision.BLOCK
    both = approved("A no-cost refinance. Lowest rates in Texas.", "no_cost")
    assert (both.decision, both.reason) == (Decision.REQUIRE, "superlative")
    denied = approved("A no-cost refinance, but you were turned down.", "no_cost")
    assert denied.reason == "treat_as_application_send_adverse_action"


def test_declining_words_wait_for_a_person() -> None:
    ruling = decide(facts(text=f"Sorry, you were turned down. {WORDS}"))
    assert ruling.decision is Decision.REQUIRE
    assert ruling.reason == "treat_as_application_send_adverse_action"


def test_denial_words_are_recognized() -> None:
    assert sounds_like_denial("Sorry, you do not qualify")
    assert not sounds_like_denial("Let us see what you qualify for")
