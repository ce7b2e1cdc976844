"""A hand-off whose outcome no search could settle: a person says what the LOS shows."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.core.user_errors import UserError
from rooftree.core.vendor_errors import VendorError
from rooftree.ledger.write_events import write_event
from rooftree.los.adapter_pool import get_adapter
from rooftree.los.handoff_outbox import leave_out_other_leads, record_created_loan
from rooftree.los.handoff_record import parse_handoff
from rooftree.los.los_adapter import FindsByNumber
from rooftree.los.models import Handoff
from rooftree.org.models import User


class HandoffSettled(UserError):
    """The hand-off can't be settled this way. The text is fit to show."""


def link_loan(*, lead_id: UUID, number: str, by: User, at: datetime) -> Handoff:
    """Link the loan that a person found in the LOS. Raises `HandoffSettled`.

    Args:
        number: its loan number, or its id.
    """
    row = _find_open_question(lead_id)
    adapter, typed = get_adapter(row.connection), number.strip()
    if not typed:
        raise HandoffSettled("Enter the loan number that the LOS shows.")
    try:
        if isinstance(adapter, FindsByNumber):
            loan_id = adapter.find_by_number(parse_handoff(row.record), typed)
        else:
            loan_id = adapter.read_loan(typed).loan_id
    except VendorError as problem:
        raise HandoffSettled(f"The LOS doesn’t show this loan. {problem}") from problem
    if not loan_id:
        raise HandoffSettled("The LOS shows no such loan for this borrower.")
    if not leave_out_other_leads(row, [loan_id]):
        raise HandoffSettled("This loan belongs to another lead.")
    with transaction.atomic():
        record_created_loan(row, loan_id, at)
        _write_event("los.handoff.linked", row, by, at)
    row.refresh_from_db()
    return row


def send_again(*, lead_id: UUID, by: User, at: datetime) -> Handoff:
    """Send the lead once more: a person saw that the LOS has no loan. Raises `HandoffSettled`."""
    row = _find_open_question(lead_id)
    with transaction.atomic():
        rows = Handoff.objects.filter(pk=row.pk, state="uncertain", due_at=None)
        if not rows.update(state="pending", due_at=at, problem=""):
            raise HandoffSettled("The hand-off was settled in the meantime.")
        _write_event("los.handoff.repeated", row, by, at)
    row.refresh_from_db()
    return row


def _find_open_question(lead_id: UUID) -> Handoff:
    rows = Handoff.objects.select_related("connection")
    row = rows.filter(lead=lead_id, state="uncertain", due_at=None).first()
    if row is None:
        raise HandoffSettled("This hand-off has no open question.")
    return row


def _write_event(kind: str, row: Handoff, by: User, at: datetime) -> None:
    write_event(kind, at=at, actor=f"user:{by.pk}", lead_id=row.lead_id, handoff=row.pk)
