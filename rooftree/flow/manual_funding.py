"""Fundings that staff record where no LOS reports them."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import transaction

from rooftree.core.user_errors import InvalidField, UserError
from rooftree.core.uuid7 import uuid7_at
from rooftree.flow import loan_milestones
from rooftree.leads.models import BY_HAND, Lead, Loan, Milestone
from rooftree.ledger.write_events import write_event
from rooftree.los.loan_milestones import all_milestones
from rooftree.los.loan_updates import LoanUpdate
from rooftree.los.models import Handoff
from rooftree.money import book_entries
from rooftree.money.company_day import company_day, company_zone
from rooftree.money.models import Entry
from rooftree.org.models import User
from rooftree.reporting.rollups import rollup_deltas

FUNDED = "funded"
MAX_AGE = timedelta(days=3650)  # of a funding; an older date is a typo


class LosReportsFunding(UserError):
    """The lead's loan is in the LOS, which reports its funding and revenue."""


def find_los_loan(lead: Lead) -> Loan | None:
    """Return the lead's loan in the LOS, or None."""
    return lead.loans.exclude(los=BY_HAND).order_by("-created_at").first()


def find_manual_loan(lead: Lead) -> Loan | None:
    """Return the loan that staff recorded, or None."""
    return lead.loans.filter(los=BY_HAND).first()


def find_revenue_entry(loan: Loan) -> Entry | None:
    """Return the entry that booked a loan's revenue; corrections refer to it."""
    return Entry.objects.filter(loan=loan, kind="revenue", corrects=None).order_by("id").first()


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """The funding of a loan as staff enter it."""

    funded_date: date  # the company's day
    amount_cents: int
    revenue_cents: int
    reason: str = ""


def record_funding(lead: Lead, funding: Funding, *, by: User, at: datetime) -> Loan:
    """Mark a lead's loan as funded and book its revenue; the reports count both.

    A repeat returns the loan; another amount or date is refused. Raises `LosReportsFunding`
    and `InvalidField`.
    """
    today = company_day(at)
    if funding.funded_date > today:
        raise InvalidField("funded_date", "The funding date is in the future.")
    if funding.funded_date < today - MAX_AGE:
        raise InvalidField("funded_date", "The funding date is more than ten years ago.")
    with transaction.atomic():
        lead = Lead.objects.select_for_update(no_key=True).get(pk=lead.pk)
        is_on_its_way = Handoff.objects.filter(lead=lead).exclude(state="rejected").exists()
        if is_on_its_way or find_los_loan(lead):
            raise LosReportsFunding("The LOS reports this loan's funding. Record it there.")
        if loan := find_manual_loan(lead):
            recorded = (loan.funded_date, loan.amount_cents, loan.revenue_cents)
            if recorded != (funding.funded_date, funding.amount_cents, funding.revenue_cents):
                raise InvalidField("funded_date", "This loan is already recorded as funded.")
            return loan
        loan, milestone = _create_funded_loan(lead, funding, at)
        Lead.objects.filter(pk=lead.pk).update(state=FUNDED, response_due_at=None)
        write_event(
            "leads.loan.funded_by_hand", at=at, actor=f"user:{by.pk}", lead_id=lead.pk,
            loan=loan.pk, funded_date=str(funding.funded_date), amount_cents=funding.amount_cents,
            revenue_cents=funding.revenue_cents, reason=funding.reason or None,
        )  # fmt: skip
        entry = book_entries.book_entry(
            kind="revenue", amount_cents=funding.revenue_cents, on_date=funding.funded_date,
            source_id=lead.source_id, campaign_id=lead.campaign_id, lead_id=lead.pk,
            loan_id=loan.pk, basis=BY_HAND, idempotency_key=f"loan:{loan.pk}:funded",
            reason=funding.reason, by=by, at=at,
        )  # fmt: skip
        rollup_deltas.count_revenue(entry)
        # It books revenue too, under the same idempotency key: the entry above stands.
        loan_milestones.follow_loan_news(
            LoanUpdate(loan=loan, steps=(milestone,), is_funded_now=True), at=at
        )
    return loan


def _create_funded_loan(lead: Lead, funding: Funding, at: datetime) -> tuple[Loan, Milestone]:
    loan = Loan.objects.create(
        id=uuid7_at(at), lead=lead, los=BY_HAND, instance="", los_loan_id=str(lead.pk),
        milestone=FUNDED, current_milestone=FUNDED, rank=all_milestones()[FUNDED].rank or 0,
        amount_cents=funding.amount_cents, revenue_cents=funding.revenue_cents,
        funded_date=funding.funded_date, officer_id=lead.officer_id, created_at=at,
    )  # fmt: skip
    noon = datetime.combine(funding.funded_date, time(12), company_zone())
    milestone = Milestone.objects.create(
        id=uuid7_at(at), loan=loan, code=FUNDED, rank=loan.rank, on_date=funding.funded_date,
        reached_at=min(noon, at), recorded_at=at,
    )  # fmt: skip
    return loan, milestone
