"""The pages that enforce FLR-01, RSP-01 and LOC-01 rule as `rooftree decide` does."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError
from django.db.transaction import atomic
from django.test import Client
from django.urls import reverse

from rooftree.compliance import reasons
from rooftree.compliance.cases import verdict_of
from rooftree.compliance.models import Finding, PayPlan
from rooftree.flow import moment
from rooftree.leads.models import Agreement, ThingOfValue
from rooftree.org.models import AccessEntry, StaffNotice
from rooftree.reporting import fair_monitor
from rooftree.reporting.fair_outcomes import Measure
from rooftree.reporting.models import FairReport, PlaceFile
from rooftree.routing import publish, rule_check
from rooftree.routing.models import RuleSet
from tests import make

pytestmark = pytest.mark.django_db
TODAY = make.NOON.date()


@pytest.fixture(autouse=True)
def noon(db):
    make.company()
    with moment.at(make.NOON):
        yield


@pytest.fixture
def compliance(signed_in) -> Client:
    return signed_in(make.user("compliance"))


@pytest.fixture
def operations(signed_in) -> Client:
    return signed_in(make.user("operations"))


def decided(**given):
    """What `rooftree decide` says."""
    verdict = verdict_of(given)
    return verdict.decision, verdict.reason


def law_of(reason):
    """The reason as a page writes it."""
    return reasons.MESSAGES[reason].replace("'", "&#x27;")


# FLR-01: what may decide, and what is compared.


@pytest.mark.parametrize("field", ["race", "property_zip", "last_name", "area_code", "shoe_size"])
def test_a_rule_is_refused_for_the_reason_decide_gives(field):
    decision, reason = decided(use="route", field=field)
    assert (decision, reason) != ("allow", "legitimate_need")

    with pytest.raises(rule_check.BadRules, match="FLR-01, 12 CFR 1002.4") as refused:
        publish.publish(
            rule_check.read([{"name": "R", "criteria": {field: ["x"]}}]), by=None, at=make.NOON
        )

    said = str(refused.value)
    assert ("reviewed for fair lending" in said) is (reason == "fair_lending_review")
    assert not RuleSet.objects.exists()


def compared(spanish_minutes=13):
    arrived = make.NOON - timedelta(days=40)  # in October
    for language, minutes in (("en", 10), ("es", spanish_minutes)):
        for _ in range(30):
            make.lead(
                at=arrived, person=make.person(language=language),
                first_attempt_at=arrived + timedelta(minutes=minutes),
            )  # fmt: skip
    make.lead(at=arrived, person=make.person(language="ko"))
    fair_monitor.close_due(at=make.NOON)


@pytest.mark.parametrize("minutes", [12, 13])
def test_a_ratio_is_put_before_compliance_as_decide_rules(minutes, compliance):
    compared(minutes)
    decision, _ = decided(use="monitor", metric="response", ratio=minutes / 10)

    assert Finding.objects.exists() is (decision == "require")
    page = compliance.get(reverse("fair_lending")).text
    assert f"{minutes / 10:.2f}" in page
    assert ("against its reference, ratio 1.30" in page) is (decision == "require")


def test_the_monitor_shows_groups_with_intervals_and_hides_the_small(compliance):
    compared()

    page = compliance.get(reverse("fair_lending")).text

    assert "Fair lending: October 2026" in page
    assert "Privileged and confidential" in page
    assert "13 min" in page
    assert "Korean" in page
    assert "Fewer than 30 leads" in page
    assert "no file of places was loaded" in page
    assert "Bonferroni" in page


def test_before_the_first_month_the_monitor_says_when_it_begins(compliance):
    assert "No month has been compared yet" in compliance.get(reverse("fair_lending")).text
    assert compliance.get(reverse("fair_lending_taken_out")).status_code == 404
    assert compliance.get(reverse("fair_lending") + "?month=x").status_code == 200


def test_a_finding_is_closed_with_words_and_stays(compliance):
    compared()
    finding = Finding.objects.get()
    address = reverse("finding_conclusion", args=[finding.pk])

    compliance.post(address, {"words": ""})
    finding.refresh_from_db()
    assert finding.closed_at is None
    compliance.post(address, {"words": "One source sends at night; its hours were changed."})

    page = compliance.get(reverse("fair_lending")).text
    assert "its hours were changed" in page
    assert "Close it with this" not in page


def test_a_month_leaves_only_with_a_reason_marked_and_written_down(compliance):
    compared()
    address = reverse("fair_lending_taken_out")

    assert compliance.post(address, {"reason": " "}).status_code == 422
    assert not AccessEntry.objects.filter(kind="exported").exists()
    answer = compliance.post(address, {"reason": "General counsel, yearly review"})

    lines = answer.content.decode("utf-8-sig").splitlines()[1:]
    assert lines
    assert all("prepared at the direction of counsel" in line for line in lines)
    assert any('"Spanish"' in line and '"1.3"' in line for line in lines)
    assert any('"Korean"' in line and '"too few"' in line for line in lines)
    entry = AccessEntry.objects.get(kind="exported")
    assert (entry.subject, entry.reason) == (
        "fair_lending:2026-10",
        "General counsel, yearly review",
    )


def test_a_file_of_places_is_loaded_or_refused_in_a_sentence(compliance, tmp_path):
    good, bad = tmp_path / "acs.csv", tmp_path / "bad.csv"
    good.write_text("zip,minority_share\n78745,40\n")
    bad.write_text("zip,share\n78745,40\n")

    with bad.open("rb") as file:
        refused = compliance.post(reverse("fair_lending"), {"file": file})
    assert (refused.status_code, "Name the columns" in refused.text) == (422, True)
    with good.open("rb") as file:
        compliance.post(reverse("fair_lending"), {"file": file})

    assert PlaceFile.objects.get().places == 1
    assert "acs.csv, 1 places" in compliance.get(reverse("fair_lending")).text


@pytest.mark.parametrize("role", ["manager", "administrator", "executive", "operations", "officer"])
def test_nobody_but_compliance_sees_the_monitor(role, signed_in):
    compared()
    browser = signed_in(make.officer().user if role == "officer" else make.user(role))

    assert browser.get(reverse("fair_lending")).status_code == 403
    assert browser.post(reverse("fair_lending_taken_out"), {"reason": "x" * 20}).status_code == 403
    assert reverse("fair_lending") not in browser.get(reverse("more")).text
    assert FairReport.objects.filter(measure=Measure.RESPONSE).exists()


def test_compliance_of_one_branch_sees_neither_the_whole_company_nor_other_officers_pay(signed_in):
    compared()
    here, there = make.branch("Tampa"), make.branch("Austin")
    dana, sam = (
        make.officer("Dana Whitfield", branch=here),
        make.officer("Sam Rivera", branch=there),
    )
    bound = make.user("compliance", branch=here)
    browser, wide = signed_in(bound), signed_in(make.user("compliance"))

    assert browser.get(reverse("fair_lending")).status_code == 403
    assert browser.get(reverse("fair_lending_taken_out")).status_code == 403
    wide.post(reverse("pay_plan"), plan(sam))
    assert browser.post(reverse("pay_plan"), plan(sam)).status_code == 422
    assert browser.post(reverse("pay_plan"), plan(dana)).status_code == 303
    page = browser.get(reverse("pay_plans")).text
    assert ("Dana Whitfield" in page, "Sam Rivera" in page) == (True, False)
    theirs = reverse("pay_plan_decision", args=[PayPlan.objects.get(officer=sam).pk])
    assert browser.post(theirs, {"act": "approve"}).status_code == 404


# RSP-01: things of value and agreements.


def thing(**changes):
    return {
        "direction": "given", "what": "Tickets to the fair", "fair_value_cents": "84.20",
        "why": "Client evening", "on_date": "2026-11-20", "basis": "gift",
    } | changes  # fmt: skip


GIVEN = [
    ({"basis": "gift"}, {"thing": "tickets"}),
    ({"basis": "per_closed_loan"}, {"basis": "per_closed_loan"}),
    ({"basis": "per_referral"}, {"basis": "per_referral"}),
    ({"basis": "msa_varies_with_referrals"}, {"basis": "msa_varies_with_referrals"}),
    ({"basis": "msa_fixed_price"}, {"basis": "msa_fixed_price"}),
]


@pytest.mark.parametrize(("typed", "given"), GIVEN)
def test_a_thing_of_value_is_ruled_as_decide_rules(typed, given, operations):
    partner = make.partner()
    address = reverse("partner_value", args=[partner.pk])
    decision, reason = decided(payee=partner.kind, **given)

    answer = operations.post(address, thing(**typed))

    assert answer.status_code == 422
    assert law_of(reason) in answer.text
    assert "RSP-01, 12 USC 2607" in answer.text
    assert not ThingOfValue.objects.exists()
    if decision == "require":
        operations.post(address, thing(**typed, document="Memo of 11/02, folder 7"))
        assert ThingOfValue.objects.get().reason == reason


def test_what_is_forbidden_and_happened_is_kept_and_compliance_told_once(operations):
    heard, partner = make.user("compliance"), make.partner()
    answer = operations.post(reverse("partner_value", args=[partner.pk]), thing(has_happened="on"))

    assert answer.status_code == 303
    assert (ThingOfValue.objects.get().decision, ThingOfValue.objects.get().reason) == (
        "block",
        "thing_of_value",
    )
    assert Finding.objects.get().rule == "RSP-01"
    assert StaffNotice.objects.get().user == heard


def test_our_own_employee_may_be_an_exception_that_counsel_reviews(operations):
    partner = make.partner()
    address = reverse("partner_value", args=[partner.pk])
    typed = thing(basis="per_referral", is_employee="on")

    refused = operations.post(address, typed)
    operations.post(address, typed | {"document": "Memo 4"})

    assert law_of("employer_exception_review") in refused.text
    assert decided(payee="own_employee_non_lo", basis="referral_bonus") == (
        "require",
        ThingOfValue.objects.get().reason,
    )


def agreement(whom, **changes):
    kind = "source" if hasattr(whom, "adapter") else "partner"
    return {
        "with_whom": f"{kind}:{whom.pk}", "payee": "lead_vendor", "what": "What is paid for",
        "basis": "flat_per_lead", "cents": "45", "document": "Contract 7",
        "from_date": "2026-11-01", "until_date": "2027-10-31",
    } | changes  # fmt: skip


SELLERS = [
    ({}, {"payee": "lead_vendor", "basis": "flat_per_lead"}),
    ({"fair_value_document": "Study 2026"},
     {"payee": "lead_vendor", "basis": "flat_per_lead", "fmv_documented": True}),
    ({"endorses_us": "on", "fair_value_document": "Study"},
     {"payee": "lead_vendor", "basis": "flat_per_lead", "fmv_documented": True,
      "endorses_us": True}),
    ({"basis": "per_funded_loan", "endorses_us": "on"},
     {"payee": "lead_vendor", "basis": "per_funded_loan", "endorses_us": True}),
    ({"basis": "per_application"}, {"payee": "lead_vendor", "basis": "per_application"}),
    ({"payee": "comparison_platform", "basis": "higher_fee_for_rank"},
     {"payee": "comparison_platform", "basis": "higher_fee_for_rank"}),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "given"), SELLERS)
def test_an_agreement_with_a_seller_of_leads_is_ruled_as_decide_rules(typed, given, operations):
    decision, reason = decided(**given)

    answer = operations.post(reverse("agreement"), agreement(make.source(), **typed))

    if decision == "block":
        assert answer.status_code == 422
        assert law_of(reason) in answer.text
        assert not Agreement.objects.exists()
    else:
        made = Agreement.objects.get()
        assert (made.decision, made.reason) == (decision, reason)


@pytest.mark.parametrize(("cost", "benefit"), [(80, 50), (51, 50), (50, 50), (40, 50)])
def test_joint_advertising_is_ruled_as_decide_rules(cost, benefit, operations):
    decision, reason = decided(co_marketing=True, our_share_cost=cost, our_share_space=benefit)
    typed = agreement(
        make.partner(), basis="co_marketing", our_cost_pct=cost, our_benefit_pct=benefit,
        fair_value_document="Quote of the printer",
    )  # fmt: skip

    answer = operations.post(reverse("agreement"), typed)

    assert answer.status_code == (422 if decision == "block" else 303)
    assert [one.reason for one in Agreement.objects.all()] == (
        [] if decision == "block" else [reason]
    )


def test_an_agreement_counts_once_another_person_names_counsels_document(signed_in):
    first, second = signed_in(make.user("compliance")), signed_in(make.user("compliance"))
    partner = make.partner()
    first.post(reverse("agreement"), agreement(partner, basis="msa_fixed_price"))
    made = Agreement.objects.get()
    approval = reverse("agreement_approval", args=[made.pk])
    paid = thing(basis="msa_fixed_price", agreement=str(made.pk), what="Open house")
    address = reverse("partner_value", args=[partner.pk])

    assert first.post(address, paid).status_code == 422
    first.post(approval, {"document": "Memo 9"})  # entered it
    second.post(approval, {"document": " "})
    made.refresh_from_db()
    assert made.approved_at is None
    second.post(approval, {"document": "Memo 9"})
    assert first.post(address, paid).status_code == 303

    assert ThingOfValue.objects.get().agreement == made
    assert ThingOfValue.objects.get().document == "Memo 9"
    page = first.get(reverse("things_of_value")).text
    assert "in force" in page
    assert "Memo 9" in page
    second.post(reverse("agreement_ending", args=[made.pk]))
    late = paid | {"on_date": "2026-11-24"}
    with moment.at(make.NOON + make.DAY):
        assert "was not in force on that day" in first.post(address, late).text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"with_whom": ""}, "Give whom it is with"),
        ({"payee": ""}, "Say what they sell"),
        ({"cents": ""}, "Give the amount agreed"),
        ({"until_date": "2026-10-31"}, "It ends after it begins"),
        ({"until_date": "2030-10-31"}, "within three years"),
        ({"basis": "co_marketing"}, "our share of the cost"),
    ],
)
def test_an_agreement_that_says_too_little_is_refused(change, said, operations):
    answer = operations.post(reverse("agreement"), agreement(make.source(), **change))

    assert answer.status_code == 422
    assert said in answer.text


def test_the_database_keeps_no_agreement_that_pays_more_than_it_gets():
    partner, user = make.partner(), make.user("compliance")
    kept = {
        "partner": partner, "payee": "builder", "basis": "co_marketing", "what": "x",
        "cents": 100, "our_cost_pct": 60, "our_benefit_pct": 50, "document": "x",
        "from_date": TODAY, "until_date": TODAY, "decision": "allow", "reason": "x",
        "entered_by": user, "entered_at": make.NOON,
    }  # fmt: skip

    for change in ({}, {"our_cost_pct": 50, "decision": "block"}):
        with pytest.raises(IntegrityError), atomic():
            Agreement.objects.create(**kept | change)


@pytest.mark.parametrize("role", ["manager", "marketing", "administrator", "executive"])
def test_agreements_and_pay_are_for_operations_and_compliance(role, signed_in):
    browser = signed_in(make.user(role))

    for page in ("things_of_value", "agreement", "pay_plans", "pay_plan"):
        assert browser.get(reverse(page)).status_code == 403


# LOC-01: compensation plans.


def plan(officer, **changes):
    return {
        "officer": str(officer.pk), "from_date": "2026-12-01", "basis": "fixed_pct_of_loan_amount",
        "percent": "1.25", "least_cents": "1,500", "most_cents": "9,000",
        "is_paid_by_creditor": "on",
    } | changes  # fmt: skip


PLANS = [
    ({}, {"comp_basis": "fixed_pct_of_loan_amount", "min": 1500, "max": 9000}),
    ({"basis": "other", "in_words": "Interest rate"}, {"comp_basis": "interest_rate"}),
    ({"basis": "other", "in_words": "APR"}, {"comp_basis": "apr"}),
    ({"basis": "other", "in_words": "Product sold"}, {"comp_basis": "product_sold"}),
    ({"basis": "other", "in_words": "Borrower credit score"},
     {"comp_basis": "borrower_credit_score"}),
    ({"basis": "other", "in_words": "LTV"}, {"comp_basis": "ltv"}),
    ({"basis": "hourly", "cents": "45"}, {"comp_basis": "hours"}),
    ({"basis": "volume"}, {"comp_basis": "volume"}),
    ({"basis": "lead_source"}, {"comp_basis": "lead_source"}),
    ({"basis": "lead_source", "only_when": "rate above par"},
     {"comp_basis": "lead_source", "only_when": "rate_above_par"}),
    ({"is_paid_by_consumer": "on"}, {"consumer_pays_lo": True, "creditor_pays_lo": True}),
    ({"bonus_pct": "10.1"}, {"bonus_pct_of_total_comp": 10.1, "profit_based": True}),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "given"), PLANS)
def test_a_plan_is_ruled_as_decide_rules(typed, given, operations):
    decision, reason = decided(**given)

    answer = operations.post(reverse("pay_plan"), plan(make.officer(), **typed))

    if decision == "allow":
        assert PayPlan.objects.get().reason == reason
        return
    assert answer.status_code == 422
    assert law_of(reason) in answer.text
    assert "LOC-01, 12 CFR 1026.36" in answer.text
    assert not PayPlan.objects.exists()


def test_a_bonus_of_exactly_ten_percent_is_kept(operations):
    operations.post(reverse("pay_plan"), plan(make.officer(), bonus_pct="10"))

    assert PayPlan.objects.get().bonus_pct == 10
    assert decided(bonus_pct_of_total_comp=10.0, profit_based=True)[0] == "allow"


def test_a_split_by_source_is_kept_on_counsels_document(operations):
    typed = plan(make.officer(), basis="lead_source", document="Memo 12")

    operations.post(reverse("pay_plan"), typed)

    assert (PayPlan.objects.get().decision, PayPlan.objects.get().document) == (
        "require",
        "Memo 12",
    )


def test_words_that_hide_a_term_behind_a_lawful_basis_are_refused(operations):
    typed = plan(make.officer(), basis="other", in_words="Volume of loans above par rate")

    answer = operations.post(reverse("pay_plan"), typed)

    assert law_of("term_of_transaction") in answer.text


@pytest.fixture
def approver(signed_in):
    return signed_in(make.user("compliance"))


def test_a_plan_counts_once_somebody_else_approved_it(compliance, approver):
    officer = make.officer("Dana Whitfield")
    compliance.post(reverse("pay_plan"), plan(officer, from_date="2026-11-01", bonus_pct="10"))
    one = PayPlan.objects.get()
    decision = reverse("pay_plan_decision", args=[one.pk])

    compliance.post(decision, {"act": "approve"})
    assert "waits for approval" in approver.get(reverse("pay_plans")).text
    approver.post(decision, {"act": "approve"})

    one.refresh_from_db()
    assert one.approved_by != one.written_by
    page = approver.get(reverse("pay_plans")).text
    assert "A fixed percentage of the loan amount, 1.25%" in page
    assert "bonus out of profits 10% of all pay" in page
    assert "counts" in page


def test_pay_does_not_move_for_terms_that_may_have_been_offered(compliance, approver):
    officer = make.officer()
    compliance.post(reverse("pay_plan"), plan(officer, from_date="2026-11-01"))
    approver.post(reverse("pay_plan_decision", args=[PayPlan.objects.get().pk]), {"act": "approve"})
    decision, reason = decided(action="lo_cuts_own_comp_to_match_competitor")

    for day in ("2026-11-23", "2026-11-01", "2026-10-01"):
        answer = compliance.post(reverse("pay_plan"), plan(officer, percent="1", from_date=day))
        assert answer.status_code == 422
    assert decision == "block"
    assert law_of(reason) in answer.text

    compliance.post(reverse("pay_plan"), plan(officer, percent="1", from_date="2026-11-24"))
    late = PayPlan.objects.get(number=2)
    with moment.at(make.NOON + make.DAY):  # its day has come before it was approved
        approver.post(reverse("pay_plan_decision", args=[late.pk]), {"act": "approve"})
    late.refresh_from_db()
    assert late.approved_at is None


def test_two_plans_of_one_day_are_never_both_approved(compliance, approver):
    officer = make.officer()
    for _ in range(2):
        compliance.post(reverse("pay_plan"), plan(officer))

    for one in PayPlan.objects.order_by("number"):
        approver.post(reverse("pay_plan_decision", args=[one.pk]), {"act": "approve"})

    assert [bool(one.approved_at) for one in PayPlan.objects.order_by("number")] == [True, False]
    assert compliance.post(reverse("pay_plan"), plan(officer)).status_code == 422


def test_a_plan_that_is_dropped_can_no_longer_be_approved(compliance, approver):
    compliance.post(reverse("pay_plan"), plan(make.officer()))
    decision = reverse("pay_plan_decision", args=[PayPlan.objects.get().pk])

    compliance.post(decision, {"act": "drop"})
    approver.post(decision, {"act": "approve"})

    assert PayPlan.objects.get().approved_at is None
    assert "dropped" in approver.get(reverse("pay_plans")).text


def test_the_database_keeps_no_plan_that_the_rule_forbids():
    user = make.user("compliance")
    kept = {
        "officer": make.officer(), "number": 1, "basis": "salary", "from_date": date(2026, 12, 1),
        "decision": "allow", "reason": "x", "written_by": user, "written_at": make.NOON,
    }  # fmt: skip

    for change in (
        {"decision": "block"},
        {"is_paid_by_consumer": True},
        {"bonus_pct": "10.01"},
        {"least_cents": 2, "most_cents": 1},
        {"approved_by": user, "approved_at": make.NOON},
    ):
        with pytest.raises(IntegrityError), atomic():
            PayPlan.objects.create(**kept | change)
    assert PayPlan.objects.create(**kept)


def test_a_rule_that_looks_at_pay_is_refused_as_decide_rules():
    decision, _ = decided(routing_rule="offer_product_with_highest_lo_comp")

    with pytest.raises(rule_check.BadRules, match="may not steer borrowers .LOC-01, 12 CFR"):
        rule_check.read([{"name": "R", "criteria": {"offer_product_with_highest_lo_comp": True}}])
    assert decision == "block"
