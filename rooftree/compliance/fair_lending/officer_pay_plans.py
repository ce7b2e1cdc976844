"""Pay plans of loan officers: dated versions, checked by rule LOC-01 and approved by two people.

A plan applies to loans whose terms are offered on or after its start date. Routing, scores and
messages never read it.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max, QuerySet

from rooftree.compliance.fair_lending import officer_pay_rules
from rooftree.compliance.gate import reason_sentences
from rooftree.compliance.gate.verdict import Decision, Ruling, deciding_ruling
from rooftree.compliance.models import PayPlan
from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write_events import write_event
from rooftree.money.company_day import company_day
from rooftree.org.models import LoanOfficer, User

LOAN_PERCENTAGE = "fixed_pct_of_loan_amount"
PAY_BASES = {  # the pay bases offered on the form
    LOAN_PERCENTAGE: "A fixed percentage of the loan amount",
    "flat_per_loan": "A fixed amount for each loan",
    "hourly": "Hours worked",
    "salary": "A salary",
    "volume": "The volume of loans over time",
    "retention_quality": "Loan performance and customer retention",
    "new_customers": "New customers",
    "lead_source": "The lead source",
}
OTHER_BASIS = "other"  # described in words, which the rule checks
DATE_TAKEN_MESSAGE = "Another plan starts on that day."
AMOUNT_UNITS = {"flat_per_loan": "per loan", "hourly": "per hour", "salary": "per month"}


class BadPlan(InvalidField):
    """The plan is incomplete or forbidden. The text can be shown to staff."""


def propose_plan(*, typed: Mapping[str, Any], by: User, at: datetime) -> PayPlan:
    """Store a new version of an officer's plan, to be approved by a second person.

    Args:
        typed: officer, basis and the columns of `PayPlan`; for another basis `in_words`, and for
            a conditional plan `only_when`.

    Raises `BadPlan`, also for a plan that the rule forbids.
    """
    plan = _build_plan(typed, by, at)
    _validate_plan(plan)
    field, ruling = _strictest_ruling(plan, typed, at)
    if ruling.decision is Decision.BLOCK:
        raise BadPlan(field, reason_sentences.sentence_with_citation(ruling))
    if ruling.decision is Decision.REQUIRE and not plan.document:
        raise BadPlan(
            "document",
            f"{reason_sentences.sentence_with_citation(ruling)} Enter counsel’s document.",
        )
    plan.decision, plan.reason = ruling.decision.value, ruling.reason
    with transaction.atomic():
        LoanOfficer.objects.select_for_update(no_key=True).get(pk=plan.officer_id)
        rows = PayPlan.objects.filter(officer=plan.officer)
        plan.number = (rows.aggregate(last=Max("number"))["last"] or 0) + 1
        plan.save(force_insert=True)
        _write_event("compliance.pay_plan.written", plan, by, at)
    return plan


def approve_plan(*, plan_id: UUID, by: User, at: datetime) -> bool:
    """Put a plan in force from its start date; return False if it was already decided.

    Raises `BadPlan`, also if its author tries to approve it.
    """
    plan = PayPlan.objects.select_related("officer").get(pk=plan_id)
    if plan.written_by_id == by.pk:
        raise BadPlan("", "You can’t approve your own plan. Ask a second person.")
    with transaction.atomic():
        LoanOfficer.objects.select_for_update(no_key=True).get(pk=plan.officer_id)
        if _affects_offered_terms(plan, at):
            raise BadPlan(
                "",
                reason_sentences.sentence_with_citation(
                    officer_pay_rules.refuse_change_after_terms()
                ),
            )
        if _is_date_taken(plan):
            raise BadPlan("", DATE_TAKEN_MESSAGE)
        is_approved = _undecided_plans(plan_id).update(approved_by=by, approved_at=at)
        if is_approved:
            _write_event("compliance.pay_plan.approved", plan, by, at)
    return bool(is_approved)


def drop_plan(*, plan_id: UUID, by: User, at: datetime) -> bool:
    """Reject a plan for good; return False if it was already decided."""
    with transaction.atomic():
        is_dropped = _undecided_plans(plan_id).update(dropped_by=by, dropped_at=at)
        if is_dropped:
            _write_event("compliance.pay_plan.dropped", PayPlan.objects.get(pk=plan_id), by, at)
    return bool(is_dropped)


def _undecided_plans(plan_id: UUID) -> QuerySet[PayPlan]:
    return PayPlan.objects.filter(pk=plan_id, approved_at=None, dropped_at=None)


def _strictest_ruling(plan: PayPlan, typed: Mapping[str, Any], at: datetime) -> tuple[str, Ruling]:
    """Return the strictest ruling and its form field."""
    only_when = typed.get("only_when", "").strip()
    if plan.basis in PAY_BASES or only_when:
        basis_ruling = officer_pay_rules.check_basis(plan.basis, only_when=only_when)
    else:
        # The rule reads words as keys: `Interest rate` becomes interest_rate.
        basis_key = re.sub(r"[^a-z0-9]+", "_", plan.basis.lower()).strip("_")
        basis_ruling = officer_pay_rules.check_described_basis(basis_key)
    rulings = {
        "is_paid_by_consumer": officer_pay_rules.check_payers(
            consumer_pays=plan.is_paid_by_consumer, creditor_pays=plan.is_paid_by_creditor
        ),
        "basis": basis_ruling,
    }
    if plan.bonus_pct is not None:
        rulings["bonus_pct"] = officer_pay_rules.check_profit_bonus(percent=plan.bonus_pct)
    if _affects_offered_terms(plan, at):
        rulings["from_date"] = officer_pay_rules.refuse_change_after_terms()
    strictest = deciding_ruling(rulings.values())
    return next((field, ruling) for field, ruling in rulings.items() if ruling is strictest)


def _affects_offered_terms(plan: PayPlan, at: datetime) -> bool:
    """Return whether an officer's pay would change for terms already offered.

    Any terms up to today can have been offered. An officer's first plan changes nothing.
    """
    return plan.from_date <= company_day(at) and _approved_plans(plan.officer_id).exists()


def _build_plan(typed: Mapping[str, Any], by: User, at: datetime) -> PayPlan:
    officer = LoanOfficer.objects.filter(pk=typed["officer"], terminated_at=None).first()
    if officer is None:
        raise BadPlan("officer", "Choose a loan officer.")
    basis = typed["basis"]
    if basis == OTHER_BASIS:
        basis = " ".join(typed.get("in_words", "").split())[:60]
    if not basis:
        raise BadPlan("in_words", "Describe what pay depends on.")
    return PayPlan(
        id=uuid7_at(at), officer=officer, basis=basis,
        percent=typed["percent"] if basis == LOAN_PERCENTAGE else None,
        cents=None if basis == LOAN_PERCENTAGE else typed["cents"],
        least_cents=typed["least_cents"], most_cents=typed["most_cents"],
        bonus_pct=typed["bonus_pct"], is_paid_by_consumer=typed["is_paid_by_consumer"],
        is_paid_by_creditor=typed["is_paid_by_creditor"], from_date=typed["from_date"],
        document=" ".join(typed.get("document", "").split())[:200], written_by=by, written_at=at,
    )  # fmt: skip


def _validate_plan(plan: PayPlan) -> None:
    if plan.basis == LOAN_PERCENTAGE and not plan.percent:
        raise BadPlan("percent", "Enter the percentage of the loan amount.")
    if plan.basis in AMOUNT_UNITS and not plan.cents:
        raise BadPlan("cents", f"Enter the amount {AMOUNT_UNITS[plan.basis]}.")
    if not (plan.is_paid_by_consumer or plan.is_paid_by_creditor):
        raise BadPlan("is_paid_by_consumer", "Choose who pays.")
    least, most = plan.least_cents, plan.most_cents
    if least is not None and most is not None and least > most:
        raise BadPlan("most_cents", "The maximum must not be below the minimum.")
    if _is_date_taken(plan):
        raise BadPlan("from_date", DATE_TAKEN_MESSAGE)


def _is_date_taken(plan: PayPlan) -> bool:
    rows = _approved_plans(plan.officer_id).exclude(pk=plan.pk)
    return rows.filter(from_date=plan.from_date).exists()


def _approved_plans(officer_id: UUID) -> QuerySet[PayPlan]:
    return PayPlan.objects.filter(officer=officer_id, approved_at__isnull=False)


def _write_event(kind: str, plan: PayPlan, by: User, at: datetime) -> None:
    write_event(
        kind, at=at, actor=f"user:{by.pk}", plan=plan.pk, officer=plan.officer_id,
        number=plan.number, from_date=str(plan.from_date),
    )  # fmt: skip
