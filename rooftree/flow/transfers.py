"""Reading other systems, and what follows from whose leads were whose over there."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.tasks import task

from rooftree.capture.imports import mapping, past, transfer
from rooftree.capture.imports.models import Transfer
from rooftree.capture.intake import Stored
from rooftree.capture.models import Spreadsheet
from rooftree.flow import moment
from rooftree.leads import remarks
from rooftree.leads.models import Lead
from rooftree.ledger.write import event, write_all
from rooftree.routing import own
from rooftree.tasks.announce import announce

AT_ONCE = 20  # pages of one turn; then the other systems get theirs


def read_due(*, at: datetime) -> None:
    """Read the next pages that are due, of whichever system."""
    for _ in range(AT_ONCE):
        step = transfer.ask_next(at=at)
        if step is None:
            return
        sheet_id = str(step.transfer.pk)
        with transaction.atomic():
            if transfer.record(step, at=at):
                describe_transfer.enqueue(sheet_id=sheet_id)
        announce("sources", spreadsheet=sheet_id)


@task(queue_name="soon")
def describe_transfer(*, sheet_id: str) -> None:
    """Count what was read; interrupted, it begins again."""
    transfer.describe_by_guess(sheet_id=UUID(sheet_id), at=moment.now())
    announce("sources", spreadsheet=sheet_id)


def follow(sheet: Spreadsheet, stored: Sequence[Stored], *, at: datetime) -> dict[UUID, UUID]:
    """New leads keep the stage and the officer they had; deliveries whose officer kept theirs.

    Nobody rings, nothing is sent, nothing is promised.
    """
    moved = transfer.of(sheet)
    if moved is None:
        return {}
    past.join_earlier(sheet, [one.touch for one in stored], at=at)
    fresh = [one for one in stored if one.touch.is_first]
    _set_stages(sheet, moved, fresh, at)
    kept = {}
    for one in fresh:
        officer_id = mapping.officer_of(moved, one.touch.inquiry)
        if officer_id and _keeps(sheet, one.lead, officer_id, at):
            kept[one.touch.delivery_id] = UUID(officer_id)
    return kept


def names_of_owners(sheet: Spreadsheet) -> dict[str, str]:
    """What the owners over there are called, by their ids; none for a file."""
    moved = transfer.of(sheet)
    return moved.owner_names() if moved else {}


def _set_stages(sheet: Spreadsheet, moved: Transfer, fresh: Sequence[Stored], at: datetime) -> None:
    by_state: dict[str, list[Stored]] = defaultdict(list)
    for one in fresh:
        by_state[mapping.stage_of(moved, one.touch.inquiry)].append(one)
    for state in ("nurture", "retired"):
        leads = Lead.objects.filter(pk__in=[one.lead.pk for one in by_state[state]], state="new")
        changes: dict[str, object] = {"state": state, "promise_at": None}
        if state == "retired":
            changes |= {"retired_at": at, "retired_reason": f"closed in {sheet.source.name}"[:60]}
        leads.update(**changes)
        write_all(
            event(
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


def _keeps(sheet: Spreadsheet, lead: Lead, officer_id: str, at: datetime) -> bool:
    """Whether the officer may have the lead; where the law says no, the lead says so."""
    try:
        with transaction.atomic():
            own.settle(lead_id=lead.pk, officer_id=officer_id, by=sheet.uploaded_by, at=at)
    except own.CannotOwn as problem:
        remarks.add(
            lead_id=lead.pk,
            by=sheet.uploaded_by_id,
            text=f"Nobody has this lead: its officer in {sheet.source.name} may not. {problem}",
            at=at,
        )
        return False
    return True
