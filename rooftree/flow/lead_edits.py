"""Edits of a lead's data by staff, and what follows: score, hours, license, messages, clocks."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.capture.identity import person_matching
from rooftree.capture.intake import staff_contacts
from rooftree.capture.intake.staff_contacts import StatedCoBorrower, StatedContacts
from rooftree.core.user_errors import UserError
from rooftree.flow import call_deadlines, credit_notice_triggers, lead_arrival
from rooftree.flow.message_dispatch import send_messages
from rooftree.leads import edit_scenario as scenario_edits
from rooftree.leads.edit_scenario import ScenarioEdit
from rooftree.leads.models import Lead, Person
from rooftree.leads.scenario_fields import Value
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User
from rooftree.outreach.messages import redecide_held_messages, required_actions
from rooftree.reporting.rollups import rollup_deltas
from rooftree.routing import response_deadline
from rooftree.scoring.rescore_leads import rescore_lead
from rooftree.tasks.live_updates import publish_update

PLACE_FIELDS = ("state", "zip", "street", "use", "purpose")
REMOVED_REASON = "no longer kept"


def edit_scenario(
    *, lead_id: UUID, changes: Mapping[str, Value], stated_by: str, by: User, at: datetime
) -> ScenarioEdit:
    """Edit a lead's loan scenario; everything that depends on it follows in one transaction.

    The lead is scored again, messages that waited for its place are decided again, a lead whose
    officer isn't licensed in its new state is offered to one who is, and the sixth piece of an
    application starts its clocks. Raises `UserError`.
    """
    with transaction.atomic():
        edit = scenario_edits.edit_scenario(
            lead_id=lead_id, changes=changes, stated_by=stated_by, by=by.pk, at=at
        )
        if not edit.edits:
            return edit
        lead = edit.lead
        if edit.changes("street", "zip"):
            key = person_matching.address_key(lead.property_street, lead.property_zip)
            Lead.objects.filter(pk=lead.pk).update(property_key=key)
        if edit.changes(*PLACE_FIELDS):
            _follow_new_place(lead, by=by, at=at)
        if edit.lost_officer:
            lead_arrival.assign_leads.enqueue(lead_ids=[str(lead.pk)])
        rescore_lead(lead_id=lead.pk, because="edited", at=at)
        if not lead.is_test:
            credit_notice_triggers.check_application(lead.pk, at=at)
        rollup_deltas.append_missing_deltas(lead.pk)
        publish_update("lead", lead=str(lead.pk))
    return edit


def add_contacts(*, lead_id: UUID, stated: StatedContacts, by: User, at: datetime) -> Person:
    """Store a phone number, email address or name that staff learned. Raises `UserError`.

    A new number has no consent, whatever the borrower agreed to for another one.
    """
    with transaction.atomic():
        lead = _lock_lead(lead_id)
        person = staff_contacts.store_contacts(lead, stated, by=by.pk, at=at)
        redecide_held_messages.redecide_after_place_known(lead_id=lead.pk, at=at)
        send_messages.enqueue()
        publish_update("lead", lead=str(lead.pk))
    return person


def set_co_borrower(*, lead_id: UUID, stated: StatedCoBorrower, by: User, at: datetime) -> Person:
    """Store the co-borrower, a person of their own with no consent. Raises `UserError`."""
    with transaction.atomic():
        lead = _lock_lead(lead_id)
        person = staff_contacts.store_co_borrower(lead, stated, by=by.pk, at=at)
        publish_update("lead", lead=str(lead.pk))
    return person


def reopen_lead(*, lead_id: UUID, by: User, at: datetime) -> Lead:
    """Reopen a closed lead for its officer; safe to repeat. Raises `UserError`."""
    with transaction.atomic():
        lead = _lock_lead(lead_id)
        if lead.state != "retired":
            return lead
        if lead.retired_reason == REMOVED_REASON:
            raise UserError("This lead’s data was removed. Add the borrower as a new lead.")
        reason = lead.retired_reason
        Lead.objects.filter(pk=lead.pk).update(state="working", retired_at=None, retired_reason="")
        write_event(
            "leads.lead.reopened",
            at=at,
            actor=f"user:{by.pk}",
            lead_id=lead.pk,
            person_id=lead.person_id,
            was_closed_because=reason,
        )
        lead.refresh_from_db()  # a trigger ends an ownership that the law no longer allows
        rollup_deltas.append_missing_deltas(lead.pk)
        publish_update("lead", lead=str(lead.pk))
    return lead


def _follow_new_place(lead: Lead, *, by: User, at: datetime) -> None:
    """Finish the tasks that asked for the place, and decide waiting messages again."""
    if lead.property_state:
        for reason in redecide_held_messages.PLACE_REASONS:
            required_actions.finish_task(lead_id=lead.pk, reason=reason, by=by.pk, at=at)
    if redecide_held_messages.redecide_after_place_known(lead_id=lead.pk, at=at):
        send_messages.enqueue()
    call_deadlines.start_deadline(lead, at=at)
    if response_deadline.is_first_call_owed(lead) and lead.response_due_at:
        by_now = max(lead.response_due_at, at)
        due = response_deadline.callable_deadline_of_lead(lead, by=by_now, at=at)
        if due > by_now:  # calls are closed at the place we now know
            Lead.objects.filter(pk=lead.pk).update(response_due_at=due)


def _lock_lead(lead_id: UUID) -> Lead:
    rows = Lead.objects.select_for_update(of=("self",), no_key=True).select_related("person")
    return rows.get(pk=lead_id)
