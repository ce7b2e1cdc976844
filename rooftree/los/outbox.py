"""Handing a lead to the LOS: once, whatever the network does.

A create whose answer was lost is `uncertain`. It is looked up by our lead id,
and sent again only when a look-up that cannot lag any more finds nothing.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from rooftree.core.failures import (
    Failure,
    Misconfigured,
    Refused,
    TryLater,
    Uncertain,
    pause_after,
)
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead, Loan
from rooftree.ledger.write import write
from rooftree.los.connect import adapter
from rooftree.los.handoff import Malformed, from_json, moment_text
from rooftree.los.models import Connection, Handoff
from rooftree.los.payload import NeedsData, payload
from rooftree.org import pause
from rooftree.org.models import Company, User

CLAIM_LIMIT = timedelta(minutes=3)
LOOK_AGAIN = timedelta(minutes=1)
BACK_OFF = (30, 120, 600, 1800, 3600)
MEND_WITHIN = timedelta(minutes=15)
VERSION = "2026.11"


class CannotHandOff(Exception):
    """Something the LOS insists on is missing. The text says what, fit to show."""

    def __init__(self, text: str, missing: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.missing = missing


def ask(
    *, lead_id: UUID, by: User | None, at: datetime, answers: Mapping[str, Any] | None = None
) -> Handoff:
    """Put a lead in line for the LOS. Asked twice it is the same hand-off.

    Raises `CannotHandOff` naming what is still missing, or that no LOS is connected.
    """
    connection = Connection.objects.filter(enabled_at__isnull=False).order_by("enabled_at").first()
    if connection is None:
        raise CannotHandOff("No LOS is connected yet. An administrator can add one in Set-up.")
    with transaction.atomic():
        lead = (
            Lead.objects.select_for_update(of=("self",))
            .select_related("person", "officer__user", "officer__branch")
            .get(pk=lead_id)
        )
        held = Handoff.objects.filter(lead=lead, connection=connection).exclude(state="rejected")
        if known := held.first():
            return known
        record = hand_off_record(lead, connection, answers or {})
        _refuse_missing(record)
        made = Handoff.objects.create(
            id=uuid7_at(at),
            lead=lead,
            connection=connection,
            record=record,
            asked_by=by,
            asked_at=at,
            due_at=at,
        )
        actor = f"user:{by.pk}" if by else "system:handoff"
        write("los.handoff.asked", at=at, actor=actor, lead_id=lead.pk, handoff=made.pk)
    return made


def hand_off_record(
    lead: Lead, connection: Connection, answers: Mapping[str, Any]
) -> dict[str, Any]:
    """The hand-off object of a lead; the request is built from it alone.

    Raises `CannotHandOff` when no licensed officer owns the lead.
    """
    officer = lead.officer
    if officer is None:
        raise CannotHandOff("A loan officer must own the lead first.", ("loan officer",))
    company = Company.objects.get()
    first, _, last = officer.user.name.partition(" ")
    return {
        "lead_id": str(lead.pk),
        "created_at": moment_text(lead.created_at),
        "canonical": lead.details,
        "officer": {
            "first_name": first,
            "last_name": last or first,
            "email": officer.user.email,
            "nmls_id": officer.nmls_id,
            "phone": officer.phone or None,
            "los_user": connection.officer_users.get(officer.nmls_id),
        },
        "branch": {"name": officer.branch.name, "nmls_id": officer.branch.nmls_id or None},
        "company": {
            "legal_name": company.legal_name,
            "nmls_id": company.nmls_id,
            "kind": "broker" if company.texting.get("company_kind") == "broker" else "lender",
        },
        "connection": {
            "los": connection.los,
            "environment": "test" if connection.instance.startswith("TE") else "production",
            "system_name": "Rooftree",
            "system_version": VERSION,
            "instance": connection.instance,
            "folder": connection.folder or None,
            "template": connection.template or None,
            "template_type": connection.template_type or None,
            "lead_id_field": connection.lead_id_field,
        },
        "answers": dict(answers),
    }


def missing_for(lead: Lead, connection: Connection) -> list[str]:
    """What the LOS would still ask for, in words; empty when the lead can go."""
    try:
        _refuse_missing(hand_off_record(lead, connection, {}))
    except CannotHandOff as problem:
        return list(problem.missing) or [str(problem)]
    return []


def send_due(*, at: datetime, limit: int = 20) -> int:
    """Work on every hand-off that is due; how many. None while sending is paused."""
    if pause.is_on():
        return 0
    due = Handoff.objects.filter(state__in=["pending", "sending", "uncertain"], due_at__lte=at)
    ids = list(due.order_by("due_at").values_list("pk", flat=True)[:limit])
    return sum(send(handoff_id=one, at=at) for one in ids)


def send(*, handoff_id: UUID, at: datetime) -> bool:
    """Send one due hand-off, or find out what became of it; False when not ours to take."""
    with transaction.atomic():
        row = (
            Handoff.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("connection")
            .filter(pk=handoff_id, state__in=["pending", "sending", "uncertain"], due_at__lte=at)
            .first()
        )
        if row is None:
            return False
        is_first = row.state == "pending"
        if is_first:
            row.state, row.sent_at, row.attempt_id = "sending", at, uuid4()
            row.attempts += 1
        row.due_at = at + CLAIM_LIMIT  # if we die here the next one looks it up
        row.save(update_fields=["state", "sent_at", "attempt_id", "attempts", "due_at"])
    if is_first:
        _create(row, at)
    else:
        _look_up(row, at)
    return True


def _create(row: Handoff, at: datetime) -> None:
    try:
        made = adapter(row.connection).create(from_json(row.record))
    except TryLater as problem:
        due_at = at + pause_after(problem, row.attempts, BACK_OFF)
        _set(row, state="pending", due_at=due_at, problem=str(problem))
    except Uncertain as problem:
        _set(row, state="uncertain", due_at=at + LOOK_AGAIN, problem=str(problem))
    except (Refused, NeedsData, Malformed) as problem:
        _reject(row, str(problem), at)
    except Misconfigured as problem:
        # Ours to mend in Set-up: the hand-off waits for that, it is not the officer's fault.
        _set(row, state="pending", due_at=at + MEND_WITHIN, problem=str(problem))
    else:
        _created(row, made.loan_id, at)


def _look_up(row: Handoff, at: datetime) -> None:
    lead_id, sent_at = row.lead_id, row.sent_at or row.asked_at
    try:
        found = adapter(row.connection).find_by_lead_id(lead_id, sent_at=sent_at, at=at)
    except Failure as problem:
        _set(row, state="uncertain", due_at=at + LOOK_AGAIN, problem=str(problem))
        return
    if len(found.loan_ids) > 1:
        _set(row, state="uncertain", due_at=None, problem="It is there twice; a person must look.")
    elif found.loan_ids:
        _created(row, found.loan_ids[0], at)
    elif found.conclusive:
        _set(row, state="pending", due_at=at, problem="The LOS does not have it; sent again.")
    else:
        _set(row, state="uncertain", due_at=at + LOOK_AGAIN, problem="Waiting for the LOS search.")


def _created(row: Handoff, loan_id: str, at: datetime) -> None:
    with transaction.atomic():
        lead = Lead.objects.select_for_update().get(pk=row.lead_id)
        loan, _ = Loan.objects.get_or_create(
            los=row.connection.los,
            instance=row.connection.instance,
            los_loan_id=loan_id,
            defaults={
                "id": uuid7_at(at),
                "lead": lead,
                "officer_id": lead.officer_id,
                "amount_cents": lead.amount_cents,
                "created_at": at,
            },
        )
        _set(row, state="created", due_at=None, problem="", loan=loan)
        Lead.objects.filter(pk=lead.pk, state__in=["new", "working", "nurture"]).update(
            state="application"
        )
        write("los.loan.created", at=at, lead_id=lead.pk, handoff=row.pk, loan=loan.pk)


def _reject(row: Handoff, problem: str, at: datetime) -> None:
    with transaction.atomic():
        _set(row, state="rejected", due_at=None, problem=problem)
        write("los.handoff.rejected", at=at, lead_id=row.lead_id, handoff=row.pk)


def _set(row: Handoff, **changes: Any) -> None:
    if "problem" in changes:
        changes["problem"] = changes["problem"][:500]
    Handoff.objects.filter(pk=row.pk).update(**changes)


def _refuse_missing(record: dict[str, Any]) -> None:
    try:
        lacking = payload(from_json(record), record["connection"]["los"]).missing
    except Malformed as problem:
        raise CannotHandOff(f"The LOS would refuse it: {problem}.") from problem
    if lacking:
        names = tuple(str(one) for one in lacking)
        raise CannotHandOff(f"The LOS still needs: {', '.join(names)}.", names)
