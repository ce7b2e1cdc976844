"""Reading other systems, and what follows from whose leads were whose over there."""

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

PAGES_PER_TURN = 20  # pages of one turn; then the other systems get theirs


def read_due_pages(*, at: datetime) -> None:
    """Read the next pages that are due, of whichever system."""
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
    """Count what was read; interrupted, it begins again."""
    crm_import.prefill_mapping(sheet_id=UUID(sheet_id), at=clock.now())
    publish_update("sources", spreadsheet=sheet_id)


def apply_transfer(
    sheet: Spreadsheet, stored: Sequence[StoredInquiry], *, at: datetime
) -> dict[UUID, UUID]:
    """New leads keep the stage and the officer they had; deliveries whose officer kept theirs.

    Nobody rings, nothing is sent, nothing is promised.
    """
    moved = crm_import.crm_import_of(sheet)
    if moved is None:
        return {}
    imported_activities.link_earlier_activities(
        sheet, [stored_inquiry.touch for stored_inquiry in stored], at=at
    )
    fresh = [stored_inquiry for stored_inquiry in stored if stored_inquiry.touch.is_first]
    _set_stages(sheet, moved, fresh, at)
    kept = {}
    for one in fresh:
        officer_id = owner_mapping.mapped_officer_id(moved, one.touch.inquiry)
        if officer_id and _keep_officer(sheet, one.lead, officer_id, at):
            kept[one.touch.delivery_id] = UUID(officer_id)
    return kept


def owner_names(sheet: Spreadsheet) -> dict[str, str]:
    """What the owners over there are called, by their ids; none for a file."""
    moved = crm_import.crm_import_of(sheet)
    return moved.owner_names() if moved else {}


def _set_stages(
    sheet: Spreadsheet, moved: CrmImport, fresh: Sequence[StoredInquiry], at: datetime
) -> None:
    by_state: dict[str, list[StoredInquiry]] = defaultdict(list)
    for stored_inquiry in fresh:
        by_state[owner_mapping.mapped_lead_state(moved, stored_inquiry.touch.inquiry)].append(
            stored_inquiry
        )
    for state in ("nurture", "retired"):
        leads = Lead.objects.filter(pk__in=[one.lead.pk for one in by_state[state]], state="new")
        changes: dict[str, object] = {"state": state, "promise_at": None}
        if state == "retired":
            changes |= {"retired_at": at, "retired_reason": f"closed in {sheet.source.name}"[:60]}
        leads.update(**changes)
        write_events(
            build_event(
                "capture.lead.staged",
                at=at,
                actor="system:import",
                lead_id=one.lead.pk,
                person_id=one.lead.person_id,
                spreadsheet=sheet.pk,
                state=state,
            )
            for one in by_state[state]
        )


def _keep_officer(sheet: Spreadsheet, lead: Lead, officer_id: str, at: datetime) -> bool:
    """Whether the officer may have the lead; where the law says no, the lead says so."""
    try:
        with transaction.atomic():
            lead_ownership.import_ownership(
                lead_id=lead.pk, officer_id=officer_id, by=sheet.uploaded_by, at=at
            )
    except lead_ownership.CannotOwn as problem:
        remarks.add_remark(
            lead_id=lead.pk,
            by=sheet.uploaded_by_id,
            text=f"Nobody has this lead: its officer in {sheet.source.name} may not. {problem}",
            at=at,
        )
        return False
    return True
