"""Taking an import back, as far as that may be done.

What came only by the file and nobody has worked on is closed. Refusals of contact
stay, and so does everything the ledger holds: neither may be taken back.
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
    """Take an import back; its leads are closed some at a time. Raises `BadFile`."""
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
    """Close the next leads that nobody has touched; False when none is left."""
    with atomic():
        held = Spreadsheet.objects.select_for_update(skip_locked=True)
        sheet = held.filter(pk=sheet_id, state="undoing").first()
        if sheet is None:
            return False
        mine = list(
            untouched_leads(sheet).select_for_update(of=("self",)).order_by("pk")[:BATCH_SIZE]
        )
        Lead.objects.filter(pk__in=[lead.pk for lead in mine]).update(
            state="retired", retired_at=at, retired_reason=UNDO_REASON, promise_at=None
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
            for lead in mine
        )
        sheet.counts = {**sheet.counts, "closed": sheet.counts["closed"] + len(mine)}
        lead_tasks.cancel_tasks(
            [lead.pk for lead in mine],
            key_prefix=f"imported:{sheet.pk}:",
            because=UNDO_REASON,
            at=at,
        )
        if not mine:
            sheet.state = "done"
        sheet.save(update_fields=["state", "counts"])
    return bool(mine)


def untouched_leads(sheet: Spreadsheet) -> QuerySet[Lead]:
    """The leads this import made that have no other arrival, and that nobody worked.

    Nobody owns them but the officer who had them in the other system.
    """
    rows = ImportedRow.objects.filter(spreadsheet=sheet)
    mine = rows.values("delivery")
    kept = rows.filter(officer=OuterRef("lead__officer"), delivery=OuterRef("delivery"))
    theirs = Touch.objects.filter(delivery__in=mine, is_first=True).filter(Exists(kept))
    came = Touch.objects.filter(delivery__in=mine, is_first=True).values("lead")
    others = Touch.objects.exclude(delivery__in=mine).filter(lead__in=came).values("lead")
    tried = ContactAttempt.objects.filter(lead__in=came).values("lead")
    written = Remark.objects.filter(lead__in=came).exclude(by=sheet.uploaded_by_id).values("lead")
    free = Lead.objects.filter(pk__in=came, state__in=UNWORKED_STATES, first_message_at=None)
    free = free.filter(Q(officer=None) | Q(pk__in=theirs.values("lead")))
    return free.exclude(pk__in=others).exclude(pk__in=tried).exclude(pk__in=written)
