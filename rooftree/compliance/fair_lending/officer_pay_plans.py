"""What loan officers are paid on: versions by date, each under rule LOC-01 and by two people.

A plan counts from its day on for loans whose terms are offered from then on. Nothing here is
read by routing, scores or messages.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
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
PAY_BASES = {  # what pay may depend on, and what the amount is for
    LOAN_PERCENTAGE: "A fixed percentage of the loan amount",
    "flat_per_loan": "A fixed amount for each loan",
    "hourly": "Hours worked",
    "salary": "A salary",
    "volume": "The volume of loans over time",
    "retention_quality": "How loans perform, and who stays",
    "new_customers": "New customers",
    "lead_source": "Where the lead came from",
}
OTHER_BASIS = "other"  # in words, judged by them
DATE_TAKEN_MESSAGE = "Another plan begins on that day."
AMOUNT_UNITS = {"flat_per_loan": "a loan", "hourly": "an hour", "salary": "a month"}


class BadPlan(InvalidField):
    """A plan that cannot be so."""


def propose_plan(*, typed: Mapping[str, Any], by: User, at: datetime) -> PayPlan:
    """A new version of an officer's plan, to be approved by somebody else.

    Args:
        typed: officer, basis, and the columns of `PayPlan`; of another basis `in_words`, and
            where it is paid only at times `only_when`.

    Raises `BadPlan`, for what the rule forbids too.
    """
    made = _build_plan(typed, by, at)
    _validate_plan(made)
    field, ruling = _strictest_ruling(made, typed, at)
    if ruling.decision is Decision.BLOCK:
        raise BadPlan(field, reason_sentences.sentence_with_citation(ruling))
    if ruling.decision is Decision.REQUIRE and not made.document:
        raise BadPlan(
            "document",
            f"{reason_sentences.sentence_with_citation(ruling)} Name counsel’s document.",
        )
    made.decision, made.reason = ruling.decision.value, ruling.reason
    with transaction.atomic():
        LoanOfficer.objects.select_for_update(no_key=True).get(pk=made.officer_id)
        rows = PayPlan.objects.filter(officer=made.officer)
        made.number = (rows.aggregate(last=Max("number"))["last"] or 0) + 1
        made.save(force_insert=True)
        _write_event("compliance.pay_plan.written", made, by, at)
    return made


def approve_plan(*, plan_id: UUID, by: User, at: datetime) -> bool:
    """A second person puts it in force from its day on; False when it was decided already.

    Raises `BadPlan`.
    """
    plan = PayPlan.objects.select_related("officer").get(pk=plan_id)
    if plan.written_by_id == by.pk:
        raise BadPlan("", "Somebody else than who wrote it approves it.")
    with transaction.atomic():
        LoanOfficer.objects.select_for_update(no_key=True).get(pk=plan.officer_id)
        if _does_affect_offered_terms(plan, at):
            raise BadPlan(
                "",
                reason_sentences.sentence_with_citation(
                    officer_pay_rules.refuse_change_after_terms()
                ),
            )
        if _is_date_taken(plan):
            raise BadPlan("", DATE_TAKEN_MESSAGE)
        is_done = _undecided_plans(plan_id).update(approved_by=by, approved_at=at)
        if is_done:
            _write_event("compliance.pay_plan.approved", plan, by, at)
    return bool(is_done)


def drop_plan(*, plan_id: UUID, by: User, at: datetime) -> bool:
    """It is not approved and never will be; False when it was decided already."""
    with transaction.atomic():
        is_done = _undecided_plans(plan_id).update(dropped_by=by, dropped_at=at)
        if is_done:
            _write_event("compliance.pay_plan.dropped", PayPlan.objects.get(pk=plan_id), by, at)
    return bool(is_done)


def plan_in_force(officer_id: UUID, on_date: date) -> PayPlan | None:
    """The plan that counts for loans whose terms are offered on a day."""
    rows = _approved_plans(officer_id).filter(from_date__lte=on_date)
    return rows.order_by("-from_date").first()


def _undecided_plans(plan_id: UUID) -> QuerySet[PayPlan]:
    return PayPlan.objects.filter(pk=plan_id, approved_at=None, dropped_at=None)


def _strictest_ruling(made: PayPlan, typed: Mapping[str, Any], at: datetime) -> tuple[str, Ruling]:
    """The strictest answer of the rule, and the field it is about."""
    asked = {
        "is_paid_by_consumer": officer_pay_rules.check_payers(
            consumer_pays=made.is_paid_by_consumer, creditor_pays=made.is_paid_by_creditor
        ),
        "basis": _check_plan_basis(made.basis, typed.get("only_when", "").strip()),
    }
    if made.bonus_pct is not None:
        asked["bonus_pct"] = officer_pay_rules.check_profit_bonus(percent=made.bonus_pct)
    if _does_affect_offered_terms(made, at):
        asked["from_date"] = officer_pay_rules.refuse_change_after_terms()
    worst = deciding_ruling(asked.values())
    return next((field, one) for field, one in asked.items() if one is worst)


def _check_plan_basis(basis: str, only_when: str) -> Ruling:
    if basis in PAY_BASES or only_when:
        return officer_pay_rules.check_basis(basis, only_when=only_when)
    return officer_pay_rules.check_described_basis(_basis_key(basis))


def _does_affect_offered_terms(plan: PayPlan, at: datetime) -> bool:
    """Whether an officer's pay would move for terms that may have been offered already.

    Until today any may have been; an officer's first plan moves nothing.
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
        raise BadPlan("in_words", "Say what pay depends on.")
    return PayPlan(
        id=uuid7_at(at), officer=officer, basis=basis,
        percent=typed["percent"] if basis == LOAN_PERCENTAGE else None,
        cents=None if basis == LOAN_PERCENTAGE else typed["cents"],
        least_cents=typed["least_cents"], most_cents=typed["most_cents"],
        bonus_pct=typed["bonus_pct"], is_paid_by_consumer=typed["is_paid_by_consumer"],
        is_paid_by_creditor=typed["is_paid_by_creditor"], from_date=typed["from_date"],
        document=" ".join(typed.get("document", "").split())[:200], written_by=by, written_at=at,
    )  # fmt: skip


