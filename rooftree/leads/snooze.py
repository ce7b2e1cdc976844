"""Setting a lead aside until a moment, and what brings it back sooner."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from rooftree.leads.lead_tasks import CALL_BACK
from rooftree.leads.models import ContactAttempt, Lead, Task
from rooftree.ledger.write_events import write_event

MAX_SNOOZE = timedelta(days=366)


class CannotSnooze(Exception):
    """Something is owed to the borrower first, or the moment makes no sense. Fit to show."""


def snooze_lead(*, lead_id: UUID, until: datetime, because: str, by: UUID, at: datetime) -> Lead:
    """Take a lead out of the queue until a moment. Setting it aside again moves the moment.

    Raises `CannotSnooze` without a reason or a sensible moment, while a first
    call is promised, an answer is owed, or an agreed call is due.
    """
    because = " ".join(because.replace("\x00", "").split())[:200]
    if not because:
        raise CannotSnooze("Say why; it stands beside the lead until it is back.")
    if not at < until <= at + MAX_SNOOZE:
        raise CannotSnooze("Choose a moment within the coming year.")
    with transaction.atomic():
        lead = Lead.objects.select_for_update(of=("self",)).get(pk=lead_id)
        if owed := _find_obligation(lead, at):
            raise CannotSnooze(owed)
        lead.snoozed_until, lead.snoozed_because = until, because
        lead.save(update_fields=["snoozed_until", "snoozed_because"])
        write_event("leads.lead.snoozed", at=at, actor=f"user:{by}", lead_id=lead_id, until=until)
    return lead


def wake_lead(*, lead_id: UUID, because: str, at: datetime) -> bool:
    """Bring a lead back now; whether it was set aside. `because` is a code, such as `replied`."""
    with transaction.atomic():
        aside = Lead.objects.filter(pk=lead_id, snoozed_until__gt=at)
        if not aside.update(snoozed_until=None, snoozed_because=""):
            return False
        write_event("leads.lead.woken", at=at, lead_id=lead_id, because=because)
    return True


def _find_obligation(lead: Lead, at: datetime) -> str:
    """What the borrower was promised and waits for; "" when nothing."""
    if lead.promise_at and lead.first_attempt_at is None:
        return "A first call is promised. Make it, then the lead can be set aside."
    calls = Task.objects.filter(lead=lead, kind=CALL_BACK, done_at=None, cancelled_at=None)
    if calls.filter(due_at__lte=at).exists():
        return "You promised to call back, and it is time. Call first."
    newest = ContactAttempt.objects.filter(lead=lead).exclude(direction="out", is_automated=True)
    last = newest.order_by("-at", "-id").first()
    if last and last.direction == "in":
        return "They wrote or called and wait for an answer. Answer first."
    return ""
