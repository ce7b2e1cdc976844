"""Leads that a machine sends with a key: taken in like any other post of their source."""

from typing import Any

from rooftree.api.key_authentication import ApiCall, ApiError, require_api_key
from rooftree.capture.intake import flood_limits, receive_delivery
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.flow import lead_arrival
from rooftree.leads.models import Source
from rooftree.org.client_info import client_ip

ADAPTER = "generic"


@require_api_key(method="POST", scope="leads:write", permission="edit_sources")
def create_lead(let: ApiCall) -> dict[str, Any]:
    """One inquiry, by the field map of the source that the address names.

    The key is the proof of who sends it; it is kept before it is answered, and worked on
    afterwards. What the source cannot read is kept as well, and shown on Sources.
    """
    source = _find_source(let)
    if flood_limits.turn_away_flood(source, at=let.at):
        raise ApiError(429, "too_often", "This source takes no more leads this minute.")
    received = lead_arrival.accept_delivery(
        source=source, incoming=_build_incoming(let, source), at=let.at
    )
    if received.stored_delivery is None or received.answer.status >= 400:
        status = max(received.answer.status, 400)
        raise ApiError(status, "unusable", "The source could not use this; Sources says why.")
    return {"delivery_id": str(received.stored_delivery.pk)}


def _find_source(let: ApiCall) -> Source:
    slug = let.request.GET.get("source", "")
    source = Source.objects.filter(adapter=ADAPTER, slug=slug).first()
    if source is None:
        raise ApiError(404, "source", "Name a source that takes posts: ?source=its-name.")
    if source.paused_at:
        raise ApiError(409, "paused", "This source is paused.")
    return source


def _build_incoming(let: ApiCall, source: Source) -> IncomingDelivery:
    """The post as its source reads it; the key itself is not kept with it."""
    asked = let.request
    headers = {name: said for name, said in asked.headers.items() if name != "Authorization"}
    return IncomingDelivery(
        method="POST", path=asked.path, headers=headers, body=asked.body,
        remote_addr=client_ip(asked.META) or None, received_at=let.at,
        endpoint=receive_delivery.endpoint_of(source), is_verified=True,
    )  # fmt: skip
