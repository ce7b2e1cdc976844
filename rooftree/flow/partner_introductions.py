"""A partner's introduction becomes a lead as any delivery does, and stays the partner's."""

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

DAILY_LIMIT = 50  # of one partner; more is a list, which is imported


@dataclass(frozen=True, slots=True, kw_only=True)
class IntroducedClient:
    """Who is introduced, as the partner says. A partner's word is not the borrower's consent."""

    first_name: str
    last_name: str
    phone: str = ""
    email: str = ""
    purpose: str = ""
    property_state: str = ""
    note: str = ""
    agreed_to_contact: bool = False  # they told the partner that we may call

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)


def submit_introduction(
    *, partner: Partner, client: IntroducedClient, reference: UUID, at: datetime
) -> Introduction:
    """Take the client in by the door of all partners; the same reference is one introduction.

    Raises `BadPartner` when they can neither be called nor written to.
    """
    if not client.phone and not client.email:
        raise BadPartner("phone", "Give a phone number or an e-mail address.")
    if partner.source.paused_at:
        raise BadPartner("", "Introductions are not taken at the moment. Please call us.")
    today = partner.introductions.filter(at__date=at.date()).count()
    if today >= DAILY_LIMIT and not partner.introductions.filter(pk=reference).exists():
        raise BadPartner("", f"That is the {DAILY_LIMIT}th today. Send us a list instead.")
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
    """The delivery is an introduction of this partner's; said again it is the same one."""
    if received.stored_delivery is None:
        raise BadPartner("", "It could not be taken in. Please call us.")
    made = Introduction(
        id=key or received.stored_delivery.pk, partner=partner, delivery=received.stored_delivery,
        name=name[:120] or "No name", at=at,
    )  # fmt: skip
    if insert_row_if_new(made):
        return made
    known = Introduction.objects.filter(pk=made.pk, partner=partner).first()
    if known is None:
        raise BadPartner("", "This page was used before. Open it anew.")
    return known


def _build_payload(
    partner: Partner, client: IntroducedClient, reference: UUID
) -> dict[str, object]:
    """What a partner's own program would post."""
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
