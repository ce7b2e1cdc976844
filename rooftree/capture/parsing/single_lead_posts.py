"""Shared reader for vendors that post one lead at a time, from sender proof to envelope.

Such a vendor is data: its names for our fields, its codes, its answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rooftree.capture.parsing.build_envelope import build_envelope
from rooftree.capture.parsing.build_lead import build_canonical_lead
from rooftree.capture.parsing.consent_evidence import evidence_actions
from rooftree.capture.parsing.envelope import (
    Adapter,
    Answer,
    Envelope,
    IncomingDelivery,
    Outcome,
    json_answer,
    rejected_envelope,
)
from rooftree.capture.parsing.field_map import MapLine, MapReading, apply_map, parse_map_lines
from rooftree.capture.parsing.payload_tree import ITEMS_KEY, build_payload_tree
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.sender_proof import Proof, proof_problem
from rooftree.capture.parsing.wire_formats import UnreadableBody
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.vocabulary import Channel, Source

type Tree = Mapping[str, Any]
type RejectionAnswer = Callable[[int, str], Answer]  # called with a status and a reason code
_NOTIFY_OPS = ({"do": "notify_ops"},)


def json_rejection(status: int, error: str) -> Answer:
    """Build the default rejection answer."""
    return json_answer(status, error=error)


def json_success(_: Tree, __: IncomingDelivery) -> Answer:
    """Build the default success answer."""
    return json_answer(200, status="accepted")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostFormat:
    """One vendor's post format: its proof, field map and answers."""

    source: Source
    channel: Channel
    lines: tuple[MapLine, ...]  # used until staff publish a map of their own
    default_proof: Proof  # used where staff choose no proof
    success_answer: Callable[[Tree, IncomingDelivery], Answer] = json_success
    rejection_answer: RejectionAnswer = json_rejection
    repeat_answer: Callable[[IncomingDelivery], Answer] | None = None  # for a duplicate
    counts_bare_yes: bool = False  # see build_lead.build_canonical_lead
    finish_lead: Callable[[CanonicalLead, Tree, ReadingNotes], CanonicalLead] = lambda lead, *_: (
        lead
    )


def read_post(incoming: IncomingDelivery, vendor: PostFormat) -> Envelope:
    """Read one lead of a vendor. Never raises: an unusable delivery gets its own outcome."""
    notes = ReadingNotes()
    tree = open_post(incoming, notes, vendor.rejection_answer, default_proof=vendor.default_proof)
    if isinstance(tree, Envelope):
        return tree
    lines = parse_map_lines(incoming.endpoint.setup.get("map")) or vendor.lines
    reading = apply_map(tree, lines, notes)
    return build_post_envelope(tree, reading, incoming, notes, vendor)


def preview_map(
    incoming: IncomingDelivery, lines: Any, adapter: Adapter
) -> tuple[MapReading, Envelope]:
    """Apply a map (stored lines) to a delivery; return the line values and the envelope. Pure.

    Raises `UnreadableBody`.
    """
    notes = ReadingNotes()
    reading = apply_map(build_payload_tree(incoming, notes), parse_map_lines(lines), notes)
    setup = {**incoming.endpoint.setup, "map": lines}
    trial = replace(incoming, endpoint=replace(incoming.endpoint, setup=setup), is_verified=True)
    return reading, adapter.read(trial)


def open_post(
    incoming: IncomingDelivery,
    notes: ReadingNotes,
    refusal: RejectionAnswer,
    *,
    default_proof: Proof,
) -> dict[str, Any] | Envelope:
    """Return the post as one tree, or a rejection envelope."""
    if problem := proof_problem(incoming, default_proof=default_proof):
        return rejected_envelope(Outcome.REJECTED_AUTH, problem, refusal(401, "unauthorized"))
    if incoming.is_too_large():
        return rejected_envelope(Outcome.REJECTED_TOO_LARGE, "too_large", refusal(413, "too_large"))
    try:
        return build_payload_tree(incoming, notes)
    except UnreadableBody as error:
        status = 415 if str(error) == "unsupported_content_type" else 400
        return rejected_envelope(
            Outcome.REJECTED_MALFORMED, str(error), refusal(status, str(error))
        )


def build_post_envelope(
    tree: Tree,
    reading: MapReading,
    incoming: IncomingDelivery,
    notes: ReadingNotes,
    vendor: PostFormat,
) -> Envelope:
    """Build the envelope from the values a map read."""
    lead = build_canonical_lead(
        reading.fields,
        notes,
        source=vendor.source,
        channel=vendor.channel,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=incoming.endpoint.is_test,
        counts_bare_yes=vendor.counts_bare_yes,
    )
    lead = vendor.finish_lead(lead, tree, notes)
    notes.keep_extras(reading.unread_values)
    answer = vendor.success_answer(tree, incoming)
    envelope = build_envelope(lead, answer, notes, actions=evidence_actions(lead.consent))
    envelope = replace(
        envelope, repeat_answer=vendor.repeat_answer(incoming) if vendor.repeat_answer else None
    )
    if reason := _quarantine_reason(tree, reading, lead):
        return replace(envelope, outcome=Outcome.QUARANTINED, reason=reason, actions=_NOTIFY_OPS)
    return envelope


def _quarantine_reason(tree: Tree, reading: MapReading, lead: CanonicalLead) -> str | None:
    """Return the reason code when staff must review the lead, else None."""
    items = tree.get(ITEMS_KEY)
    if list(tree) == [ITEMS_KEY] and isinstance(items, list) and len(items) > 1:
        return "several_leads"
    if reading.missing_fields and lead.is_workable():
        return f"required_missing:{reading.missing_fields[0]}"
    return None
