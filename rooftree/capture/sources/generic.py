"""Generic webhook: a form, JSON, XML or a query string, read by a field map staff edit.

Each source's setup holds its proof, answers and channel; docs/sources/generic.md documents
the format for senders.
"""

import html
from collections.abc import Mapping
from functools import partial
from typing import Any

from rooftree.capture.parsing.envelope import (
    LEAD_ID_PLACEHOLDER,
    Answer,
    Envelope,
    IncomingDelivery,
    ignored_envelope,
)
from rooftree.capture.parsing.field_map import apply_map, guess_map_lines, parse_map_lines
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.sender_proof import Proof
from rooftree.capture.parsing.single_lead_posts import PostFormat, build_post_envelope, open_post
from rooftree.leads.vocabulary import Channel, Source

LABEL = "Generic webhook (form, JSON, XML, query)"
PATHS = ["generic/<token>"]
METHODS = ("POST", "GET")  # some senders put the whole lead in the URL
CHANNEL = Channel.AGGREGATOR
PROOF = Proof.ADDRESS
ID_PLACEHOLDER, ERROR_PLACEHOLDER = "{id}", "{error}"  # allowed in a custom answer body
_CONTENT_TYPES = {
    "json": "application/json",
    "xml": "text/xml; charset=utf-8",
    "plain": "text/plain; charset=utf-8",
}
_DEFAULT_BODIES = {  # kind: success, failure
    "xml": (
        "<response><status>ok</status><id>{id}</id></response>",
        "<response><status>error</status><error>{error}</error></response>",
    ),
    "plain": ("OK {id}", "ERROR {error}"),
}


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one inquiry. Never raises: an unusable delivery gets its own outcome."""
    setup = incoming.endpoint.setup
    notes = ReadingNotes()
    tree = open_post(incoming, notes, partial(_failure_answer, setup), default_proof=PROOF)
    if isinstance(tree, Envelope):
        return tree
    if not tree:
        return ignored_envelope("empty", _failure_answer(setup, 400, "empty"))
    lines = parse_map_lines(setup.get("map"))
    if not lines:
        notes.warn("no_map_yet")
        lines = guess_map_lines(tree)
    channel = str(setup.get("channel") or "")
    vendor = PostFormat(
        source=Source.GENERIC,
        channel=Channel(channel) if channel in set(Channel) else CHANNEL,
        lines=lines,
        default_proof=PROOF,
        success_answer=lambda tree, incoming: _success_answer(setup),
    )
    return build_post_envelope(tree, apply_map(tree, lines, notes), incoming, notes, vendor)


def rejection_answer(why: str, incoming: IncomingDelivery) -> Answer:
    """Answer with the failure body and a 200, since a retry would change nothing."""
    return _failure_answer(incoming.endpoint.setup, 200, why)


def _answer_kind(setup: Mapping[str, Any]) -> str:
    kind = str(setup.get("answer") or "json")
    return kind if kind in _CONTENT_TYPES else "json"


def _success_answer(setup: Mapping[str, Any]) -> Answer:
    kind, custom_body = _answer_kind(setup), str(setup.get("success") or "")
    status = 201 if setup.get("status") == 201 else 200
    if custom_body or kind != "json":
        body: Any = (custom_body or _DEFAULT_BODIES[kind][0]).replace(
            ID_PLACEHOLDER, LEAD_ID_PLACEHOLDER
        )
    else:
        body = {"status": "ok", "id": LEAD_ID_PLACEHOLDER}
    return Answer(status=status, content_type=_CONTENT_TYPES[kind], body=body)


def _failure_answer(setup: Mapping[str, Any], status: int, error: str) -> Answer:
    kind, custom_body = _answer_kind(setup), str(setup.get("failure") or "")
    if custom_body or kind != "json":
        error_text = html.escape(error) if kind == "xml" else error
        body: Any = (custom_body or _DEFAULT_BODIES[kind][1]).replace(ERROR_PLACEHOLDER, error_text)
    else:
        body = {"status": "error", "error": error}
    return Answer(status=status, content_type=_CONTENT_TYPES[kind], body=body)
