"""Leads sent with an API key, accepted like any other post of their source."""

from typing import Any
from uuid import UUID

from ninja import P, QueryEx, Router, Schema, Status

from rooftree.api.api_errors import ApiError
from rooftree.api.key_authentication import ApiCall, ApiRequest
from rooftree.api.operations import require_key
from rooftree.capture.intake import receive_delivery, source_admission
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.flow import lead_arrival
from rooftree.leads.models import Source
from rooftree.org.client_info import client_ip

ADAPTER = "generic"
LEAD_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {"schema": {"type": "object"}},
        "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
        "application/xml": {"schema": {"type": "object"}},
    },
}
router = Router(tags=["Leads"])


class StoredDelivery(Schema):
    """A delivery that is stored and will be processed."""

    delivery_id: UUID


@router.post(
    "/leads",
    **require_key(
        scope="leads:write",
        permission="edit_sources",
        returns=StoredDelivery,
        status=201,
        errors={
            400: "The source couldn't use this lead; Sources shows the reason",
            404: "No “Generic webhook” source has this name",
            409: "The source is paused",
        },
        body=LEAD_BODY,
    ),
)
def create_lead(
    request: ApiRequest,
    source: QueryEx[
        str, P(description="the name of a “Generic webhook” source, as in its address")
    ],
) -> Status[StoredDelivery]:
    """Send a lead as JSON, form data or XML. The source’s field map reads it."""
    call = request.auth
    generic_source = _find_source(source)
    if source_admission.turn_away_flood(generic_source, at=call.at):
        raise ApiError(429, "too_often", "This source reached its limit for this minute.")
    received = lead_arrival.accept_delivery(
        source=generic_source, incoming=_build_incoming(call, generic_source), at=call.at
    )
    if received.stored_delivery is None or received.answer.status >= 400:
        status = max(received.answer.status, 400)
        raise ApiError(
            status, "unusable", "The source couldn't use this lead. Sources shows the reason."
        )
    return Status(201, StoredDelivery(delivery_id=received.stored_delivery.pk))


def _find_source(slug: str) -> Source:
    source = Source.objects.filter(adapter=ADAPTER, slug=slug).first()
    if source is None:
        raise ApiError(404, "source", "Name a generic webhook source: ?source=its-name.")
    if source.paused_at:
        raise ApiError(409, "paused", "This source is paused.")
    return source


def _build_incoming(call: ApiCall, source: Source) -> IncomingDelivery:
    """Return the post as its source reads it, without the API key."""
    request = call.request
    headers = {name: value for name, value in request.headers.items() if name != "Authorization"}
    return IncomingDelivery(
        method="POST", path=request.path, headers=headers, body=request.body,
        remote_addr=client_ip(request.META) or None, received_at=call.at,
        endpoint=receive_delivery.endpoint_of(source), is_verified=True,
    )  # fmt: skip
