"""Pay plans are judged as `rooftree decide` does and need two people (LOC-01)."""

from datetime import date

import pytest
from django.db import IntegrityError
from django.db.transaction import atomic
from django.urls import reverse

from rooftree.compliance.models import PayPlan
from rooftree.flow import clock
from rooftree.web.fairness import pay_plan_views
from tests import make
from tests.web.fairness.ruled import decide, law_of

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize(("typed", "facts"), PLANS)
def test_pay_plan_is_judged_as_decide_rules(typed, facts, operations):
    decision, reason = decide(**facts)

    answer = operations.post(reverse("pay_plan"), plan(make.officer(), **typed))

    if decision == "allow":
        assert PayPlan.objects.get().reason == reason
        return
    assert answer.status_code == 422
    assert law_of(reason) in answer.text
    assert "LOC-01, 12 CFR 1026.36" in answer.text
    assert not PayPlan.objects.exists()


def test_bonus_of_exactly_ten_percent_is_accepted(operations):
    operations.post(reverse("pay_plan"), plan(make.officer(), bonus_pct="10"))

    assert PayPlan.objects.get().bonus_pct == 10
    assert decide(bonus_pct_of_total_comp=10.0, profit_based=True)[0] == "allow"


def test_split_by_source_is_accepted_with_counsels_document(operations):
    typed = plan(make.officer(), basis="lead_source", document="Memo 12")

    operations.post(reverse("pay_plan"), typed)

    assert (PayPlan.objects.get().decision, PayPlan.objects.get().document) == (
        "require",
        "Memo 12",
    )


def test_description_that_hides_a_loan_term_is_rejected(operations):
    typed = plan(make.officer(), basis="other", in_words="Volume of loans above par rate")

    answer = operations.post(reverse("pay_plan"), typed)

    assert law_of("term_of_transaction") in answer.text


@pytest.fixture
def approver(signed_in):
    return signed_in(make.user("compliance"))


def test_pay_plan_takes_effect_after_another_persons_approval(compliance, approver):
    officer = make.officer("Dana Whitfield")
    compliance.post(reverse("pay_plan"), plan(officer, from_date="2026-11-01", bonus_pct="10"))
    row = PayPlan.objects.get()
    decision = reverse("pay_plan_decision", args=[row.pk])

    compliance.post(decision, {"act": "approve"})
    assert "waiting for approval" in approver.get(reverse("pay_plans")).text
    approver.post(decision, {"act": "approve"})

    row.refresh_from_db()
    assert row.approved_by != row.written_by
    page = approver.get(reverse("pay_plans")).text
    assert "A fixed percentage of the loan amount, 1.25%" in page
    assert "bonus from profits 10% of total pay" in page
    assert "active" in page


def test_pay_plan_cannot_change_for_terms_already_offered(compliance, approver):
    officer = make.officer()
    compliance.post(reverse("pay_plan"), plan(officer, from_date="2026-11-01"))
    approver.post(reverse("pay_plan_decision", args=[PayPlan.objects.get().pk]), {"act": "approve"})
    decision, reason = decide(action="lo_cuts_own_comp_to_match_competitor")

    for day in ("2026-11-23", "2026-11-01", "2026-10-01"):
        answer = compliance.post(reverse("pay_plan"), plan(officer, percent="1", from_date=day))
        assert answer.status_code == 422
    assert decision == "block"
    assert law_of(reason) in answer.text

    compliance.post(reverse("pay_plan"), plan(officer, percent="1", from_date="2026-11-24"))
    late = PayPlan.objects.get(number=2)
    with clock.freeze(make.NOON + make.DAY):  # its start date passed before it was approved
        approver.post(reverse("pay_plan_decision", args=[late.pk]), {"act": "approve"})
    late.refresh_from_db()
    assert late.approved_at is None


def test_two_pay_plans_of_one_day_are_never_both_approved(compliance, approver):
    officer = make.officer()
    for _ in range(2):
        compliance.post(reverse("pay_plan"), plan(officer))

    for pay_plan in PayPlan.objects.order_by("number"):
        approver.post(reverse("pay_plan_decision", args=[pay_plan.pk]), {"act": "approve"})

    assert [bool(pay_plan.approved_at) for pay_plan in PayPlan.objects.order_by("number")] == [
        True,
        False,
    ]
    assert compliance.post(reverse("pay_plan"), plan(officer)).status_code == 422


def test_withdrawn_pay_plan_cannot_be_approved(compliance, approver):
    compliance.post(reverse("pay_plan"), plan(make.officer()))
    decision = reverse("pay_plan_decision", args=[PayPlan.objects.get().pk])

    compliance.post(decision, {"act": "drop"})
    approver.post(decision, {"act": "approve"})

    assert PayPlan.objects.get().approved_at is None
    assert "discarded" in approver.get(reverse("pay_plans")).text


def test_database_rejects_a_forbidden_pay_plan():
    user = make.user("compliance")
    fields = {
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
            PayPlan.objects.create(**fields | change)
    assert PayPlan.objects.create(**fields)


def test_branch_compliance_cannot_see_other_branches_pay(signed_in):
    tampa, austin = make.branch("Tampa"), make.branch("Austin")
    dana, sam = (
        make.officer("Dana Whitfield", branch=tampa),
        make.officer("Sam Rivera", branch=austin),
    )
    bound = make.user("compliance", branch=tampa)
    browser, wide = signed_in(bound), signed_in(make.user("compliance"))

    wide.post(reverse("pay_plan"), plan(sam))
    assert browser.post(reverse("pay_plan"), plan(sam)).status_code == 422
    assert browser.post(reverse("pay_plan"), plan(dana)).status_code == 303
    page = browser.get(reverse("pay_plans")).text
    assert ("Dana Whitfield" in page, "Sam Rivera" in page) == (True, False)
    address = reverse("pay_plan_decision", args=[PayPlan.objects.get(officer=sam).pk])
    assert browser.post(address, {"act": "approve"}).status_code == 404


def test_pay_plans_are_paged_and_found_by_officer(operations, monkeypatch):
    monkeypatch.setattr(pay_plan_views, "PAGE_SIZE", 1)
    for name in ("Dana Whitfield", "Sam Rivera"):
        operations.post(reverse("pay_plan"), plan(make.officer(name)))

    first = operations.get(reverse("pay_plans")).text
    assert "Dana Whitfield" in first
    assert "Sam Rivera" not in first
    assert "Sam Rivera" in operations.get(reverse("pay_plans"), {"page": 2}).text
    assert "Sam Rivera" in operations.get(reverse("pay_plans"), {"q": "river"}).text


@pytest.mark.parametrize("role", ["manager", "marketing", "administrator", "executive"])
def test_only_operations_and_compliance_see_pay_plans(role, signed_in):
    browser = signed_in(make.user(role))

    for page in ("pay_plans", "pay_plan"):
        assert browser.get(reverse(page)).status_code == 403
