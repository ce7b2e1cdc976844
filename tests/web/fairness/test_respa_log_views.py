"""Things of value and agreements are judged as `rooftree decide` does (RSP-01)."""

import pytest
from django.db import IntegrityError
from django.db.transaction import atomic
from django.urls import reverse

from rooftree.compliance.models import Finding
from rooftree.flow import clock
from rooftree.leads.models import Agreement, ThingOfValue
from rooftree.org.models import StaffNotice
from rooftree.web.fairness import respa_log_views
from tests import make
from tests.web.fairness.ruled import decide, law_of

pytestmark = pytest.mark.django_db
TODAY = make.NOON.date()


def enter_thing(**changes):
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


@pytest.mark.parametrize(("typed", "facts"), GIVEN)
def test_thing_of_value_is_judged_as_decide_rules(typed, facts, operations):
    partner = make.partner()
    address = reverse("partner_value", args=[partner.pk])
    decision, reason = decide(payee=partner.kind, **facts)

    answer = operations.post(address, enter_thing(**typed))

    assert answer.status_code == 422
    assert law_of(reason) in answer.text
    assert "RSP-01, 12 USC 2607" in answer.text
    assert not ThingOfValue.objects.exists()
    if decision == "require":
        operations.post(address, enter_thing(**typed, document="Memo of 11/02, folder 7"))
        assert ThingOfValue.objects.get().reason == reason


def test_forbidden_thing_of_value_is_recorded_and_compliance_notified_once(operations):
    compliance_user, partner = make.user("compliance"), make.partner()
    answer = operations.post(
        reverse("partner_value", args=[partner.pk]), enter_thing(has_happened="on")
    )

    assert answer.status_code == 303
    assert (ThingOfValue.objects.get().decision, ThingOfValue.objects.get().reason) == (
        "block",
        "thing_of_value",
    )
    assert Finding.objects.get().rule == "RSP-01"
    assert StaffNotice.objects.get().user == compliance_user


def test_own_employee_can_be_an_exception_reviewed_by_counsel(operations):
    partner = make.partner()
    address = reverse("partner_value", args=[partner.pk])
    typed = enter_thing(basis="per_referral", is_employee="on")

    refused = operations.post(address, typed)
    operations.post(address, typed | {"document": "Memo 4"})

    assert law_of("employer_exception_review") in refused.text
    assert decide(payee="own_employee_non_lo", basis="referral_bonus") == (
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


@pytest.mark.parametrize(("typed", "facts"), SELLERS)
def test_lead_seller_agreement_is_judged_as_decide_rules(typed, facts, operations):
    decision, reason = decide(**facts)

    answer = operations.post(reverse("agreement"), agreement(make.source(), **typed))

    if decision == "block":
        assert answer.status_code == 422
        assert law_of(reason) in answer.text
        assert not Agreement.objects.exists()
    else:
        stored_agreement = Agreement.objects.get()
        assert (stored_agreement.decision, stored_agreement.reason) == (decision, reason)


@pytest.mark.parametrize(("cost", "benefit"), [(80, 50), (51, 50), (50, 50), (40, 50)])
def test_joint_advertising_is_judged_as_decide_rules(cost, benefit, operations):
    decision, reason = decide(co_marketing=True, our_share_cost=cost, our_share_space=benefit)
    typed = agreement(
        make.partner(), basis="co_marketing", our_cost_pct=cost, our_benefit_pct=benefit,
        fair_value_document="Quote of the printer",
    )  # fmt: skip

    answer = operations.post(reverse("agreement"), typed)

    assert answer.status_code == (422 if decision == "block" else 303)
    assert [row.reason for row in Agreement.objects.all()] == (
        [] if decision == "block" else [reason]
    )


def test_agreement_takes_effect_after_another_person_names_counsels_document(signed_in):
    first, second = signed_in(make.user("compliance")), signed_in(make.user("compliance"))
    partner = make.partner()
    first.post(reverse("agreement"), agreement(partner, basis="msa_fixed_price"))
    stored_agreement = Agreement.objects.get()
    approval = reverse("agreement_approval", args=[stored_agreement.pk])
    paid = enter_thing(
        basis="msa_fixed_price", agreement=str(stored_agreement.pk), what="Open house"
    )
    address = reverse("partner_value", args=[partner.pk])

    assert first.post(address, paid).status_code == 422
    first.post(approval, {"document": "Memo 9"})  # the author
    second.post(approval, {"document": " "})
    stored_agreement.refresh_from_db()
    assert stored_agreement.approved_at is None
    second.post(approval, {"document": "Memo 9"})
    assert first.post(address, paid).status_code == 303

    assert ThingOfValue.objects.get().agreement == stored_agreement
    assert ThingOfValue.objects.get().document == "Memo 9"
    page = first.get(reverse("things_of_value")).text
    assert "in force" in page
    assert "Memo 9" in page
    second.post(reverse("agreement_ending", args=[stored_agreement.pk]))
    late = paid | {"on_date": "2026-11-24"}
    with clock.freeze(make.NOON + make.DAY):
        assert "was not in force on that day" in first.post(address, late).text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"with_whom": ""}, "Enter partner or source"),
        ({"payee": ""}, "Choose what they sell"),
        ({"cents": ""}, "Enter the agreed amount"),
        ({"until_date": "2026-10-31"}, "The end must not be before the start"),
        ({"until_date": "2030-10-31"}, "at most three years later"),
        ({"basis": "co_marketing"}, "our share of the cost"),
    ],
)
def test_incomplete_agreement_is_rejected(change, message, operations):
    answer = operations.post(reverse("agreement"), agreement(make.source(), **change))

    assert answer.status_code == 422
    assert message in answer.text


def test_agreements_and_entries_are_paged_apart(operations, monkeypatch):
    monkeypatch.setattr(respa_log_views, "PAGE_SIZE", 1)
    source = make.source()
    for what in ("Older deal", "Newer deal"):
        day = "2026-11-05" if what == "Newer deal" else "2026-11-01"
        operations.post(reverse("agreement"), agreement(source, what=what, from_date=day))
    assert Agreement.objects.count() == 2

    first = operations.get(reverse("things_of_value")).text
    assert "Newer deal" in first
    assert "Older deal" not in first
    assert "Older deal" in operations.get(reverse("things_of_value"), {"agreement_page": 2}).text


def test_database_rejects_an_agreement_that_pays_more_than_it_gets():
    partner, user = make.partner(), make.user("compliance")
    fields = {
        "partner": partner, "payee": "builder", "basis": "co_marketing", "description": "x",
        "cents": 100, "our_cost_pct": 60, "our_benefit_pct": 50, "document": "x",
        "from_date": TODAY, "until_date": TODAY, "decision": "allow", "reason": "x",
        "entered_by": user, "entered_at": make.NOON,
    }  # fmt: skip

    for change in ({}, {"our_cost_pct": 50, "decision": "block"}):
        with pytest.raises(IntegrityError), atomic():
            Agreement.objects.create(**fields | change)


@pytest.mark.parametrize("role", ["manager", "marketing", "administrator", "executive"])
def test_only_operations_and_compliance_see_agreements(role, signed_in):
    browser = signed_in(make.user(role))

    for page in ("things_of_value", "agreement"):
        assert browser.get(reverse(page)).status_code == 403
