"""Deadlines of first calls, checked against the gate just before they would be missed.

A deadline is set from calling hours alone. The gate knows more: do-not-call lists, opt-outs,
every place where the borrower might be. Nobody is late with a call that the gate forbids.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from rooftree.compliance.gate.verdict import Decision, Verdict
from rooftree.flow.lead_offers import RESPONSE_TIME
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.org.current_company import current_company
from rooftree.outreach.messages import automatic_messages
from rooftree.routing import response_deadline
from rooftree.routing.models import RoutingDecision
from rooftree.tasks.live_updates import publish_update

LOOK_AHEAD, LOOK_BACK = timedelta(seconds=60), timedelta(minutes=10)  # back: after an outage
BATCH_SIZE = 100


def move_unlawful_deadlines(*, at: datetime) -> int:
    """Move deadlines about to be missed to when the gate allows the call; return how many.

    A call that only an act of somebody can allow has no deadline. It gets one when the borrower's
    place is entered or the borrower asks again.
    """
    was_routed = RoutingDecision.objects.filter(lead=OuterRef("pk"))
    leads = list(
        Lead.objects.select_related("person", "officer__user")
        .filter(
            response_deadline.FIRST_CALL_OWED,
            Q(officer__isnull=False) | Exists(was_routed),  # the first routing waits for its own
            response_due_at__gt=at - LOOK_BACK,
            response_due_at__lte=at + LOOK_AHEAD,
        )
        .order_by("response_due_at", "id")[:BATCH_SIZE]
    )
    verdicts = (
        automatic_messages.preview_calls(leads, company=current_company(), at=at) if leads else {}
    )
    return sum(_move_deadline(lead, verdicts.get(lead.pk), at) for lead in leads)


def start_deadline(lead: Lead, *, at: datetime) -> None:
    """Start the deadline of a first call that has become possible; one that runs stays.

    A lead that was never routed, such as an imported one, has none.
    """
    is_early = lead.officer_id is not None and lead.state in response_deadline.EARLY_STATES
    if is_early and RoutingDecision.objects.filter(lead=lead).exists():
        response_deadline.set_deadline(lead, by=at + RESPONSE_TIME, at=at)


def _move_deadline(lead: Lead, verdict: Verdict | None, at: datetime) -> bool:
    if verdict is not None and verdict.decision is Decision.ALLOW:
        return False
    due_at = None
    if verdict is not None and verdict.decision is Decision.DEFER and verdict.next_allowed_at:
        due_at = verdict.next_allowed_at + RESPONSE_TIME
    rows = Lead.objects.filter(pk=lead.pk, response_due_at=lead.response_due_at)
    if not rows.filter(first_attempt_at=None).update(response_due_at=due_at):
        return False
    write_event(
        "routing.deadline.moved",
        at=at,
        lead_id=lead.pk,
        person_id=lead.person_id,
        because=verdict.reason if verdict else "no_phone",
        due_at=due_at,
    )
    publish_update("lead", lead=str(lead.pk))
    return True
