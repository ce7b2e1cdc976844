"""Past clients of an import: they rest in nurture, with the loan officer named in the file."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from rooftree.capture.imports import owner_mapping
from rooftree.capture.imports.import_records import owner_key
from rooftree.capture.intake.store_inquiries import StoredInquiry
from rooftree.capture.models import Spreadsheet
from rooftree.flow import crm_transfers
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import build_event, write_events

QUIET_ACTIONS = ("keep", "owner")  # choices for new people that contact no one


def settle_arrivals(
    sheet: Spreadsheet, stored: Sequence[StoredInquiry], *, at: datetime
) -> dict[UUID, UUID]:
    """Move a file's past clients to nurture and give each new lead to the officer named in it.

    Return the officer's id by delivery id. No phone rings, no message is sent and no response
    is due. A lead whose officer isn't found, or can't own it, stays unassigned.
    """
    options, new = sheet.options, [inquiry for inquiry in stored if inquiry.touch.is_first]
    if options.get("people") == "clients" and options.get("then", "keep") in QUIET_ACTIONS:
        _move_to_nurture([inquiry.lead for inquiry in new], sheet, at)
    if options.get("then") != "owner":
        return {}
    names = {inquiry.touch.delivery_id: owner_key(inquiry.touch.inquiry) for inquiry in new}
    officer_ids = owner_mapping.find_named_officers(names.values())
    officers = {}
    for inquiry in new:
        officer_id = officer_ids.get(names[inquiry.touch.delivery_id], "")
        if officer_id and crm_transfers.keep_officer(sheet, inquiry.lead, officer_id, at):
            officers[inquiry.touch.delivery_id] = UUID(officer_id)
    return officers


def _move_to_nurture(leads: Iterable[Lead], sheet: Spreadsheet, at: datetime) -> None:
    rows = list(leads)
    Lead.objects.filter(pk__in=[lead.pk for lead in rows], state="new").update(
        state="nurture", response_due_at=None
    )
    write_events(
        build_event(
            "capture.lead.staged", at=at, actor="system:import", lead_id=lead.pk,
            person_id=lead.person_id, spreadsheet=sheet.pk, state="nurture",
        )
        for lead in rows
    )  # fmt: skip
