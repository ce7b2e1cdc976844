"""What compliance writes down once the LOS has sent a borrower the creditor's notice."""

from datetime import datetime, timedelta

from rooftree.compliance import clocks, credit_proof
from rooftree.compliance.credit_proof import Noted
from rooftree.leads.models import Loan
from rooftree.money.company_day import company_day
from rooftree.org.models import User

OWED = {  # what the LOS shows: the outcome, and the paper that went
    "1393=Application denied": ("sent", "Adverse action notice"),
    "1393=File Closed for incompleteness": ("incomplete", "Notice of incompleteness"),
}
REASONS = ("Income is not enough for the amount requested", "Debts are high against income")


def seen(loan: Loan, status: str, at: datetime) -> None:
    """The clock that the notice ends is closed with its document."""
    outcome, paper = OWED[status]
    clock = next(iter(clocks.running(loan.lead_id, "decision", "adverse_action")), None)
    if clock is None or outcome not in credit_proof.ENDS[clock.kind]:
        return
    day, is_adverse = company_day(at), outcome == "sent"
    noted = Noted(
        outcome=outcome,
        on_date=day,
        reference=f"eFolder {loan.los_loan_id[:8]}, {paper}",
        delivery="mail",
        is_adverse=is_adverse,
        reasons=REASONS if is_adverse else (),
        reply_by=None if is_adverse else day + timedelta(days=14),
    )
    by = User.objects.filter(role="compliance", is_active=True).earliest("pk")
    credit_proof.record(clock_id=clock.pk, noted=noted, by=by, at=at)
