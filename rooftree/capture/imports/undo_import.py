"""Undo of an import: closes the leads that came only by it and that no one has worked.

Opt-outs and the ledger's events stay; neither can be undone.
"""

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.transaction import atomic

from rooftree.capture.imports.import_staging import InvalidImport
from rooftree.capture.models import ImportedRow, Spreadsheet
from rooftree.leads import lead_tasks
from rooftree.leads.models import ContactAttempt, Lead, Remark, Touch
from rooftree.ledger.write_events import build_event, write_event, write_events
from rooftree.org.models import User

UNDO_REASON = "import undone"
UNWORKED_STATES = ("new", "nurture")
BATCH_SIZE = 500  # leads of one transaction


def start_undo(*, sheet_id: UUID, by: User, at: datetime) -> Spreadsheet:
    """Start to undo an import; its leads are closed in batches. Raises `InvalidImport`."""
    with atomic():
        sheet = Spreadsheet.objects.select_for_update().get(pk=sheet_id)
        if sheet.state != "done" or sheet.undone_at:
            raise InvalidImport("Only a finished import can be undone, and only once.")
        sheet.state, sheet.undone_at = "undoing", at
        sheet.counts = {**sheet.counts, "closed": 0}
        sheet.save(update_fields=["state", "undone_at", "counts"])
        write_event(
            "capture.import.undone",
            at=at,
            actor=f"user:{by.pk}",
            source_id=sheet.source_id,
            spreadsheet=sheet.pk,
        )
    return sheet


def close_next_batch(*, sheet_id: UUID, at: datetime) -> bool:
    """Close the next batch of untouched leads; return False if none is left."""
    with atomic():
        sheets = Spreadsheet.objects.select_for_update(skip_locked=True)
        sheet = sheets.filter(pk=sheet_id, state="undoing").first()
        if sheet is None:
            return False
        leads = list(
            untouched_leads(sheet).select_for_update(of=("self",)).order_by("pk")[:BATCH_SIZE]
        )
        Lead.objects.filter(pk__in=[lead.pk for lead in leads]).update(
            state="retired", retired_at=at, retired_reason=UNDO_REASON, response_due_at=None
        )
        write_events(
            build_event(
                "capture.lead.withdrawn",
                at=at,
                actor="system",
                lead_id=lead.pk,
                person_id=lead.person_id,
                spreadsheet=sheet.pk,
            )
            for lead in leads
        )
        sheet.counts = {**sheet.counts, "closed": sheet.counts["closed"] + len(leads)}
        lead_tasks.cancel_tasks(
            [lead.pk for lead in leads],
            key_prefix=f"imported:{sheet.pk}:",
            because=UNDO_REASON,
            at=at,
        )
        if not leads:
            sheet.state = "done"
        sheet.save(update_fields=["state", "counts"])
    return bool(leads)


def untouched_leads(sheet: Spreadsheet) -> QuerySet[Lead]:
    """Return the leads an import made that have no other inquiry and that no one has worked.

    They have no owner, or the officer the import assigned as their owner in the other system.
    """
    rows = ImportedRow.objects.filter(spreadsheet=sheet)
    deliveries = rows.values("delivery")
    owned_rows = rows.filter(officer=OuterRef("lead__officer"), delivery=OuterRef("delivery"))
    assigned_touches = Touch.objects.filter(delivery__in=deliveries, is_first=True).filter(
        Exists(owned_rows)
    )
    lead_ids = Touch.objects.filter(delivery__in=deliveries, is_first=True).values("lead")
    other_inquiries = (
        Touch.objects.exclude(delivery__in=deliveries).filter(lead__in=lead_ids).values("lead")
    )
    attempted = ContactAttempt.objects.filter(lead__in=lead_ids).values("lead")
    noted = Remark.objects.filter(lead__in=lead_ids).exclude(by=sheet.uploaded_by_id).values("lead")
    leads = Lead.objects.filter(pk__in=lead_ids, state__in=UNWORKED_STATES, first_message_at=None)
    leads = leads.filter(Q(officer=None) | Q(pk__in=assigned_touches.values("lead")))
    return leads.exclude(pk__in=other_inquiries).exclude(pk__in=attempted).exclude(pk__in=noted)
