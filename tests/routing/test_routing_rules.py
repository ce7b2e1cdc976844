import json
import re
from dataclasses import replace

import pytest
from django.db import IntegrityError
from django.db.transaction import atomic

from rooftree.compliance.fair_lending import permitted_factors
from rooftree.compliance.gate.verdict import Decision
from rooftree.routing import rule_check
from rooftree.routing.models import RuleSet
from rooftree.routing.permitted_rule_facts import PERMITTED_CRITERIA
from rooftree.routing.routing_rules import (
    ArrivalSpan,
    Backup,
    BackupKind,
    Criteria,
    LeadFacts,
    Pool,
    Rule,
    WhenNobody,
    first_matching_rule,
)
from rooftree.routing.rule_check import BadRules
from rooftree.routing.rule_sentences import RuleNames, rule_sentence
from tests import make

LEAD = LeadFacts(
    id="lead",
    source="zillow",
    purpose="refinance_cash_out",
    state="TX",
    language="es",
    amount_cents=400_000_00,
    credit_band="good",
    score=70,
    day="sat",
    clock="23:30",
)
NAMES = RuleNames(
    sources={"zillow": "Zillow"},
    branches={"b1": "Austin"},
    officers={"o1": "Sam Rivera"},
    alarm="Ruth Adler",
)
FULL = Rule(
    name="Austin",
    criteria=Criteria(
        sources=("zillow",),
        purposes=("purchase",),
        states=("TX",),
        amount_from_cents=100_000_00,
        languages=("es",),
        hours=ArrivalSpan(days=("sat", "sun"), from_time="09:00", until_time="17:00"),
    ),
    pool=Pool(branches=("b1",), weights={"o1": 2}),
    chain=(
        Backup(kind=BackupKind.POOL, take_seconds=45),
        Backup(kind=BackupKind.OFFICERS, officers=("o1",)),
    ),
    nobody=WhenNobody.POOL,
    nobody_pool=Pool(officers=("o1",)),
)

FORBIDDEN = (
    "race", "color", "religion", "national_origin", "ethnicity", "sex", "gender", "gender_identity",
    "sexual_orientation", "marital_status", "age", "date_of_birth", "public_assistance",
    "rights_exercised", "familial_status", "children_in_household", "disability", "military",
    "veteran", "zip", "zips", "property_zip", "city", "property_city", "county", "tract", "street",
    "neighborhood", "area_code", "school", "surname", "last_name", "first_name", "given_name",
    "name", "photo", "device_language", "compensation", "commission",
)  # fmt: skip


@pytest.mark.parametrize(
    ("criteria", "fits"),
    [
        (Criteria(), True),
        (Criteria(sources=("lendingtree",)), False),
        (Criteria(purposes=("refinance",)), True),  # covers its sub-kinds
        (Criteria(purposes=("refinance_rate_term",)), False),
        (Criteria(states=("TX", "CA")), True),
        (Criteria(states=("CA",)), False),
        (Criteria(without_state=True), False),
        (Criteria(languages=("es",)), True),
        (Criteria(amount_from_cents=400_000_00), True),  # inclusive
        (Criteria(amount_below_cents=400_000_00), False),  # exclusive
        (Criteria(credit_bands=("excellent",)), False),
        (Criteria(score_at_least=70), True),
        (Criteria(score_at_least=71), False),
        (Criteria(inquiry="new"), True),
        (Criteria(inquiry="repeat"), False),
        (Criteria(hours=ArrivalSpan(from_time="22:00", until_time="06:00")), True),  # over midnight
        (Criteria(hours=ArrivalSpan(from_time="08:00", until_time="23:30")), False),
        (Criteria(hours=ArrivalSpan(days=("sun",))), False),
    ],
)
def test_rule_matches_the_leads_it_names(criteria, fits):
    rule = Rule(name="One", criteria=criteria)

    assert (first_matching_rule([rule], LEAD) == rule) is fits


def test_unknown_fact_meets_no_criterion():
    blank = LeadFacts(id="lead", source="zillow", state="TX")

    for criteria in (
        Criteria(amount_from_cents=1),
        Criteria(amount_below_cents=1),
        Criteria(score_at_least=0),
        Criteria(credit_bands=("good",)),
    ):
        assert first_matching_rule([Rule(name="One", criteria=criteria)], blank) is None


def test_first_matching_rule_wins():
    first, second = Rule(name="First", criteria=Criteria(states=("TX",))), Rule(name="Second")

    assert first_matching_rule([first, second], LEAD) == first
    assert first_matching_rule([second, first], LEAD) == second


def test_rule_survives_json_round_trip():
    for rule in (FULL, Rule(name="Everyone")):
        assert Rule.from_json(json.loads(json.dumps(rule.to_json()))) == rule


def test_rule_is_parsed_from_form_data():
    rules = rule_check.parse_rules(
        [{"name": "Texas", "criteria": {"states": ["TX"]}, "chain": [{"kind": "pool"}]}]
    )

    assert rules[0].criteria.states == ("TX",)
    assert rules[0].chain == (Backup(kind=BackupKind.POOL),)


@pytest.mark.parametrize("field", FORBIDDEN)
def test_rule_using_prohibited_fact_is_refused(field):
    with pytest.raises(BadRules, match="A rule can't use") as refused:
        rule_check.parse_rules([{"name": "Unfair", "criteria": {field: ["78745"]}}])

    assert field.replace("_", " ") in refused.value.problems[0]
    assert re.search(r"\((FLR-01|LOC-01), \d", refused.value.problems[0])


