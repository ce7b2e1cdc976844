"""Leads that a machine sends with a key: taken in like any other post of their source."""

from typing import Any

from rooftree.api.guard import Call, Refused, call
from rooftree.capture import flood, receive
from rooftree.capture.envelope import Incoming
from rooftree.flow import intake
from rooftree.leads.models import Source
from rooftree.org.caller import address_in

ADAPTER = "generic"


@call(method="POST", scope="leads:write", verb="edit_sources")
def lead(let: Call) -> dict[str, Any]:
    """One inquiry, by the field map of the source that the address names.

    The key is the proof of who sends it; it is kept before it is answered, and worked on
    afterwards. What the source cannot read is kept as well, and shown on Sources.
    """
    source = _source(let)
    if flood.is_too_much(source, at=let.at):
        raise Refused(429, "too_often", "This source takes no more leads this minute.")
    received = intake.accept(source=source, incoming=_incoming(let, source), at=let.at)
    if received.kept is None or received.answer.status >= 400:
        status = max(received.answer.status, 400)
        raise Refused(status, "unusable", "The source could not use this; Sources says why.")
    return {"delivery_id": str(received.kept.pk)}


def _source(let: Call) -> Source:
    slug = let.request.GET.get("source", "")
    source = Source.objects.filter(adapter=ADAPTER, slug=slug).first()
    if source is None:
        raise Refused(404, "source", "Name a source that takes posts: ?source=its-name.")
    if source.paused_at:
        raise Refused(409, "paused", "This source is paused.")
    return source


def _incoming(let: Call, source: Source) -> Incoming:
    """The post as its source reads it; the key itself is not kept with it."""
    asked = let.request
    headers = {name: said for name, said in asked.headers.items() if name != "Authorization"}
    return Incoming(
        method="POST", path=asked.path, headers=headers, body=asked.body,
        remote_addr=address_in(asked.META) or None, received_at=let.at,
        endpoint=receive.endpoint_of(source), is_verified=True,
    )  # fmt: skip
