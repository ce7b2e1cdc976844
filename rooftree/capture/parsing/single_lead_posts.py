"""What every vendor that posts one lead at a time shares, from the proof to the envelope.

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
from rooftree.capture.parsing.field_map import MapLine, MapReading, parse_map_lines
from rooftree.capture.parsing.field_map import apply_map as read_by
from rooftree.capture.parsing.payload_tree import ITEMS_KEY, build_payload_tree
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.sender_proof import Proof, proof_problem
from rooftree.capture.parsing.wire_formats import UnreadableBody
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.vocabulary import Channel, Source

type Tree = Mapping[str, Any]
type RejectionAnswer = Callable[[int, str], Answer]  # a status and a machine's reason
_TELL = ({"do": "notify_ops"},)


def json_rejection(status: int, error: str) -> Answer:
    """The usual refusal."""
    return json_answer(status, error=error)


def json_success(_: Tree, __: IncomingDelivery) -> Answer:
    """The usual word that a lead was taken."""
    return json_answer(200, status="accepted")


def _keep_lead(lead: CanonicalLead, tree: Tree, notes: ReadingNotes) -> CanonicalLead:
    return lead


@dataclass(frozen=True, slots=True, kw_only=True)
class PostFormat:
    """How one vendor's posts are proven, read and answered."""

    source: Source
    channel: Channel
    lines: tuple[MapLine, ...]  # until staff publish a map of their own
    usual: Proof  # of the proofs, where staff choose none
    success: Callable[[Tree, IncomingDelivery], Answer] = json_success
    refusal: RejectionAnswer = json_rejection
    again: Callable[[IncomingDelivery], Answer] | None = None  # what a repetition is told
    counts_bare_yes: bool = False  # see capture.mapped.lead_of
    settle: Callable[[CanonicalLead, Tree, ReadingNotes], CanonicalLead] = _keep_lead


def read_post(incoming: IncomingDelivery, vendor: PostFormat) -> Envelope:
    """One lead of a vendor. Never raises: what cannot be used comes back as an outcome."""
    notes = ReadingNotes()
    tree = open_post(incoming, notes, vendor.refusal, usual=vendor.usual)
    if isinstance(tree, Envelope):
        return tree
    lines = parse_map_lines(incoming.endpoint.setup.get("map")) or vendor.lines
    found = read_by(tree, lines, notes)
    return build_post_envelope(tree, found, incoming, notes, vendor)


def preview_map(
    incoming: IncomingDelivery, lines: Any, adapter: Adapter
) -> tuple[MapReading, Envelope]:
    """What a map (stored lines) would make of a delivery, line by line and as a whole. Pure.

    Raises `Unreadable`.
    """
    notes = ReadingNotes()
    shown = read_by(build_payload_tree(incoming, notes), parse_map_lines(lines), notes)
    setup = {**incoming.endpoint.setup, "map": lines}
    tried = replace(incoming, endpoint=replace(incoming.endpoint, setup=setup), is_verified=True)
    return shown, adapter.read(tried)


def open_post(
    incoming: IncomingDelivery, notes: ReadingNotes, refusal: RejectionAnswer, *, usual: Proof
) -> dict[str, Any] | Envelope:
    """What was sent, as one tree; an envelope where it is turned away or cannot be read."""
    if problem := proof_problem(incoming, usual=usual):
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
    found: MapReading,
    incoming: IncomingDelivery,
    notes: ReadingNotes,
    vendor: PostFormat,
) -> Envelope:
    """It is the envelope of what a map found in a delivery."""
    lead = build_canonical_lead(
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
    notes.keep_extras(found.unread)
    answer = vendor.success(tree, incoming)
    whole = build_envelope(lead, answer, notes, actions=evidence_actions(lead.consent))
    whole = replace(whole, again=vendor.again(incoming) if vendor.again else None)
    if reason := _quarantine_reason(tree, found, lead):
        return replace(whole, outcome=Outcome.QUARANTINED, reason=reason, actions=_TELL)
    return whole


def _quarantine_reason(tree: Tree, found: MapReading, lead: CanonicalLead) -> str | None:
    """Why a person must look at what could be read."""
    items = tree.get(ITEMS_KEY)
    if list(tree) == [ITEMS_KEY] and isinstance(items, list) and len(items) > 1:
        return "several_leads"
    if found.missing and lead.is_workable():
        return f"required_missing:{found.missing[0]}"
    return None
