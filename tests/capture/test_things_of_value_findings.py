"""Findings that compliance gets about the RESPA log."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.capture.partners import agreements, partner_accounts, things_of_value_findings
from rooftree.capture.partners.things_of_value_findings import MIN_MONTHS, Month, is_correlated
from rooftree.compliance.models import Finding
from rooftree.leads.models import Introduction
from rooftree.org.models import StaffNotice
from tests import make

TODAY = make.NOON.date()
MONTHS = st.lists(
    st.builds(Month, cents=st.integers(0, 5), referrals=st.integers(0, 5)), max_size=12
)


def ranks(values):
    """Return the rank of each value, ties sharing theirs, the slow way."""
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2
        for value in values
    ]


@given(months=MONTHS)
def test_payments_match_referrals_when_ranks_match(months):
    active_months = [month for month in months if month.cents or month.referrals]
    cents, referrals = (
        ranks([m.cents for m in active_months]),
        ranks([m.referrals for m in active_months]),
    )
    middle = (len(active_months) + 1) / 2
    pairs = list(zip(cents, referrals, strict=True))
    spread = [sum((value - middle) ** 2 for value in some) for some in (cents, referrals)]
    if len(active_months) < MIN_MONTHS or not all(spread):
        assert not is_correlated(months)
        return
    rho = sum((a - middle) * (b - middle) for a, b in pairs) / (spread[0] * spread[1]) ** 0.5

    if abs(rho - 0.7) > 1e-9:
        assert is_correlated(months) is (rho >= 0.7)


def test_constant_fee_matches_nothing():
    assert not is_correlated([Month(cents=500, referrals=n) for n in range(12)])


@pytest.fixture
def ana(db):
    make.company()
    make.user("compliance")
    return make.partner("Ana Ruiz")


def given_to(partner, *, cents=20_00, on=TODAY, basis="gift", **more):
    return partner_accounts.record_thing_of_value(
        partner_id=partner.pk,
        typed={
            "direction": "given", "what": "Something", "why": "A talk", "fair_value_cents": cents,
            "on_date": on, "basis": basis, "has_happened": True, "document": "Memo 1", **more,
        },
        by=make.user("operations"),
        at=make.NOON,
    )  # fmt: skip


def findings(words):
    things_of_value_findings.check_partners(at=make.NOON)
    return Finding.objects.filter(sentence__contains=words).count()


def test_gifts_above_house_limit_are_reported_once(ana):
    given_to(ana, cents=50_00)
    assert findings("the house limit is $50.00") == 0
    slip = given_to(ana, cents=40_00)
    partner_accounts.correct_thing_of_value(
        thing_id=slip.pk, why="Another partner", by=slip.by, at=make.NOON
    )
    assert findings("the house limit is $50.00") == 0
    given_to(ana, cents=5_00, on=TODAY - timedelta(days=365))  # a year ago, so outside the period
    assert findings("the house limit is $50.00") == 0
    given_to(ana, cents=1)

    for _ in range(2):
        assert findings("Ana Ruiz received gifts worth $50.01 in one year") == 1
    notices = StaffNotice.objects.filter(text="Payments or gifts to a partner need your review.")
    assert notices.count() == 1


@pytest.mark.parametrize(("rises", "number"), [(True, 1), (False, 0)])
def test_payments_that_rise_with_referrals_are_reported(ana, rises, number):
    for nth in range(6):
        month = date(2026, 5 + nth, 10)
        cents = 100_00 * (nth + 1 if rises else 6 - nth)
        given_to(ana, cents=cents, on=month, basis="msa_fixed_price")
        for _ in range(nth + 1):
            Introduction.objects.create(
                partner=ana, delivery=make.delivery(), name="Ida",
                at=make.NOON.replace(month=5 + nth, day=5),
            )  # fmt: skip

    assert findings("rose with the borrowers they introduced") == number


def agreed(partner, **changes):
    by = make.user("operations")
    made = agreements.enter_agreement(
        typed={
            "with_whom": f"partner:{partner.pk}", "what": "Open houses",
            "basis": "msa_fixed_price", "cents": 1_000_00, "document": "Contract 7",
            "from_date": TODAY - timedelta(days=60), "until_date": TODAY - timedelta(days=10),
            **changes,
        },
        by=by,
        at=make.NOON,
    )  # fmt: skip
    if made.decision == "require":
        agreements.approve_agreement(
            agreement_id=made.pk, document="Memo 9", by=make.user("compliance"), at=make.NOON
        )
        made.refresh_from_db()
    return made


def test_payments_after_agreement_ended_are_reported(ana):
    agreement = agreed(ana)
    given_to(ana, on=TODAY - timedelta(days=10), basis="msa_fixed_price")
    given_to(ana, on=TODAY, basis="gift", cents=1_00)
    assert findings("payments continued") == 0

    given_to(ana, on=TODAY - timedelta(days=9), basis="msa_fixed_price")

    day = agreement.until_date
    assert findings(f"ended {day:%b} {day.day}, {day.year}, but payments continued") == 1


def test_payment_above_our_share_of_joint_advertising_is_reported(ana):
    shared = agreed(
        ana, basis="co_marketing", our_cost_pct=40, our_benefit_pct=50,
        fair_value_document="Quote", until_date=TODAY,
    )  # fmt: skip
    under = {"basis": "co_marketing", "agreement": str(shared.pk)}
    given_to(ana, cents=500_00, **under)
    assert findings("of the joint advertising") == 0

    given_to(ana, cents=10_00, **under)

    sentence = "We paid 51% of the joint advertising with Ana Ruiz but get 50% of its benefit"
    assert findings(sentence) == 1
