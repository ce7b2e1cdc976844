"""Jornaya LeadiD tokens: read from any post, asked about at TCPA Guardian. docs/sources/jornaya.md.

What Guardian answers is not public. The answer is kept as it came, and a company says by
which of its values a token passes.
"""

from rooftree.capture.conclude import conclude
from rooftree.capture.envelope import Envelope, Incoming, Outcome, json_answer, refused
from rooftree.capture.field_map import guess
from rooftree.capture.field_map import read as read_by
from rooftree.capture.mapped import lead_of
from rooftree.capture.notes import Notes
from rooftree.capture.payload import tree_of
from rooftree.capture.wire import Unreadable
from rooftree.leads.vocabulary import Channel, Source


def envelope(incoming: Incoming) -> Envelope:
    """What a form that carries a token amounts to, as `rooftree parse` shows it."""
    notes = Notes()
    try:
        tree = tree_of(incoming, notes)
    except Unreadable as error:
        return refused(Outcome.REJECTED_MALFORMED, str(error), json_answer(400, error=str(error)))
    found = read_by(tree, guess(tree), notes)
    lead = lead_of(
        found.fields,
        notes,
        source=Source.WEBSITE_FORM,
        channel=Channel.WEBSITE,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
    )
    token = lead.consent.leadid_token
    actions = [{"do": "verify_leadid", "token": token}] if token else []
    return conclude(lead, json_answer(200, status="ok"), notes, actions=actions)
