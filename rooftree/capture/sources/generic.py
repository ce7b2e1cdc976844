"""Anybody who can post: a form, JSON, XML or a query string, read by a field map staff edit.

What each source is asked to prove, answers and means stands in its setup;
docs/sources/generic.md is what the sender reads.
"""

import html
from collections.abc import Mapping
from functools import partial
from typing import Any

from rooftree.capture.envelope import LEAD_ID, Answer, Envelope, Incoming, ignored
from rooftree.capture.field_map import guess, lines_of
from rooftree.capture.field_map import read as read_by
from rooftree.capture.notes import Notes
from rooftree.capture.posts import Vendor, concluded, opened
from rooftree.capture.proof import Proof
from rooftree.leads.vocabulary import Channel, Source

LABEL = "Any post: form, JSON, XML, query"
PATHS = ["generic/<token>"]
METHODS = ("POST", "GET")  # some senders say it all in the address
CHANNEL = Channel.AGGREGATOR
PROOF = Proof.ADDRESS
ID, ERROR = "{id}", "{error}"  # what an answer's own words may hold
_TYPES = {
    "json": "application/json",
    "xml": "text/xml; charset=utf-8",
    "plain": "text/plain; charset=utf-8",
}
_WORDS = {  # kind: success, failure
    "xml": (
        "<response><status>ok</status><id>{id}</id></response>",
        "<response><status>error</status><error>{error}</error></response>",
    ),
    "plain": ("OK {id}", "ERROR {error}"),
}


def read(incoming: Incoming) -> Envelope:
    """One inquiry. Never raises: what cannot be used comes back as an outcome."""
    setup = incoming.endpoint.setup
    notes = Notes()
    tree = opened(incoming, notes, partial(_failure, setup), usual=PROOF)
    if isinstance(tree, Envelope):
        return tree
    if not tree:
        return ignored("empty", _failure(setup, 400, "empty"))
    lines = lines_of(setup.get("map"))
    if not lines:
        notes.warn("no_map_yet")
        lines = guess(tree)
    vendor = Vendor(
        source=Source.GENERIC,
        channel=_channel(setup),
        lines=lines,
        usual=PROOF,
        success=lambda tree, incoming: _success(setup),
    )
    return concluded(tree, read_by(tree, lines, notes), incoming, notes, vendor)


def not_taken(why: str, incoming: Incoming) -> Answer:
    """The failure, with a 200: it was read, and sending it again would change nothing."""
    return _failure(incoming.endpoint.setup, 200, why)


def _channel(setup: Mapping[str, Any]) -> Channel:
    told = str(setup.get("channel") or "")
    return Channel(told) if told in set(Channel) else CHANNEL


def _kind(setup: Mapping[str, Any]) -> str:
    told = str(setup.get("answer") or "json")
    return told if told in _TYPES else "json"


def _success(setup: Mapping[str, Any]) -> Answer:
    kind, own = _kind(setup), str(setup.get("success") or "")
    status = 201 if setup.get("status") == 201 else 200
    if own or kind != "json":
        body: Any = (own or _WORDS[kind][0]).replace(ID, LEAD_ID)
    else:
        body = {"status": "ok", "id": LEAD_ID}
    return Answer(status=status, content_type=_TYPES[kind], body=body)


def _failure(setup: Mapping[str, Any], status: int, error: str) -> Answer:
    kind, own = _kind(setup), str(setup.get("failure") or "")
    if own or kind != "json":
        said = html.escape(error) if kind == "xml" else error
        body: Any = (own or _WORDS[kind][1]).replace(ERROR, said)
    else:
        body = {"status": "error", "error": error}
    return Answer(status=status, content_type=_TYPES[kind], body=body)
