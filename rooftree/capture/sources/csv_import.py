"""Spreadsheets that staff upload: a whole file as uploaded, or one stored row.

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
from rooftree.capture.parsing.field_map import MapLine, apply_map
from rooftree.capture.parsing.reading_notes import ReadingNotes, as_text
from rooftree.capture.parsing.wire_formats import UnreadableBody, parse_json_object
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.vocabulary import Channel, Source

LABEL = "Spreadsheets you upload"
PATHS = ["csv_import/<token>"]
CHANNEL = Channel.IMPORT


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one file, or one row of a file. Never raises."""
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
        envelope = _read_cells(row.cells, lines, incoming, vendor_id=f"{FIRST_IMPORT}:{position}")
        warnings |= set(envelope.warnings)
        if envelope.outcome is Outcome.QUARANTINED:
            warnings.add(f"row_unusable:{row.line}={envelope.reason}")
        else:
            leads += envelope.leads
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
    payload = parse_json_object(incoming.masked.body, notes)
    if not isinstance(payload.get("row"), dict):
        raise UnreadableBody("no_row")
    import_id, cells, lines = decode_row(payload, incoming)
    position = as_text(payload.get("position"))[:MAX_NUMBER_CHARS]
    lines = lines or guess_lines(cells, RECORD_FORMAT)
    envelope = _read_cells(cells, lines, incoming, vendor_id=f"{import_id}:{position}")
    return replace(envelope, idempotency_key=f"csv:{hash_cells(cells)}")


def _read_cells(
    cells: Mapping[str, Any],
    lines: Iterable[MapLine],
    incoming: IncomingDelivery,
    *,
    vendor_id: str,
) -> Envelope:
    notes = ReadingNotes()
    reading = apply_map(dict(cells), lines, notes)
    lead = build_canonical_lead(
        reading.fields,
        notes,
        source=Source.CSV_IMPORT,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=str(incoming.endpoint.setup.get("zone") or IMPORT_ZONE),
        is_test=incoming.endpoint.is_test,
    )
    for path, value in reading.unread_values:
        notes.keep_extra(path, value)
    # A row is identified by its import and position. The file's own id is stored beside it:
    # two files can use the same row numbers, and that must not merge two borrowers.
    own_ids = {"record_id": lead.vendor_lead_id} if lead.vendor_lead_id else {}
    lead = replace(lead, vendor_lead_id=vendor_id, vendor_ids=own_ids)
    envelope = build_envelope(lead, NO_ANSWER, notes)
    if reading.missing_fields and lead.is_workable():
        reason = f"required_missing:{reading.missing_fields[0]}"
        return replace(envelope, outcome=Outcome.QUARANTINED, reason=reason)
    return envelope


# Columns of a list of past clients; in an inquiry the same words mean something else.
FIELD_NAMES = {
    **dict.fromkeys(
        ("closedwithuson", "closedwithus", "closedon", "closeddate", "closedate", "closingdate",
         "dateclosed", "fundeddate", "fundingdate", "fundedon"),
        "closed_with_us",
    ),
    **dict.fromkeys(
        ("loanofficer", "loanofficername", "loanofficeremail", "loanofficernmlsid",
         "loanofficernmls", "lo", "loname", "loemail", "lonmlsid", "mlo", "originator",
         "loanoriginator"),
        "addressed_officer",
    ),
    **dict.fromkeys(("rate", "interestrate", "noterate", "loanrate"), "current_rate"),
}  # fmt: skip
RECORD_FORMAT = RecordFormat(
    source=Source.CSV_IMPORT,
    field_names=FIELD_NAMES,
    finish_lead=lambda lead, *_: lead,
    extract_records=lambda _: [],
)
