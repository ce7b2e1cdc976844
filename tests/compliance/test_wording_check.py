"""Every wording rule against its own examples, and what a finding does."""

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
BLOCKED = [(one, text) for one in WORDING_DATA["patterns"] for text in one["blocked"]]
ALLOWED = [(one, text) for one in WORDING_DATA["patterns"] for text in one["allowed"]]
# As content.md states them: what a hit does, what it is called, where alone it is looked for.
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


def test_each_rule_does_what_the_wording_rules_say() -> None:
    ours = [
        (one["id"], one["action"], one["name"], one.get("scope"))
        for one in WORDING_DATA["patterns"]
    ]

    assert [" ".join(filter(None, one)) for one in ours] == [
        line.strip() for line in STATED.strip().splitlines()
    ]


def _ids(pattern: dict[str, str], text: str, **changes: object) -> set[str]:
    draft = Draft(body=text, channel=CHANNELS.get(pattern.get("scope", ""), ""), **changes)  # type: ignore[arg-type]
    return {wording_issue.id for wording_issue in find_wording_issues(draft)}


def test_each_example_that_must_be_found_is_found() -> None:
    missed = [(one["id"], text) for one, text in BLOCKED if one["id"] not in _ids(one, text)]
    assert missed == []


def test_each_example_that_may_pass_passes() -> None:
    found = [(one["id"], text) for one, text in ALLOWED if one["id"] in _ids(one, text)]
    assert found == []


LIFTED_BY_A_FACT = {
    "disclosure_set_ok": ("CT-02", "CT-03", "CT-04", "CT-05", "CT-33"),
    "prior_thread_ok": ("CT-20",),
    "prior_contact_ok": ("CT-32",),
    "rate_snapshot_ok": ("CT-34", "CT-40"),
    "lock_agreement_ok": ("CT-37",),
}
OF_ID = {one["id"]: one for one in WORDING_DATA["patterns"]}


@pytest.mark.parametrize(
    ("fact", "rule"), [(fact, one) for fact, rules in LIFTED_BY_A_FACT.items() for one in rules]
)
def test_the_fact_that_lifts_a_rule_lifts_it(fact: str, rule: str) -> None:
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
def test_the_words_that_lift_a_rule_lift_it(rule: str, text: str) -> None:
    assert rule not in _ids(OF_ID[rule], text)
    unless = re.compile(OF_ID[rule]["unless"], re.IGNORECASE)
    assert rule in _ids(OF_ID[rule], unless.sub("", text))


def test_a_true_fact_answers_the_rule_that_names_it() -> None:
    words = "Your payment could be $1,850/month"
    assert draft_ruling(Draft(body=words)).reason == "payment_trigger"
    shown = Draft(body=words, facts=frozenset({"disclosure_set_ok", "rate_snapshot_ok"}))
    assert draft_ruling(shown).reason == "clean"


def test_a_short_link_matters_in_a_text_and_not_in_an_email() -> None:
    assert find_wording_issues(Draft(body="See bit.ly/3xyz", channel="sms"))[0].name == "shortener"
    assert find_wording_issues(Draft(body="See bit.ly/3xyz", channel="email")) == ()


def test_one_promotional_line_makes_the_message_marketing() -> None:
    assert is_promotional(
        find_wording_issues(Draft(body="Your file is complete. Lowest rates in Texas!"))
    )
    assert not is_promotional(find_wording_issues(Draft(body="Your file is complete.")))


def test_the_strictest_and_most_particular_finding_speaks() -> None:
    said = draft_ruling(Draft(body="Rates as low as 5.5%"))
    assert (said.decision, said.reason) == (Decision.BLOCK, "as_low_as")


def test_the_words_of_a_send_are_read_by_the_gate() -> None:
    ids = "Dana Lee NMLS 222222, Acme Mortgage NMLS 111111. Reply STOP to opt out."
    blocked = decide(facts(text=f"Ours is 5.5% today. {ids}"))
    assert (blocked.decision, blocked.reason) == (Decision.BLOCK, "rate_without_apr")
    assert "5.5%" in blocked.sentence
    asked = decide(facts(text=f"A no-cost refinance for you. {ids}"))
    assert (asked.decision, asked.reason) == (Decision.REQUIRE, "no_cost")
    proven = facts(text=f"5.75% (6.012% APR). {ids}", content_facts=("rate_snapshot_ok",))
    assert decide(proven).decision is Decision.ALLOW


def test_an_approver_answers_what_needs_approval_and_nothing_else() -> None:
    def approved(words: str, reason: str) -> Verdict:
        by = HumanDecision(rule="CNT-01", reason=reason, by="user:1", at=NOON)
        return decide(facts(text=f"{words} {WORDS}", answers=(by,)))

    assert approved("A no-cost refinance.", "no_cost").decision is Decision.ALLOW
    assert approved("Guaranteed approval.", "guaranteed_approval").decision is Decision.BLOCK
    both = approved("A no-cost refinance. Lowest rates in Texas.", "no_cost")
    assert (both.decision, both.reason) == (Decision.REQUIRE, "superlative")
    denied = approved("A no-cost refinance, but you were turned down.", "no_cost")
    assert denied.reason == "treat_as_application_send_adverse_action"


def test_words_that_tell_somebody_no_wait_for_a_person() -> None:
    said = decide(facts(text=f"Sorry, you were turned down. {WORDS}"))
    assert said.decision is Decision.REQUIRE
    assert said.reason == "treat_as_application_send_adverse_action"


def test_words_of_denial_are_recognized() -> None:
    assert sounds_like_denial("Sorry, you do not qualify")
    assert not sounds_like_denial("Let us see what you qualify for")
