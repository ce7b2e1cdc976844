"""Anybody who can post: a form, JSON, XML or a query string, read by a field map staff edit.

What each source is asked to prove, answers and means stands in its setup;
docs/sources/generic.md is what the sender reads.
"""

import html
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rooftree.capture.conclude import conclude
from rooftree.capture.envelope import (
    LEAD_ID,
    Answer,
    Envelope,
    Incoming,
    Outcome,
    ignored,
    refused,
)
from rooftree.capture.field_map import Reading, guess, lines_of
from rooftree.capture.field_map import read as read_by
from rooftree.capture.mapped import lead_of
from rooftree.capture.notes import Notes
from rooftree.capture.payload import ITEMS, tree_of
from rooftree.capture.proof import problem_with
from rooftree.capture.wire import Unreadable
from rooftree.leads.canonical import CanonicalLead, Consent
from rooftree.leads.vocabulary import Channel, Source

LABEL = "Any post: form, JSON, XML, query"
PATHS = ["generic/<token>"]
METHODS = ("POST", "GET")  # some senders say it all in the address
CHANNEL = Channel.AGGREGATOR
ID, ERROR = "{id}", "{error}"  # what an answer's own words may hold
_TYPES = {
    "json": "application/json",
    "xml": "text/xml; charset=utf-8",
    "plain": "text/plain; charset=utf-8",
}
_TELL = ({"do": "notify_ops"},)
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
    if problem := problem_with(incoming):
        return refused(Outcome.REJECTED_AUTH, problem, _failure(setup, 401, "unauthorized"))
    if incoming.is_too_large():
        answer = _failure(setup, 413, "too_large")
        return refused(Outcome.REJECTED_TOO_LARGE, "too_large", answer)
    notes = Notes()
    try:
        tree = tree_of(incoming, notes)
    except Unreadable as error:
        status = 415 if str(error) == "unsupported_content_type" else 400
        answer = _failure(setup, status, str(error))
        return refused(Outcome.REJECTED_MALFORMED, str(error), answer)
    if not tree:
        return ignored("empty", _failure(setup, 400, "empty"))
    return _enveloped(tree, incoming, notes)


def preview(incoming: Incoming, lines: Any) -> tuple[Reading, Envelope]:
    """What a map (stored lines) would make of a delivery, line by line and as a whole. Pure.

    Raises `Unreadable`.
    """
    notes = Notes()
    tree = tree_of(incoming, notes)
    shown = read_by(tree, lines_of(lines), notes)
    setup = {**incoming.endpoint.setup, "map": lines}
    tried = replace(incoming, endpoint=replace(incoming.endpoint, setup=setup), is_verified=True)
    return shown, read(tried)


def _enveloped(tree: dict[str, Any], incoming: Incoming, notes: Notes) -> Envelope:
    setup = incoming.endpoint.setup
    lines = lines_of(setup.get("map"))
    if not lines:
        notes.warn("no_map_yet")
        lines = guess(tree)
    found = read_by(tree, lines, notes)
    lead = lead_of(
        found.fields,
        notes,
        source=Source.GENERIC,
        channel=_channel(setup),
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=incoming.endpoint.is_test,
    )
    for path, value in found.unread:
        notes.keep(path, value)
    answer = _success(setup)
    whole = conclude(lead, answer, notes, actions=_actions(lead.consent))
    if reason := _set_aside(tree, found, lead):
        return replace(whole, outcome=Outcome.QUARANTINED, reason=reason, actions=_TELL)
    return whole


def _set_aside(tree: dict[str, Any], found: Reading, lead: CanonicalLead) -> str | None:
    """Why a person must look at what could be read."""
    items = tree.get(ITEMS)
    if list(tree) == [ITEMS] and isinstance(items, list) and len(items) > 1:
        return "several_leads"
    if found.missing and lead.is_workable():
        return f"required_missing:{found.missing[0]}"
    return None


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


def _actions(consent: Consent) -> list[dict[str, str]]:
    actions = []
    if consent.certificate_url:
        actions.append({"do": "claim_trustedform", "url": consent.certificate_url})
    if consent.leadid_token:
        actions.append({"do": "verify_leadid", "token": consent.leadid_token})
    return actions
