"""Leads that staff type in go through the same intake as any delivery, at once."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.capture.intake.receive_delivery import endpoint_of
from rooftree.capture.intake.source_admission import hash_token
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.capture.sources.staff_entry import ENTRY_METHOD, LABEL
from rooftree.core.user_errors import InvalidField, UserError
from rooftree.core.uuid7 import uuid7_at
from rooftree.flow import credit_notice_triggers, lead_arrival
from rooftree.leads.models import Lead, Source, Touch
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User
from rooftree.routing import lead_ownership

ADAPTER = "staff_entry"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredLead:
    """The lead that an entry became."""

    lead: Lead
    is_new: bool  # False if the borrower's open lead was on file already
    officer_problem: str = ""  # why the wanted officer did not get it


def enter_lead(
    *,
    values: Mapping[str, object],
    note: str,
    officer_id: UUID | None,
    reference: UUID,
    by: User,
    at: datetime,
) -> EnteredLead:
    """Store a lead typed in by staff, matched like any inquiry; the same reference is one lead.

    No automatic message goes out. An officer who is not licensed for it doesn't get it: routing
    chooses then, as it does without `officer_id`. Raises `UserError`, or `remarks.InvalidRemark`
    for the note.

    Args:
        values: by the names of `capture.parsing.target_fields`, and those of `staff_entry`.
    """
    if not (values.get("phone") or values.get("email")):
        raise InvalidField("phone", "Enter a phone number or an email.")
    with transaction.atomic():
        source = entry_source(at)
        body = {**values, "vendor_lead_id": str(reference), "agreed_at": at.isoformat()}
        incoming = IncomingDelivery(
            method=ENTRY_METHOD,
            path=f"/in/{ADAPTER}/{source.token}",
            headers={"Content-Type": "application/json"},
            body=json.dumps(body).encode(),
            received_at=at,
            endpoint=endpoint_of(source),
        )
        received = lead_arrival.accept_delivery(source=source, incoming=incoming, at=at)
        if received.delivery is not None:
            lead_arrival.process_delivery(received.delivery, at=at)
        touch = Touch.objects.filter(source=source, vendor_lead_id=str(reference)).first()
        if touch is None:
            raise UserError("Check the phone number and the email: neither can be reached.")
        if received.delivery is None:  # the form was sent twice
            return EnteredLead(lead=touch.lead, is_new=touch.is_first)
        if note:
            credit_notice_triggers.add_note(lead_id=touch.lead_id, by=by.pk, text=note, at=at)
        lead = Lead.objects.select_related("person", "officer__user").get(pk=touch.lead_id)
        problem = ""
        if officer_id and lead.officer_id is None:
            problem = _give_to_officer(lead, officer_id, by=by, at=at)
    return EnteredLead(lead=lead, is_new=touch.is_first, officer_problem=problem)


def _give_to_officer(lead: Lead, officer_id: UUID, *, by: User, at: datetime) -> str:
    """Give the lead to an officer; return why the law doesn't let them have it, "" if it does."""
    try:
        lead_ownership.import_ownership(lead_id=lead.pk, officer_id=officer_id, by=by, at=at)
    except lead_ownership.CannotOwn as refusal:
        return str(refusal)
    lead.refresh_from_db()
    return ""


def entry_source(at: datetime) -> Source:
    """Return the source of leads that staff type in; the first entry makes it."""
    existing = Source.objects.filter(adapter=ADAPTER).first()
    if existing:
        return existing
    token = secrets.token_urlsafe(24)
    source, is_new = Source.objects.get_or_create(
        slug="typed-in-by-staff",
        defaults={
            "id": uuid7_at(at),
            "adapter": ADAPTER,
            "name": LABEL,
            "token": token,
            "token_hash": hash_token(token),
            "cost_cents": 0,
            "created_at": at,
            "launched_at": at,
        },
    )
    if is_new:
        write_event("capture.source.added", at=at, source=source.pk, adapter=ADAPTER)
    return source
