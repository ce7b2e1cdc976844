"""Calls to borrowers that officers start on the page and make on their own phone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from rooftree.compliance.gate.verdict import Decision
from rooftree.compliance.models import Verdict
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.ledger.write_events import write_event
from rooftree.org import sending_pause, shadow_mode
from rooftree.org.models import User
from rooftree.outreach.calls import call_script
from rooftree.outreach.messages import contact_permissions, number_checks, required_actions
from rooftree.outreach.messages.plan_messages import address_for

REPEAT_WINDOW = timedelta(minutes=1)  # a second click within it means the same call


class CannotCall(Exception):
    """Sending is paused, or there is no number. The text can be shown to staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialedCall:
    """The number to dial, and the attempt waiting for its outcome."""

    attempt: ContactAttempt
    number: str  # E.164
    is_new: bool


def begin_call(*, lead_id: UUID, by: User, at: datetime) -> DialedCall | Verdict:
    """Ask the gate and, if it allows the call, record the call before it is made.

    Returns the verdict if it does not allow the call. The verdict is stored either way, also
    for a second click, which means the same call. Raises `CannotCall` if there is no number or
    sending is paused.
    """
    if sending_pause.is_sending_paused():  # after a restore, a STOP of the lost days is not on file
        raise CannotCall(sending_pause.PAUSED_MESSAGE)
    if shadow_mode.is_shadow_on():
        raise CannotCall(shadow_mode.NOTHING_SENT)
    with transaction.atomic():
        rows = Lead.objects.select_for_update(of=("self",))
        lead = rows.select_related("person", "officer__user").get(pk=lead_id)
        number = address_for(lead, "text")
        if not number:
            raise CannotCall("No phone number on file for this borrower yet.")
        earlier = _find_repeat_click(lead, by, at)
        cause = earlier.idempotency_key if earlier else f"call:{uuid7_at(at)}"
        verdict = contact_permissions.decide_call(lead_id=lead.pk, cause=cause, at=at)
        if verdict.decision == Decision.ALLOW:
            attempt = earlier or _record_attempt(verdict, lead, number, by)
            return DialedCall(attempt=attempt, number=number, is_new=earlier is None)
        if number_checks.request_missing_checks(verdict, at=at):
            verdict.sentence += " We are checking this number now. Try again in a minute."
        elif verdict.decision == Decision.REQUIRE:
            required_actions.create_task(verdict, lead, at=at)
        return verdict


def _find_repeat_click(lead: Lead, by: User, at: datetime) -> ContactAttempt | None:
    rows = ContactAttempt.objects.filter(
        lead=lead,
        by=by,
        medium="call",
        idempotency_key__startswith="call:",
        result="",
        at__gt=at - REPEAT_WINDOW,
    )
    return rows.order_by("-at").first()


def _record_attempt(verdict: Verdict, lead: Lead, number: str, by: User) -> ContactAttempt:
    at = verdict.at
    attempt = ContactAttempt.objects.create(
        id=uuid7_at(at),
        lead=lead,
        person_id=lead.person_id,
        medium="call",
        address=number,
        purpose=verdict.purpose,
        by=by,
        at=at,
        idempotency_key=verdict.idempotency_key,
    )
    Lead.objects.filter(pk=lead.pk, first_attempt_at=None).update(first_attempt_at=at)
    write_event(
        "outreach.call.begun",
        at=at,
        actor=f"user:{by.pk}",
        lead_id=lead.pk,
        person_id=lead.person_id,
        attempt=attempt.pk,
        verdict=verdict.pk,
        opening=call_script.script_version_id(lead, by=by, at=at),
    )
    return attempt
