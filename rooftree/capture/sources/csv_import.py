"""Spreadsheets that staff upload: a whole file as it came, or one of its rows as it is kept.

Columns are read by the map of their import, else by their names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from rooftree.capture.imports.import_records import (
    FIRST_IMPORT,
    IMPORT_ZONE,
    MAX_NUMBER_CHARS,
    NO_ANSWER,
    UPLOAD_METHOD,
    RecordFormat,
    decode_row,
    guess_lines,
    hash_cells,
)
from rooftree.capture.imports.tabular_files import read_table
from rooftree.capture.parsing.build_envelope import build_envelope
from rooftree.capture.parsing.build_lead import build_canonical_lead
from rooftree.capture.parsing.envelope import (
    Answer,
    Envelope,
    IncomingDelivery,
    Outcome,
    rejected_envelope,
)
from rooftree.capture.parsing.field_map import MapLine
from rooftree.capture.parsing.field_map import apply_map as read_by
from rooftree.capture.parsing.reading_notes import ReadingNotes, as_text
from rooftree.capture.parsing.wire_formats import UnreadableBody, parse_json_object
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.vocabulary import Channel, Source

LABEL = "Spreadsheets you upload"
PATHS = ["csv_import/<token>"]
CHANNEL = Channel.IMPORT


def read(incoming: IncomingDelivery) -> Envelope:
    """One file, or one row of one. Never raises."""
    if incoming.is_too_large():
        return rejected_envelope(Outcome.REJECTED_TOO_LARGE, "too_large", NO_ANSWER)
    if incoming.method != UPLOAD_METHOD and not incoming.is_verified:
        return rejected_envelope(Outcome.REJECTED_AUTH, "not_an_upload", Answer(status=403))
    try:
        if (incoming.header("content-type") or "").startswith("application/json"):
            return _read_row(incoming)
        return _read_file(incoming)
    except UnreadableBody as error:
        return rejected_envelope(Outcome.REJECTED_MALFORMED, str(error), NO_ANSWER)


def _read_file(incoming: IncomingDelivery) -> Envelope:
    notes = ReadingNotes()
    table = read_table(incoming.body, notes)
    lines = guess_lines(table.columns, RECORD_FORMAT)
    leads: list[CanonicalLead] = []
    warnings = set(notes.warnings)
    for position, row in enumerate(table.rows, start=1):
        one = _read_cells(row.cells, lines, incoming, vendor_id=f"{FIRST_IMPORT}:{position}")
        warnings |= set(one.warnings)
        if one.outcome is Outcome.QUARANTINED:
            warnings.add(f"row_unusable:{row.line}={one.reason}")
        else:
            leads += one.leads
    return Envelope(
        http=NO_ANSWER,
        outcome=Outcome.ACCEPTED if leads else Outcome.QUARANTINED,
        reason=None if leads else "no_usable_row",
        idempotency_key=f"csv:{FIRST_IMPORT}",
        warnings=tuple(sorted(warnings))[:100],
        leads=tuple(leads),
    )


def _read_row(incoming: IncomingDelivery) -> Envelope:
    notes = ReadingNotes()
    found = parse_json_object(incoming.masked.body, notes)
    if not isinstance(found.get("row"), dict):
        raise UnreadableBody("no_row")
    number, cells, lines = decode_row(found, incoming)
    place = as_text(found.get("position"))[:MAX_NUMBER_CHARS]
    lines = lines or guess_lines(cells, RECORD_FORMAT)
    one = _read_cells(cells, lines, incoming, vendor_id=f"{number}:{place}")
    return replace(one, idempotency_key=f"csv:{hash_cells(cells)}")


def _read_cells(
    cells: Mapping[str, Any],
    lines: Iterable[MapLine],
    incoming: IncomingDelivery,
    *,
    vendor_id: str,
) -> Envelope:
    notes = ReadingNotes()
    found = read_by(dict(cells), lines, notes)
    lead = build_canonical_lead(
        found.fields,
        notes,
        source=Source.CSV_IMPORT,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=str(incoming.endpoint.setup.get("zone") or IMPORT_ZONE),
        is_test=incoming.endpoint.is_test,
    )
    for path, value in found.unread:
        notes.keep(path, value)
    lead = _assign_row_id(lead, vendor_id)
    one = build_envelope(lead, NO_ANSWER, notes)
    if found.missing and lead.is_workable():
        reason = f"required_missing:{found.missing[0]}"
        return replace(one, outcome=Outcome.QUARANTINED, reason=reason)
    return one


RECORD_FORMAT = RecordFormat(
    source=Source.CSV_IMPORT, names={}, finish=lambda lead, *_: lead, records=lambda _: []
)


def _assign_row_id(lead: CanonicalLead, vendor_id: str) -> CanonicalLead:
    """A row is known by its import and its place.

    An id of the file's own is kept beside it: two files may number their rows alike,
    and nobody must be taken for somebody else by that.
    """
    own = {"record_id": lead.vendor_lead_id} if lead.vendor_lead_id else {}
    return replace(lead, vendor_lead_id=vendor_id, vendor_ids=own)
