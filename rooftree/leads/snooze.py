"""Snoozes a lead until a given time, and wakes it sooner."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from rooftree.leads.appointments import APPOINTMENT
from rooftree.leads.lead_tasks import CALL_BACK
from rooftree.leads.models import ContactAttempt, Lead, Task
from rooftree.ledger.write_events import write_event

MAX_SNOOZE = timedelta(days=366)


class CannotSnooze(Exception):
    """A response is due to the borrower first, or the input is invalid. Fit to show."""


def snooze_lead(*, lead_id: UUID, until: datetime, because: str, by: UUID, at: datetime) -> Lead:
    """Take a lead out of the queue until a given time; snoozing again changes the time.

    The reason is optional. Raises `CannotSnooze` without a time within a year, and while a
    first call, a reply, an agreed callback or an appointment is due.
    """
    because = " ".join(because.replace("\x00", "").split())[:200]
    if not at < until <= at + MAX_SNOOZE:
        raise CannotSnooze("Choose a time within the next year.")
    with transaction.atomic():
        lead = Lead.objects.select_for_update(of=("self",)).get(pk=lead_id)
        if obligation := _find_obligation(lead, at):
            raise CannotSnooze(obligation)
        lead.snoozed_until, lead.snooze_reason = until, because
        lead.save(update_fields=["snoozed_until", "snooze_reason"])
        write_event("leads.lead.snoozed", at=at, actor=f"user:{by}", lead_id=lead_id, until=until)
    return lead


def wake_lead(*, lead_id: UUID, because: str, at: datetime) -> bool:
    """End a snooze now; return True if there was one. `because` is a code, such as `replied`."""
    with transaction.atomic():
        snoozed = Lead.objects.filter(pk=lead_id, snoozed_until__gt=at)
        if not snoozed.update(snoozed_until=None, snooze_reason=""):
            return False
        write_event("leads.lead.woken", at=at, lead_id=lead_id, because=because)
    return True


def _find_obligation(lead: Lead, at: datetime) -> str:
    """Return what must be done for the borrower first, as a sentence; "" when nothing."""
    if lead.response_due_at and lead.first_attempt_at is None:
        return "A first call is due. Call first, then snooze the lead."
    calls = Task.objects.filter(lead=lead, kind=CALL_BACK, done_at=None, canceled_at=None)
    if calls.filter(due_at__lte=at).exists():
        return "A callback you agreed to is due. Call first, then snooze the lead."
    meetings = Task.objects.filter(lead=lead, kind=APPOINTMENT, done_at=None, canceled_at=None)
    if meetings.filter(due_at__lte=at).exists():
        return "An appointment is due. Mark it done or canceled, then snooze the lead."
    newest = ContactAttempt.objects.filter(lead=lead).exclude(direction="out", is_automated=True)
    last = newest.order_by("-at", "-id").first()
    if last and last.direction == "in":
        return "The borrower is waiting for a reply. Reply first, then snooze the lead."
    return ""