def _validate_plan(made: PayPlan) -> None:
    if made.basis == LOAN_PERCENTAGE and not made.percent:
        raise BadPlan("percent", "Give the percentage of the loan amount.")
    if made.basis in AMOUNT_UNITS and not made.cents:
        raise BadPlan("cents", f"Give the amount for {AMOUNT_UNITS[made.basis]}.")
    if not (made.is_paid_by_consumer or made.is_paid_by_creditor):
        raise BadPlan("is_paid_by_consumer", "Say who pays it.")
    least, most = made.least_cents, made.most_cents
    if least is not None and most is not None and least > most:
        raise BadPlan("most_cents", "The most is not below the least.")
    if _is_date_taken(made):
        raise BadPlan("from_date", DATE_TAKEN_MESSAGE)


def _is_date_taken(plan: PayPlan) -> bool:
    rows = _approved_plans(plan.officer_id).exclude(pk=plan.pk)
    return rows.filter(from_date=plan.from_date).exists()


def _approved_plans(officer_id: UUID) -> QuerySet[PayPlan]:
    return PayPlan.objects.filter(officer=officer_id, approved_at__isnull=False)


def _basis_key(words: str) -> str:
    """Words as the rule reads them: `Interest rate` is interest_rate."""
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")


def _write_event(kind: str, plan: PayPlan, by: User, at: datetime) -> None:
    write_event(
        kind, at=at, actor=f"user:{by.pk}", plan=plan.pk, officer=plan.officer_id,
        number=plan.number, from_date=str(plan.from_date),
    )  # fmt: skip
