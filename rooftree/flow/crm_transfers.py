"""Transfers from other CRMs: read their pages, keep the stages and officers of their leads."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.tasks import task

from rooftree.capture.imports import crm_import, imported_activities, owner_mapping
from rooftree.capture.imports.models import CrmImport
from rooftree.capture.intake.store_inquiries import StoredInquiry
from rooftree.capture.models import Spreadsheet
from rooftree.flow import clock
from rooftree.leads import remarks
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import build_event, write_events
from rooftree.routing import lead_ownership
from rooftree.tasks.live_updates import publish_update

PAGES_PER_TURN = 20  # pages per run; then the other systems get their turn


def read_due_pages(*, at: datetime) -> None:
    """Read the next due pages of any system."""
    for _ in range(PAGES_PER_TURN):
        step = crm_import.fetch_next_page(at=at)
        if step is None:
            return
        sheet_id = str(step.transfer.pk)
        with transaction.atomic():
            if crm_import.record_page(step, at=at):
                describe_transfer.enqueue(sheet_id=sheet_id)
        publish_update("sources", spreadsheet=sheet_id)


@task(queue_name="soon")
def describe_transfer(*, sheet_id: str) -> None:
    """Count the records read and suggest a mapping. If interrupted, it starts over."""
    crm_import.prefill_mapping(sheet_id=UUID(sheet_id), at=clock.now())
    publish_update("sources", spreadsheet=sheet_id)


def apply_transfer(
    sheet: Spreadsheet, stored: Sequence[StoredInquiry], *, at: datetime
) -> dict[UUID, UUID]:
    """Give new leads the stage and the officer they had in the other system.

    Return the officer's id by delivery id, for the leads whose officer could keep them. No
    call is placed, no message is sent and no response deadline is set.
    """
    crm = crm_import.crm_import_of(sheet)
    if crm is None:
        return {}
    imported_activities.link_earlier_activities(sheet, [inquiry.touch for inquiry in stored], at=at)
    new_inquiries = [inquiry for inquiry in stored if inquiry.touch.is_first]
    _set_stages(sheet, crm, new_inquiries, at)
    officers = {}
    for inquiry in new_inquiries:
        officer_id = owner_mapping.mapped_officer_id(crm, inquiry.touch.inquiry)
        if officer_id and keep_officer(sheet, inquiry.lead, officer_id, at):
            officers[inquiry.touch.delivery_id] = UUID(officer_id)
    return officers


def load_owner_names(sheet: Spreadsheet) -> dict[str, str]:
    """Return the owners' names in the other system by their ids; empty for a file."""
    crm = crm_import.crm_import_of(sheet)
    return crm.owner_names() if crm else {}


def _set_stages(
    sheet: Spreadsheet, crm: CrmImport, stored: Sequence[StoredInquiry], at: datetime
) -> None:
    leads_by_state: dict[str, list[Lead]] = defaultdict(list)
    for inquiry in stored:
        state = owner_mapping.mapped_lead_state(crm, inquiry.touch.inquiry)
        leads_by_state[state].append(inquiry.lead)
    for state in ("nurture", "retired"):
        leads = Lead.objects.filter(pk__in=[lead.pk for lead in leads_by_state[state]], state="new")
        changes: dict[str, object] = {"state": state, "response_due_at": None}
        if state == "retired":
            changes |= {"retired_at": at, "retired_reason": f"closed in {sheet.source.name}"[:60]}
        leads.update(**changes)
        write_events(
            build_event(
                "capture.lead.staged",
                at=at,
                actor="system:import",
                lead_id=lead.pk,
                person_id=lead.person_id,
                spreadsheet=sheet.pk,
                state=state,
            )
            for lead in leads_by_state[state]
        )


def keep_officer(sheet: Spreadsheet, lead: Lead, officer_id: str, at: datetime) -> bool:
    """Give the lead to its officer; return False, with a note on the lead, if not allowed."""
    try:
        with transaction.atomic():
            lead_ownership.import_ownership(
                lead_id=lead.pk, officer_id=officer_id, by=sheet.uploaded_by, at=at
            )
    except lead_ownership.CannotOwn as problem:
        remarks.add_remark(
            lead_id=lead.pk,
            by=sheet.uploaded_by_id,
            text=f"Unassigned: its officer in {sheet.source.name} can't own this lead. {problem}",
            at=at,
        )
        return False
    return True
