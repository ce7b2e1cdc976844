"""Leads sent with an API key, accepted like any other post of their source."""

from typing import Any

from rooftree.api.key_authentication import ApiCall, ApiError, require_api_key
from rooftree.capture.intake import flood_limits, receive_delivery
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.flow import lead_arrival
from rooftree.leads.models import Source
from rooftree.org.client_info import client_ip

ADAPTER = "generic"


@require_api_key(method="POST", scope="leads:write", permission="edit_sources")
def create_lead(call: ApiCall) -> dict[str, Any]:
    """Store one inquiry, to be read by the field map of the source in the query string.

    The key verifies the sender. The delivery is stored before the response and processed
    afterwards. Unreadable deliveries are stored too, and shown on Sources.
    """
    source = _find_source(call)
    if flood_limits.turn_away_flood(source, at=call.at):
        raise ApiError(429, "too_often", "This source reached its limit for this minute.")
    received = lead_arrival.accept_delivery(
        source=source, incoming=_build_incoming(call, source), at=call.at
    )
    if received.stored_delivery is None or received.answer.status >= 400:
        status = max(received.answer.status, 400)
        raise ApiError(
            status, "unusable", "The source couldn't use this lead. Sources shows the reason."
        )
    return {"delivery_id": str(received.stored_delivery.pk)}


def _find_source(call: ApiCall) -> Source:
    slug = call.request.GET.get("source", "")
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
