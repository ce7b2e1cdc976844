"""Removal of a test lead: closed, out of every figure, and kept as a line of the ledger."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.transaction import atomic

from rooftree.core.user_errors import UserError
from rooftree.leads import lead_tasks
from rooftree.leads.models import Lead, Loan
from rooftree.ledger.write_events import write_event
from rooftree.money import book_entries
from rooftree.money.models import Entry
from rooftree.nurture import sequence_enrollment
from rooftree.org.models import User
from rooftree.outreach.messages import cancel_messages
from rooftree.reporting.rollups import rollup_deltas
from rooftree.routing import lead_ownership

REASON = "test lead"
MAX_AGE = timedelta(days=1)
ALL_CAUSES = ("",)


def remove_test_lead(*, lead_id: UUID, by: User, at: datetime) -> Lead:
    """Close a lead that a user sent from their own phone or email, and uncount it everywhere.

    Raises `UserError` for another borrower's lead, and for one with a loan in the LOS.
    """
    with atomic():
        lead = Lead.objects.select_for_update(of=("self",)).get(pk=lead_id)
        if not is_own(lead, by):
            raise UserError("This lead has neither your phone nor your email.")
        if lead.created_at < at - MAX_AGE:
            raise UserError("This lead is older than a day. Close it like any other.")
        if Loan.objects.filter(lead=lead).exists():
            raise UserError(
                "This lead has a loan in the LOS, so it can’t be removed. Withdraw the loan in the "
                "LOS, and close the lead here."
            )
        lead.is_test, lead.state = True, "retired"
        lead.retired_at, lead.retired_reason, lead.response_due_at = at, REASON, None
        lead.save(
            update_fields=["is_test", "state", "retired_at", "retired_reason", "response_due_at"]
        )
        cancel_messages.cancel_overtaken(lead_id=lead.pk, because=REASON, at=at, causes=ALL_CAUSES)
        sequence_enrollment.stop_sequence(lead_id=lead.pk, because=REASON, at=at)
        lead_ownership.release_lead(lead_id=lead.pk, by=by, at=at, because=REASON)
        costs = list(Entry.objects.filter(lead=lead, kind="cost", corrects=None))
        book_entries.correct_entries(costs, right_cents=0, reason=REASON, by=by, at=at)
        lead_tasks.cancel_tasks([lead.pk], key_prefix="", because=REASON, at=at)
        rollup_deltas.recount_lead(lead)
        write_event("flow.test_lead.removed", at=at, actor=f"user:{by.pk}", lead_id=lead.pk)
    return lead


def is_own(lead: Lead, user: User) -> bool:
    """Return True if the lead's person has this user's phone or email."""
    person = lead.person
    return (
        bool(user.phone) and person.phones.filter(e164=user.phone).exists()
    ) or person.emails.filter(key=user.email.lower()).exists()
