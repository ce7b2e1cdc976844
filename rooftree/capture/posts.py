"""What every vendor that posts one lead at a time shares, from the proof to the envelope.

Such a vendor is data: its names for our fields, its codes, its answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rooftree.capture.conclude import conclude
from rooftree.capture.consent import follow_ups
from rooftree.capture.envelope import (
    Adapter,
    Answer,
    Envelope,
    Incoming,
    Outcome,
    json_answer,
    refused,
)
from rooftree.capture.field_map import Line, Reading, lines_of
from rooftree.capture.field_map import read as read_by
from rooftree.capture.mapped import lead_of
from rooftree.capture.notes import Notes
from rooftree.capture.payload import ITEMS, tree_of
from rooftree.capture.proof import Proof, problem_with
from rooftree.capture.wire import Unreadable
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.vocabulary import Channel, Source

type Tree = Mapping[str, Any]
type Refusal = Callable[[int, str], Answer]  # a status and a machine's reason
_TELL = ({"do": "notify_ops"},)


def json_refusal(status: int, error: str) -> Answer:
    """The usual refusal."""
    return json_answer(status, error=error)


def json_success(_: Tree, __: Incoming) -> Answer:
    """The usual word that a lead was taken."""
    return json_answer(200, status="accepted")


def _as_read(lead: CanonicalLead, tree: Tree, notes: Notes) -> CanonicalLead:
    return lead


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """How one vendor's posts are proven, read and answered."""

    source: Source
    channel: Channel
    lines: tuple[Line, ...]  # until staff publish a map of their own
    usual: Proof  # of the proofs, where staff choose none
    success: Callable[[Tree, Incoming], Answer] = json_success
    refusal: Refusal = json_refusal
    again: Callable[[Incoming], Answer] | None = None  # what a repetition is told
    counts_bare_yes: bool = False  # see capture.mapped.lead_of
    settle: Callable[[CanonicalLead, Tree, Notes], CanonicalLead] = _as_read


def read_post(incoming: Incoming, vendor: Vendor) -> Envelope:
    """One lead of a vendor. Never raises: what cannot be used comes back as an outcome."""
    notes = Notes()
    tree = opened(incoming, notes, vendor.refusal, usual=vendor.usual)
    if isinstance(tree, Envelope):
        return tree
    lines = lines_of(incoming.endpoint.setup.get("map")) or vendor.lines
    found = read_by(tree, lines, notes)
    return concluded(tree, found, incoming, notes, vendor)


def preview(incoming: Incoming, lines: Any, adapter: Adapter) -> tuple[Reading, Envelope]:
    """What a map (stored lines) would make of a delivery, line by line and as a whole. Pure.

    Raises `Unreadable`.
    """
    notes = Notes()
    shown = read_by(tree_of(incoming, notes), lines_of(lines), notes)
    setup = {**incoming.endpoint.setup, "map": lines}
    tried = replace(incoming, endpoint=replace(incoming.endpoint, setup=setup), is_verified=True)
    return shown, adapter.read(tried)


def opened(
    incoming: Incoming, notes: Notes, refusal: Refusal, *, usual: Proof
) -> dict[str, Any] | Envelope:
    """What was sent, as one tree; an envelope where it is turned away or cannot be read."""
    if problem := problem_with(incoming, usual=usual):
        return refused(Outcome.REJECTED_AUTH, problem, refusal(401, "unauthorized"))
    if incoming.is_too_large():
        return refused(Outcome.REJECTED_TOO_LARGE, "too_large", refusal(413, "too_large"))
    try:
        return tree_of(incoming, notes)
    except Unreadable as error:
        status = 415 if str(error) == "unsupported_content_type" else 400
        return refused(Outcome.REJECTED_MALFORMED, str(error), refusal(status, str(error)))


def concluded(
    tree: Tree, found: Reading, incoming: Incoming, notes: Notes, vendor: Vendor
) -> Envelope:
    """It is the envelope of what a map found in a delivery."""
    lead = lead_of(
        found.fields,
        notes,
        source=vendor.source,
        channel=vendor.channel,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=incoming.endpoint.is_test,
        counts_bare_yes=vendor.counts_bare_yes,
    )
    lead = vendor.settle(lead, tree, notes)
    notes.keep_these(found.unread)
    answer = vendor.success(tree, incoming)
    whole = conclude(lead, answer, notes, actions=follow_ups(lead.consent))
    whole = replace(whole, again=vendor.again(incoming) if vendor.again else None)
    if reason := _set_aside(tree, found, lead):
        return replace(whole, outcome=Outcome.QUARANTINED, reason=reason, actions=_TELL)
    return whole


def _set_aside(tree: Tree, found: Reading, lead: CanonicalLead) -> str | None:
    """Why a person must look at what could be read."""
    items = tree.get(ITEMS)
    if list(tree) == [ITEMS] and isinstance(items, list) and len(items) > 1:
        return "several_leads"
    if found.missing and lead.is_workable():
        return f"required_missing:{found.missing[0]}"
    return None
