"""Hand a lead to the LOS exactly once, even when the network fails.

A create whose answer was lost is `uncertain`. The loan is looked up by our lead id,
and created again only when a search that can no longer lag finds nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from rooftree.core.uuid7 import uuid7_at
from rooftree.core.vendor_errors import (
    Misconfigured,
    OutcomeUnknown,
    RequestRejected,
    RetryLater,
    VendorError,
    retry_delay,
)
from rooftree.leads.models import BY_HAND, Lead, Loan
from rooftree.ledger.write_events import write_event
from rooftree.los import connection_choice
from rooftree.los.adapter_pool import get_adapter
from rooftree.los.adapters import load_profile
from rooftree.los.handoff_record import (
    HandoffConnection,
    MalformedHandoff,
    format_utc,
    parse_handoff,
)
from rooftree.los.lender_mapping import build_lender_mapping
from rooftree.los.los_adapter import WritesLater
from rooftree.los.los_payload import MissingData, build_payload
from rooftree.los.models import Connection, Handoff
from rooftree.org import sending_pause, shadow_mode
from rooftree.org.models import Company, User

CLAIM_TIMEOUT = timedelta(minutes=3)
LOOKUP_INTERVAL = timedelta(minutes=1)
BACK_OFF = (30, 120, 600, 1800, 3600)
SETUP_RETRY_INTERVAL = timedelta(minutes=15)
OPEN_STATES = ("pending", "sending", "uncertain", "created")  # created: with fields to write
SYSTEM_VERSION = "2026.11"


class HandoffNotReady(Exception):
    """A lead can't be handed off yet: something is missing. The text is fit to show."""

    def __init__(self, text: str, missing: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.missing = missing


def queue_handoff(
    *, lead_id: UUID, by: User | None, at: datetime, answers: Mapping[str, Any] | None = None
) -> Handoff:
    """Queue a lead for the LOS; return the existing hand-off if there already is one.

    Raises `HandoffNotReady` when no LOS is connected or facts are missing; it names them. Shadow
    mode writes nothing to the LOS.
    """
    if shadow_mode.is_shadow_on():
        raise HandoffNotReady("Shadow mode is on: nothing is written to the LOS.")
    with transaction.atomic():
        lead = (
            Lead.objects.select_for_update(of=("self",))
            .select_related("person", "officer__user", "officer__branch")
            .get(pk=lead_id)
        )
        # Whichever connection took the lead: handed over by two paths, it is still one loan.
        if existing := Handoff.objects.filter(lead=lead).exclude(state="rejected").first():
            return existing
        connection, absence = connection_choice.find_connection(lead)
        if connection is None:
            raise HandoffNotReady(absence)
        if Loan.objects.filter(lead=lead, los=BY_HAND, final_outcome="").exists():
            raise HandoffNotReady("This lead’s loan was recorded as funded by hand.")
        record = build_handoff_record(lead, connection, answers or {})
        _require_complete(record, connection)
        handoff = Handoff.objects.create(
            id=uuid7_at(at),
            lead=lead,
            connection=connection,
            record=record,
            requested_by=by,
            requested_at=at,
            due_at=at,
        )
        actor = f"user:{by.pk}" if by else "system:handoff"
        write_event("los.handoff.asked", at=at, actor=actor, lead_id=lead.pk, handoff=handoff.pk)
    return handoff


def build_handoff_record(
    lead: Lead, connection: Connection, answers: Mapping[str, Any]
) -> dict[str, Any]:
    """Build the hand-off object of a lead, the only input of the LOS request.

    Raises `HandoffNotReady` when no loan officer owns the lead.
    """
    officer = lead.officer
    if officer is None:
        raise HandoffNotReady("A loan officer must own the lead first.", ("loan officer",))
    company = Company.objects.get()
    first, _, last = officer.user.name.partition(" ")
    return {
        "lead_id": str(lead.pk),
        "created_at": format_utc(lead.created_at),
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
        "connection": _build_connection_part(connection),
        "answers": dict(answers),
    }


def _build_connection_part(connection: Connection) -> dict[str, Any]:
    profile = load_profile(connection.los)
    known = {field.name for field in fields(HandoffConnection)}
    part = {
        "los": connection.los,
        "environment": "production",
        "system_name": "Rooftree",
        "system_version": SYSTEM_VERSION,
        "instance": connection.instance,
        "folder": connection.folder or None,
        "template": connection.template or None,
        "template_type": connection.template_type or None,
        "lead_id_field": connection.lead_id_field,
    }
    part |= {key: value for key, value in connection.options.items() if key in known}
    if profile.instance_means:
        part[profile.instance_means] = connection.instance
    prefix = profile.test_instance_prefix
    if prefix and connection.instance.startswith(prefix):
        part["environment"] = "test"
    return part


def find_missing_data(lead: Lead, connection: Connection) -> list[str]:
    """Return the facts the LOS still requires, as text; empty when the lead is ready."""
    try:
        _require_complete(build_handoff_record(lead, connection, {}), connection)
    except HandoffNotReady as problem:
        return list(problem.missing) or [str(problem)]
    return []


def preview_request(lead: Lead, connection: Connection) -> Any:
    """Build the body that a hand-off would send now, as JSON or text; "" if it can't be built."""
    try:
        record = parse_handoff(build_handoff_record(lead, connection, {}))
        return build_payload(record, connection.los, build_lender_mapping(connection)).body
    except (HandoffNotReady, MalformedHandoff):
        return ""


def send_due_handoffs(*, at: datetime, limit: int = 20) -> int:
    """Send or look up every due hand-off; return how many. Does nothing while paused.

    Nor in shadow mode: its triggers would refuse what is sent.
    """
    if sending_pause.is_sending_paused() or shadow_mode.is_shadow_on():
        return 0
    due = Handoff.objects.filter(state__in=OPEN_STATES, due_at__lte=at)
    ids = list(due.order_by("due_at").values_list("pk", flat=True)[:limit])
    return sum(send_handoff(handoff_id=handoff_id, at=at) for handoff_id in ids)


def send_handoff(*, handoff_id: UUID, at: datetime) -> bool:
    """Send one due hand-off or look up its outcome; return False if not due or locked."""
    with transaction.atomic():
        row = (
            Handoff.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("connection")
            .filter(pk=handoff_id, state__in=OPEN_STATES, due_at__lte=at)
            .first()
        )
        if row is None:
            return False
        is_first = row.state == "pending"
        if is_first:
            row.state, row.sent_at, row.attempt_id = "sending", at, uuid4()
            row.attempts += 1
        row.due_at = at + CLAIM_TIMEOUT  # after a crash, the next worker looks the loan up
        row.save(update_fields=["state", "sent_at", "attempt_id", "attempts", "due_at"])
    if is_first:
        _create_loan(row, at)
    elif row.state == "created":
        _write_later_fields(row, at)
    else:
        _look_up_loan(row, at)
    return True


def _create_loan(row: Handoff, at: datetime) -> None:
    try:
        created = get_adapter(row.connection).create_loan(parse_handoff(row.record))
    except RetryLater as problem:
        due_at = at + retry_delay(problem, row.attempts, BACK_OFF)
        _update_handoff(row, state="pending", due_at=due_at, problem=str(problem))
    except OutcomeUnknown as problem:
        _update_handoff(row, state="uncertain", due_at=at + LOOKUP_INTERVAL, problem=str(problem))
    except (RequestRejected, MissingData, MalformedHandoff) as problem:
        with transaction.atomic():
            _update_handoff(row, state="rejected", due_at=None, problem=str(problem))
            write_event("los.handoff.rejected", at=at, lead_id=row.lead_id, handoff=row.pk)
    except Misconfigured as problem:
        # An administrator has to fix it in Setup; until then the hand-off waits.
        _update_handoff(
            row, state="pending", due_at=at + SETUP_RETRY_INTERVAL, problem=str(problem)
        )
    else:
        record_created_loan(row, created.loan_id, at)


def _look_up_loan(row: Handoff, at: datetime) -> None:
    sent_at = row.sent_at or row.requested_at
    try:
        handoff = parse_handoff(row.record)
        lookup = get_adapter(row.connection).find_created_loan(handoff, sent_at=sent_at, at=at)
    except VendorError as problem:
        _update_handoff(row, state="uncertain", due_at=at + LOOKUP_INTERVAL, problem=str(problem))
        return
    loan_ids = leave_out_other_leads(row, lookup.loan_ids)
    if len(loan_ids) > 1:
        _update_handoff(
            row,
            state="uncertain",
            due_at=None,
            problem="The LOS has this loan twice. Check it there.",
        )
    elif loan_ids:
        record_created_loan(row, loan_ids[0], at)
    elif lookup.question:
        _update_handoff(row, state="uncertain", due_at=None, problem=lookup.question)
    elif lookup.is_conclusive:
        _update_handoff(
            row,
            state="pending",
            due_at=at,
            problem="The LOS doesn't have the loan. Sending it again.",
        )
    else:
        _update_handoff(
            row,
            state="uncertain",
            due_at=at + LOOKUP_INTERVAL,
            problem="Waiting for the LOS search to catch up.",
        )


def _write_later_fields(row: Handoff, at: datetime) -> None:
    """Write what the create didn't take; the loan is there already and is never made again."""
    loan = Loan.objects.get(handoff=row.pk)
    attempts = row.attempts + 1
    try:
        warning = get_adapter(row.connection).write_fields(loan.los_loan_id, row.later_fields)
    except (RequestRejected, MalformedHandoff) as problem:
        text = f"The loan is there, but without: {', '.join(row.later_fields)}. {problem}"
        _update_handoff(row, due_at=None, later_fields={}, problem=text)
    except VendorError as problem:
        due_at = at + retry_delay(problem, attempts, BACK_OFF)
        _update_handoff(row, due_at=due_at, attempts=attempts, problem=str(problem))
    else:
        _update_handoff(row, due_at=None, later_fields={}, problem=warning)


def leave_out_other_leads(row: Handoff, loan_ids: Sequence[str]) -> list[str]:
    """Return the loans that no other lead has: a search by name finds those of namesakes too."""
    loans = Loan.objects.filter(los=row.connection.los, instance=row.connection.instance)
    taken = loans.filter(los_loan_id__in=loan_ids).exclude(lead=row.lead_id)
    taken_ids = set(taken.values_list("los_loan_id", flat=True))
    return [loan_id for loan_id in loan_ids if loan_id not in taken_ids]


def record_created_loan(row: Handoff, loan_id: str, at: datetime) -> None:
    """Record that the LOS has the loan of a hand-off; the lead becomes an application."""
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
        adapter, later = get_adapter(row.connection), {}
        if isinstance(adapter, WritesLater):
            later = dict(adapter.list_later_fields(parse_handoff(row.record)))
        _update_handoff(
            row, state="created", due_at=at if later else None, problem="", loan=loan,
            later_fields=later,
        )  # fmt: skip
        Lead.objects.filter(pk=lead.pk, state__in=["new", "working", "nurture"]).update(
            state="application"
        )
        write_event("los.loan.created", at=at, lead_id=lead.pk, handoff=row.pk, loan=loan.pk)


def _update_handoff(row: Handoff, **changes: Any) -> None:
    if "problem" in changes:
        changes["problem"] = changes["problem"][:500]
    Handoff.objects.filter(pk=row.pk).update(**changes)


def _require_complete(record: dict[str, Any], connection: Connection) -> None:
    mapping = build_lender_mapping(connection)
    try:
        missing = build_payload(parse_handoff(record), connection.los, mapping).missing
    except MalformedHandoff as problem:
        raise HandoffNotReady(f"The LOS would reject this hand-off: {problem}.") from problem
    if missing:
        names = tuple(str(fact) for fact in missing)
        raise HandoffNotReady(f"The LOS still needs: {', '.join(names)}.", names)
