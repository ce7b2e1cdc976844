"""Taking an import back, as far as that may be done.

What came only by the file and that nobody has worked on is closed. Refusals of contact
stay, and so does everything the ledger holds: neither may be taken back.
"""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.db.transaction import atomic

from rooftree.capture.imports.stage import BadFile
from rooftree.capture.models import ImportedRow, Spreadsheet
from rooftree.leads.models import ContactAttempt, Lead, Touch
from rooftree.ledger.write import write
from rooftree.org.models import User

REASON = "import undone"


def undo(*, sheet_id: UUID, by: User, at: datetime) -> int:
    """Close the leads an import made that nobody has touched since; how many. Raises `BadFile`."""
    with atomic():
        sheet = Spreadsheet.objects.select_for_update().get(pk=sheet_id)
        if sheet.state != "done" or sheet.undone_at:
            raise BadFile("Only a finished import can be undone, and only once.")
        mine = list(untouched(sheet).select_for_update(of=("self",)).order_by("pk"))
        ids = [lead.pk for lead in mine]
        Lead.objects.filter(pk__in=ids).update(
            state="retired", retired_at=at, retired_reason=REASON, promise_at=None
        )
        for lead in mine:
            write(
                "capture.lead.withdrawn",
                at=at,
                actor=f"user:{by.pk}",
                lead_id=lead.pk,
                person_id=lead.person_id,
                spreadsheet=sheet.pk,
            )
        sheet.undone_at = at
        sheet.counts = {**sheet.counts, "closed": len(ids)}
        sheet.save(update_fields=["undone_at", "counts"])
        write(
            "capture.import.undone",
            at=at,
            actor=f"user:{by.pk}",
            source_id=sheet.source_id,
            spreadsheet=sheet.pk,
            leads=len(ids),
        )
    return len(ids)


def untouched(sheet: Spreadsheet) -> QuerySet[Lead]:
    """The leads this import made that have no other arrival, no owner, and that nobody worked."""
    mine = ImportedRow.objects.filter(spreadsheet=sheet).values("delivery")
    came = Touch.objects.filter(delivery__in=mine, is_first=True).values("lead")
    others = Touch.objects.exclude(delivery__in=mine).filter(lead__in=came).values("lead")
    tried = ContactAttempt.objects.filter(lead__in=came).values("lead")
    free = Lead.objects.filter(pk__in=came, state="new", officer=None, first_message_at=None)
    return free.exclude(pk__in=others).exclude(pk__in=tried)