def test_rule_using_unreviewed_fact_is_refused():
    with pytest.raises(BadRules, match="reviewed for fair lending"):
        rule_check.parse_rules([{"name": "Odd", "criteria": {"shoe_size": 9}}])


def test_every_rule_criterion_was_reviewed():
    assert set(Criteria.__dataclass_fields__) == set(PERMITTED_CRITERIA)
    assert not set(PERMITTED_CRITERIA) & set(FORBIDDEN)


@pytest.mark.parametrize(
    "fact",
    [name for name in LeadFacts.__dataclass_fields__ if name != "id"],
)
def test_every_lead_fact_is_permitted_for_routing(fact):
    assert permitted_factors.check_factor(use="route", field=fact).decision is Decision.ALLOW


def test_rule_using_officer_pay_is_refused():
    with pytest.raises(BadRules, match="officer pay can't steer borrowers .LOC-01"):
        rule_check.parse_rules(
            [{"name": "R", "criteria": {"offer_product_with_highest_lo_comp": True}}]
        )


def test_language_rule_cannot_allow_more_time():
    spanish = Rule(name="Spanish", criteria=Criteria(languages=("es",)), take_seconds=61)
    others = Rule(name="Others", take_seconds=60)

    with pytest.raises(BadRules, match="Spanish: allow at most 60 seconds .*FLR-01"):
        rule_check.check_rules([spanish, others])
    rule_check.check_rules([replace(spanish, take_seconds=60), others])
    rule_check.check_rules([others, spanish])  # it is never reached


STORED = Rule(name="One").to_json()


@pytest.mark.django_db
@pytest.mark.parametrize("field", [*FORBIDDEN, "shoe_size"])
def test_database_refuses_rule_using_unreviewed_fact(field):
    unfair = {**STORED, "criteria": {**STORED["criteria"], field: ["78745"]}}
    odd = {**STORED, field: ["78745"]}
    for stored in (unfair,) if field == "name" else (unfair, odd):
        with pytest.raises(IntegrityError, match="rule_set_looks_at_reviewed_facts"), atomic():
            RuleSet.objects.create(number=1, rules=[STORED, stored], published_at=make.NOON)


@pytest.mark.django_db
def test_database_stores_every_valid_rule():
    made = RuleSet.objects.create(number=1, rules=[FULL.to_json(), STORED], published_at=make.NOON)

    made.refresh_from_db()
    assert Rule.from_json(made.rules[0]) == FULL


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (Rule(name=" "), "give it a name"),
        (Rule(name="R", criteria=Criteria(states=("ZZ",))), "ZZ is not a state"),
        (Rule(name="R", criteria=Criteria(purposes=("boat",))), "boat is not a loan purpose"),
        (Rule(name="R", criteria=Criteria(credit_bands=("vip",))), "credit must be one of"),
        (
            Rule(name="R", criteria=Criteria(amount_from_cents=5, amount_below_cents=5)),
            "must be below",
        ),
        (Rule(name="R", criteria=Criteria(score_at_least=101)), "between 0 and 100"),
        (Rule(name="R", criteria=Criteria(inquiry="maybe")), "new or repeat"),
        (
            Rule(name="R", criteria=Criteria(hours=ArrivalSpan(from_time="8"))),
            "write times as 08:00",
        ),
        (Rule(name="R", criteria=Criteria(without_state=True)), "can't be everyone"),
        (Rule(name="R", pool=Pool(weights={"o": 11})), "whole number from 1 to 10"),
        (Rule(name="R", take_seconds=5), "between 15 seconds and an hour"),
        (Rule(name="R", chain=(Backup(kind=BackupKind.OFFICERS),)), "choose the loan officers"),
        (Rule(name="R", chain=(Backup(kind=BackupKind.BRANCH),)), "choose a branch"),
        (Rule(name="R", nobody=WhenNobody.POOL), "choose the pool"),
    ],
)
def test_invalid_rule_is_refused_with_sentence(rule, problem):
    with pytest.raises(BadRules, match=problem):
        rule_check.check_rules([rule])


def test_rules_need_unique_names_and_at_least_one_rule():
    with pytest.raises(BadRules, match="Two rules are called"):
        rule_check.check_rules([Rule(name="Same"), Rule(name="same")])
    with pytest.raises(BadRules, match="at least one rule"):
        rule_check.check_rules([])


def test_rule_is_described_in_a_sentence():
    assert rule_sentence(FULL, NAMES) == (
        "A Zillow purchase lead in Texas of $100,000 or more asking for Spanish arriving on "
        "Saturday or Sunday from 9 AM to 5 PM goes to the Austin team, round robin, with 2 "
        "minutes to take it; then to the next officer in the pool for 45 seconds; then to Sam "
        "Rivera for 2 minutes. If no one takes it, Ruth Adler is notified. If no one is "
        "eligible, it goes to Sam Rivera."
    )
    assert rule_sentence(Rule(name="Everyone"), NAMES) == (
        "Any lead goes to all eligible loan officers, round robin, with 2 minutes to take it. "
        "If no one takes it, Ruth Adler is notified. If no one is eligible, Ruth Adler is "
        "notified right away."
    )
