"""Anybody who can post: a form, JSON, XML or a query string, read by a field map staff edit.

What each source is asked to prove, answers and means stands in its setup;
docs/sources/generic.md is what the sender reads.
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
from rooftree.capture.parsing.field_map import apply_map as read_by
from rooftree.capture.parsing.field_map import guess_map_lines, parse_map_lines
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.sender_proof import Proof
from rooftree.capture.parsing.single_lead_posts import PostFormat, build_post_envelope, open_post
from rooftree.leads.vocabulary import Channel, Source

LABEL = "Any post: form, JSON, XML, query"
PATHS = ["generic/<token>"]
METHODS = ("POST", "GET")  # some senders say it all in the address
CHANNEL = Channel.AGGREGATOR
PROOF = Proof.ADDRESS
ID_PLACEHOLDER, ERROR_PLACEHOLDER = "{id}", "{error}"  # what an answer's own words may hold
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
    """One inquiry. Never raises: what cannot be used comes back as an outcome."""
    setup = incoming.endpoint.setup
    notes = ReadingNotes()
    tree = open_post(incoming, notes, partial(_failure_answer, setup), usual=PROOF)
    if isinstance(tree, Envelope):
        return tree
    if not tree:
        return ignored_envelope("empty", _failure_answer(setup, 400, "empty"))
    lines = parse_map_lines(setup.get("map"))
    if not lines:
        notes.warn("no_map_yet")
        lines = guess_map_lines(tree)
    vendor = PostFormat(
        source=Source.GENERIC,
        channel=_configured_channel(setup),
        lines=lines,
        usual=PROOF,
        success=lambda tree, incoming: _success_answer(setup),
    )
    return build_post_envelope(tree, read_by(tree, lines, notes), incoming, notes, vendor)


def rejection_answer(why: str, incoming: IncomingDelivery) -> Answer:
    """The failure, with a 200: it was read, and sending it again would change nothing."""
    return _failure_answer(incoming.endpoint.setup, 200, why)


def _configured_channel(setup: Mapping[str, Any]) -> Channel:
    told = str(setup.get("channel") or "")
    return Channel(told) if told in set(Channel) else CHANNEL


def _answer_kind(setup: Mapping[str, Any]) -> str:
    told = str(setup.get("answer") or "json")
    return told if told in _CONTENT_TYPES else "json"


def _success_answer(setup: Mapping[str, Any]) -> Answer:
    kind, own = _answer_kind(setup), str(setup.get("success") or "")
    status = 201 if setup.get("status") == 201 else 200
    if own or kind != "json":
        body: Any = (own or _DEFAULT_BODIES[kind][0]).replace(ID_PLACEHOLDER, LEAD_ID_PLACEHOLDER)
    else:
        body = {"status": "ok", "id": LEAD_ID_PLACEHOLDER}
    return Answer(status=status, content_type=_CONTENT_TYPES[kind], body=body)


def _failure_answer(setup: Mapping[str, Any], status: int, error: str) -> Answer:
    kind, own = _answer_kind(setup), str(setup.get("failure") or "")
    if own or kind != "json":
        said = html.escape(error) if kind == "xml" else error
        body: Any = (own or _DEFAULT_BODIES[kind][1]).replace(ERROR_PLACEHOLDER, said)
    else:
        body = {"status": "error", "error": error}
    return Answer(status=status, content_type=_CONTENT_TYPES[kind], body=body)
