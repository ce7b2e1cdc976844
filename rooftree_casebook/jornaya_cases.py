"""Jornaya LeadiD tokens: read from any post, asked about at TCPA Guardian. docs/sources/jornaya.md.

What Guardian answers is not public. The answer is kept as it came, and a company says by
which of its values a token passes.
"""

from rooftree.capture.parsing.build_envelope import build_envelope
from rooftree.capture.parsing.build_lead import build_canonical_lead
from rooftree.capture.parsing.envelope import (
    Envelope,
    IncomingDelivery,
    Outcome,
    json_answer,
    rejected_envelope,
)
from rooftree.capture.parsing.field_map import apply_map as read_by
from rooftree.capture.parsing.field_map import guess_map_lines
from rooftree.capture.parsing.payload_tree import build_payload_tree
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.wire_formats import UnreadableBody
from rooftree.leads.vocabulary import Channel, Source


def parse_token_post(incoming: IncomingDelivery) -> Envelope:
    """What a form that carries a token amounts to, as `rooftree parse` shows it."""
    notes = ReadingNotes()
    try:
        tree = build_payload_tree(incoming, notes)
    except UnreadableBody as error:
        return rejected_envelope(
            Outcome.REJECTED_MALFORMED, str(error), json_answer(400, error=str(error))
        )
    found = read_by(tree, guess_map_lines(tree), notes)
    lead = build_canonical_lead(
        found.fields,
        notes,
        source=Source.WEBSITE_FORM,
        channel=Channel.WEBSITE,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
    )
    token = lead.consent.leadid_token
    actions = [{"do": "verify_leadid", "token": token}] if token else []
    return build_envelope(lead, json_answer(200, status="ok"), notes, actions=actions)
