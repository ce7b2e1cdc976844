"""Jornaya LeadiD tokens in posts, for `rooftree parse`; see docs/sources/jornaya.md.

TCPA Guardian's answers are not public. An answer is stored as received, and a company sets which
of its values a token passes with.
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
from rooftree.capture.parsing.field_map import apply_map, guess_map_lines
from rooftree.capture.parsing.payload_tree import build_payload_tree
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.wire_formats import UnreadableBody
from rooftree.leads.vocabulary import Channel, Source


def parse_token_post(incoming: IncomingDelivery) -> Envelope:
    """Return the envelope of a form post with a token, as `rooftree parse` prints it."""
    notes = ReadingNotes()
    try:
        tree = build_payload_tree(incoming, notes)
    except UnreadableBody as error:
        return rejected_envelope(
            Outcome.REJECTED_MALFORMED, str(error), json_answer(400, error=str(error))
        )
    mapped = apply_map(tree, guess_map_lines(tree), notes)
    lead = build_canonical_lead(
        mapped.fields,
        notes,
        source=Source.WEBSITE_FORM,
        channel=Channel.WEBSITE,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
    )
    token = lead.consent.leadid_token
    actions = [{"do": "verify_leadid", "token": token}] if token else []
    return build_envelope(lead, json_answer(200, status="ok"), notes, actions=actions)
