"""Introductions by referral partners: each becomes a delivery and stays linked to the partner."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.capture.intake.receive_delivery import ReceiveResult, endpoint_of
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.capture.partners.partner_accounts import PARTNER_KINDS
from rooftree.capture.partners.thing_of_value_ruling import BadPartner
from rooftree.db.bulk_insert import insert_row_if_new
from rooftree.flow import lead_arrival
from rooftree.leads.models import Introduction, Partner
from rooftree.leads.vocabulary import PartnerType

DAILY_LIMIT = 50  # per partner; more than this is a list to import


@dataclass(frozen=True, slots=True, kw_only=True)
class IntroducedClient:
    """The client as the partner describes them. A partner's word is not the client's consent."""

    first_name: str
    last_name: str
    phone: str = ""
    email: str = ""
    purpose: str = ""
    property_state: str = ""
    note: str = ""
    agreed_to_contact: bool = False  # they told the partner that we can call

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)


def submit_introduction(
    *, partner: Partner, client: IntroducedClient, reference: UUID, at: datetime
) -> Introduction:
    """Submit a client like any delivery of a partner; the same reference is one introduction.

    Raises `BadPartner` if the client has neither a phone number nor an e-mail address.
    """
    if not client.phone and not client.email:
        raise BadPartner("phone", "Enter a phone number or an email address.")
    if partner.source.paused_at:
        raise BadPartner("", "We aren't accepting introductions right now. Call us.")
    today_count = partner.introductions.filter(at__date=at.date()).count()
    if today_count >= DAILY_LIMIT and not partner.introductions.filter(pk=reference).exists():
        raise BadPartner(
            "", f"You've reached {DAILY_LIMIT} introductions today. Send us a list instead."
        )
    source = partner.source
    incoming = IncomingDelivery(
        path=f"/in/referral_partner/{source.token}",
        headers={"Content-Type": "application/json"},
        body=json.dumps(_build_payload(partner, client, reference)).encode(),
        received_at=at,
        endpoint=endpoint_of(source),
    )
    with transaction.atomic():
        received = lead_arrival.accept_delivery(source=source, incoming=incoming, at=at)
        return record_introduction(
            received, partner=partner, name=client.name, at=at, key=reference
        )


def record_introduction(
    received: ReceiveResult, *, partner: Partner, name: str, at: datetime, key: UUID | None = None
) -> Introduction:
    """Record a delivery as a partner's introduction; return the existing one on a repeat.

    Raises `BadPartner` if the delivery was not stored or another partner used the key.
    """
    if received.stored_delivery is None:
        raise BadPartner("", "We couldn't save this introduction. Call us.")
    introduction = Introduction(
        id=key or received.stored_delivery.pk, partner=partner, delivery=received.stored_delivery,
        name=name[:120] or "No name", at=at,
    )  # fmt: skip
    if insert_row_if_new(introduction):
        return introduction
    existing = Introduction.objects.filter(pk=introduction.pk, partner=partner).first()
    if existing is None:
        raise BadPartner("", "This form was already submitted. Open a new one.")
    return existing


def _build_payload(
    partner: Partner, client: IntroducedClient, reference: UUID
) -> dict[str, object]:
    """Build the payload that a partner's own system would post."""
    return {
        "referral_id": str(reference),
        "partner": {
            "name": partner.user.name,
            "type": PARTNER_KINDS[PartnerType(partner.kind)],
            "email": partner.user.email,
            "phone": partner.user.phone,
            "company": partner.company,
            "license_no": partner.license_no,
            "partner_id": str(partner.pk),
        },
        "client": {
            "first_name": client.first_name,
            "last_name": client.last_name,
            "phone": client.phone,
            "email": client.email,
        },
        "purpose": client.purpose,
        "property_state": client.property_state,
        "note": client.note,
        **({"client_agreed_to_contact": True} if client.agreed_to_contact else {}),
    }
