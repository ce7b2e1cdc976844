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
from rooftree.tasks.live_updates import publish_update

FUNDED = "funded"
FUNDING_UNDONE = "funding_undone"  # the code of the milestone that takes a funding back
ENTERED_IN_ERROR = "entered_in_error"  # final outcome of a loan whose funding was undone
MAX_AGE = timedelta(days=3650)  # of a funding; an older date is a typo


class LosReportsFunding(UserError):
    """The lead's loan is in the LOS, which reports its funding and revenue."""


class NotFundedByHand(UserError):
    """The lead has no funding that staff recorded."""


def find_los_loan(lead: Lead) -> Loan | None:
    """Return the lead's loan in the LOS, or None."""
    return lead.loans.exclude(los=BY_HAND).order_by("-created_at").first()


def find_manual_loan(lead: Lead) -> Loan | None:
    """Return the loan that staff recorded as funded, or None."""
    return lead.loans.filter(los=BY_HAND, funded_date__isnull=False).first()


def find_revenue_entry(loan: Loan) -> Entry | None:
    """Return the entry that booked a loan's revenue on its newest date; corrections name it."""
    return Entry.objects.filter(loan=loan, kind="revenue", corrects=None).order_by("-id").first()


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
    _check_date(funding.funded_date, at)
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
        rollup_deltas.count_revenue(_book_revenue(loan, lead, funding, by=by, at=at))
        # It books revenue too, under the same idempotency key: the entry above stands.
        loan_milestones.follow_loan_news(
            LoanUpdate(loan=loan, steps=(milestone,), is_funded_now=True), at=at
        )
    return loan


def correct_funding_date(
    lead: Lead, *, funded_date: date, reason: str, by: User, at: datetime
) -> None:
    """Move a recorded funding and its revenue to another day, by new entries.

    The day that stands already changes nothing. Raises `InvalidField` and `NotFundedByHand`.
    """
    _check_date(funded_date, at)
    with transaction.atomic():
        lead, loan = _lock_funded_loan(lead)
        if loan.funded_date == funded_date:
            return
        revenue_cents = _reverse_revenue(loan, reason=reason, by=by, at=at)
        funding = Funding(
            funded_date=funded_date,
            amount_cents=loan.amount_cents or 0,
            revenue_cents=revenue_cents,
            reason=reason,
        )
        _book_revenue(loan, lead, funding, by=by, at=at)
        Loan.objects.filter(pk=loan.pk).update(funded_date=funded_date)
        _record_milestone(loan, funded_date, at)
        write_event(
            "leads.loan.funding_date_corrected", at=at, actor=f"user:{by.pk}", lead_id=lead.pk,
            loan=loan.pk, was_date=str(loan.funded_date), funded_date=str(funded_date),
            reason=reason,
        )  # fmt: skip
        rollup_deltas.recount_lead(lead)


def undo_funding(lead: Lead, *, reason: str, by: User, at: datetime) -> None:
    """Take back a funding that was recorded by mistake, and its revenue by a counter-entry.

    The lead is worked again; the loan stays, closed, as the entries name it. Raises
    `NotFundedByHand`.
    """
    with transaction.atomic():
        lead, loan = _lock_funded_loan(lead)
        _reverse_revenue(loan, reason=reason, by=by, at=at)
        Loan.objects.filter(pk=loan.pk).update(
            funded_date=None, revenue_cents=0, milestone="", current_milestone="", rank=0,
            final_outcome=ENTERED_IN_ERROR,
        )  # fmt: skip
        Milestone.objects.create(
            id=uuid7_at(at), loan=loan, code=FUNDING_UNDONE, reached_at=at, recorded_at=at
        )
        Lead.objects.filter(pk=lead.pk, state=FUNDED).update(state="working")
        write_event(
            "leads.loan.funding_undone", at=at, actor=f"user:{by.pk}", lead_id=lead.pk,
            loan=loan.pk, was_date=str(loan.funded_date), reason=reason,
        )  # fmt: skip
        rollup_deltas.recount_lead(lead)
        publish_update("lead", lead=str(lead.pk))


def _check_date(funded_date: date, at: datetime) -> None:
    today = company_day(at)
    if funded_date > today:
        raise InvalidField("funded_date", "The funding date is in the future.")
    if funded_date < today - MAX_AGE:
        raise InvalidField("funded_date", "The funding date is more than ten years ago.")


def _lock_funded_loan(lead: Lead) -> tuple[Lead, Loan]:
    lead = Lead.objects.select_for_update(no_key=True).get(pk=lead.pk)
    loan = find_manual_loan(lead)
    if loan is None:
        raise NotFundedByHand("No funding is recorded here. Someone may have undone it already.")
    return lead, loan


def _reverse_revenue(loan: Loan, *, reason: str, by: User, at: datetime) -> int:
    """Correct the booked revenue of a loan to zero; return what it was, in cents."""
    entry = find_revenue_entry(loan)
    if entry is None:
        return 0
    net_cents = book_entries.net_amounts([entry])[entry.pk]
    book_entries.correct_entry(entry, right_cents=0, reason=reason, by=by, at=at)
    return net_cents


def _book_revenue(loan: Loan, lead: Lead, funding: Funding, *, by: User, at: datetime) -> Entry:
    """Book a loan's revenue; the second time, after a correction, under a key of its own."""
    count = Entry.objects.filter(loan=loan, kind="revenue", corrects=None).count()
    return book_entries.book_entry(
        kind="revenue", amount_cents=funding.revenue_cents, on_date=funding.funded_date,
        source_id=lead.source_id, campaign_id=lead.campaign_id, lead_id=lead.pk, loan_id=loan.pk,
        basis=BY_HAND, reason=funding.reason, by=by, at=at,
        idempotency_key=f"loan:{loan.pk}:funded" + (f":{count + 1}" if count else ""),
    )  # fmt: skip


def _create_funded_loan(lead: Lead, funding: Funding, at: datetime) -> tuple[Loan, Milestone]:
    """Create the lead's loan, or fund the one whose funding was undone."""
    columns = {
        "milestone": FUNDED, "current_milestone": FUNDED, "final_outcome": "",
        "rank": all_milestones()[FUNDED].rank or 0, "amount_cents": funding.amount_cents,
        "revenue_cents": funding.revenue_cents, "funded_date": funding.funded_date,
        "officer_id": lead.officer_id,
    }  # fmt: skip
    loan, _ = Loan.objects.update_or_create(
        los=BY_HAND, instance="", los_loan_id=str(lead.pk), defaults=columns,
        create_defaults={"id": uuid7_at(at), "lead": lead, "created_at": at, **columns},
    )  # fmt: skip
    return loan, _record_milestone(loan, funding.funded_date, at)


def _record_milestone(loan: Loan, funded_date: date, at: datetime) -> Milestone:
    noon = datetime.combine(funded_date, time(12), company_zone())
    return Milestone.objects.create(
        id=uuid7_at(at), loan=loan, code=FUNDED, rank=all_milestones()[FUNDED].rank or 0,
        on_date=funded_date, reached_at=min(noon, at), recorded_at=at,
    )  # fmt: skip
