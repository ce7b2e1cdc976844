"""Lead e-mails in words: "Label: value" lines or an HTML table. Format: docs/sources/email.md."""

from dataclasses import replace
from typing import Any

from rooftree.capture.conclude import conclude
from rooftree.capture.envelope import Envelope, Incoming, Setting, SettingKind, quarantined
from rooftree.capture.labels import fields_of
from rooftree.capture.mail import OF_LETTERS, UNSAID, Letter, lines_of, rows_of
from rooftree.capture.mail import read as read_mail
from rooftree.capture.mapped import lead_of
from rooftree.capture.normalise import squashed
from rooftree.capture.notes import Fields, Notes
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.vocabulary import Channel, Precision, Source

LABEL = "Lead e-mails in words"
PATHS = ["email_text/<token>"]
CHANNEL = Channel.EMAIL
SETTINGS = (
    *OF_LETTERS,
    Setting(
        key="labels",
        label="Their labels",
        help="As Program wanted = loan_type, one a line: their words, then our field",
        kind=SettingKind.PAIRS,
    ),
)
PLACES = ("state", "zip", "city", "county")


def read(incoming: Incoming) -> Envelope:
    """One e-mail. Never raises."""
    return read_mail(incoming, lambda letter: _enveloped(letter, incoming))


def _enveloped(letter: Letter, incoming: Incoming) -> Envelope:
    notes = Notes()
    notes.warn_of(incoming.masked.found)
    fields, rest = _best(letter, _own_words(incoming.endpoint.setup.get("labels")))
    key = f"email:{letter.reference}"
    if not fields:
        return quarantined("no_fields", UNSAID, key=key, warnings=notes.warnings)
    lead = _lead(_placed(fields), letter, incoming, notes)
    for label, value in rest:
        notes.keep(label, value)
    return replace(conclude(lead, UNSAID, notes), idempotency_key=key)


def _best(letter: Letter, own: dict[str, str]) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """The part of the letter that tells most: many send a plain part that says nothing."""
    told = [lines_of(one) for one in letter.texts] + [rows_of(one) for one in letter.pages]
    read = [fields_of(pairs, own) for pairs in told]
    return max(read, key=lambda one: len(one[0]), default=({}, []))


def _own_words(stored: Any) -> dict[str, str]:
    """A sender's labels as staff set them: their words, our field."""
    if not isinstance(stored, dict):
        return {}
    return {squashed(str(theirs)): str(ours) for theirs, ours in stored.items()}


def _placed(fields: dict[str, Any]) -> dict[str, Any]:
    """A place without a street is where the home is; with one it is where they live."""
    if fields.get("address"):
        return fields
    moved = {f"property_{one}": fields[one] for one in PLACES if one in fields}
    kept = {key: value for key, value in fields.items() if key not in PLACES}
    return {**moved, **kept}


def _lead(
    fields: dict[str, Any], letter: Letter, incoming: Incoming, notes: Notes
) -> CanonicalLead:
    lead = lead_of(
        Fields(fields),
        notes,
        source=Source.EMAIL_TEXT,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=incoming.endpoint.is_test,
    )
    lead = replace(lead, sub_source=lead.sub_source or letter.sender_domain)
    if lead.submitted_at or not letter.sent_at:
        return lead
    return replace(lead, submitted_at=letter.sent_at, submitted_at_precision=Precision.SECOND)
