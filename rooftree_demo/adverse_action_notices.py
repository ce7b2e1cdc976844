"""Compliance's record of a creditor's notice that the LOS sent to a borrower."""

from datetime import datetime, timedelta

from rooftree.compliance.credit import credit_clocks, notice_proof
from rooftree.compliance.credit.notice_proof import NoticeProof
from rooftree.leads.models import Loan
from rooftree.money.company_day import company_day
from rooftree.org.models import User

NOTICES_BY_STATUS = {  # by LOS status: the outcome, and the document sent
    "1393=Application denied": ("sent", "Adverse action notice"),
    "1393=File Closed for incompleteness": ("incomplete", "Notice of incompleteness"),
}
DENIAL_REASONS = ("Income is not enough for the amount requested", "Debts are high against income")


def record_notice(loan: Loan, status: str, at: datetime) -> None:
    """Close the deadline that the notice meets, with the document as proof."""
    outcome, document = NOTICES_BY_STATUS[status]
    clock = next(
        iter(credit_clocks.running_clocks(loan.lead_id, "decision", "adverse_action")), None
    )
    if clock is None or outcome not in notice_proof.ALLOWED_OUTCOMES[clock.kind]:
        return
    day, is_adverse = company_day(at), outcome == "sent"
    notice = NoticeProof(
        outcome=outcome,
        on_date=day,
        reference=f"eFolder {loan.los_loan_id[:8]}, {document}",
        delivery="mail",
        is_adverse=is_adverse,
        reasons=DENIAL_REASONS if is_adverse else (),
        reply_by=None if is_adverse else day + timedelta(days=14),
    )
    by = User.objects.with_role("compliance").earliest("pk")
    notice_proof.record_notice_proof(clock_id=clock.pk, notice=notice, by=by, at=at)
