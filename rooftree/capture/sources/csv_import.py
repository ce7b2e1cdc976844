"""Spreadsheets that staff upload: a whole file as it came, or one of its rows as it is kept.

Columns are read by the map of their import, else by their names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from rooftree.capture.conclude import conclude
from rooftree.capture.envelope import Answer, Envelope, Incoming, Outcome, refused
from rooftree.capture.field_map import Line
from rooftree.capture.field_map import read as read_by
from rooftree.capture.imports.records import (
    FIRST,
    LONGEST_NUMBER,
    METHOD,
    NOTHING,
    ZONE,
    Kind,
    digest_of,
    guessed_lines,
    kept_row,
)
from rooftree.capture.imports.table import read_table
from rooftree.capture.mapped import lead_of
from rooftree.capture.notes import Notes, as_text
from rooftree.capture.wire import Unreadable, json_object
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.vocabulary import Channel, Source

LABEL = "Spreadsheets you upload"
PATHS = ["csv_import/<token>"]
CHANNEL = Channel.IMPORT


def read(incoming: Incoming) -> Envelope:
    """One file, or one row of one. Never raises."""
    if incoming.is_too_large():
        return refused(Outcome.REJECTED_TOO_LARGE, "too_large", NOTHING)
    if incoming.method != METHOD and not incoming.is_verified:
        return refused(Outcome.REJECTED_AUTH, "not_an_upload", Answer(status=403))
    try:
        if (incoming.header("content-type") or "").startswith("application/json"):
            return _read_row(incoming)
        return _read_file(incoming)
    except Unreadable as error:
        return refused(Outcome.REJECTED_MALFORMED, str(error), NOTHING)


def _read_file(incoming: Incoming) -> Envelope:
    notes = Notes()
    table = read_table(incoming.body, notes)
    lines = guessed_lines(table.columns, KIND)
    leads: list[CanonicalLead] = []
    warnings = set(notes.warnings)
    for position, row in enumerate(table.rows, start=1):
        one = _read_cells(row.cells, lines, incoming, vendor_id=f"{FIRST}:{position}")
        warnings |= set(one.warnings)
        if one.outcome is Outcome.QUARANTINED:
            warnings.add(f"row_unusable:{row.line}={one.reason}")
        else:
            leads += one.leads
    return Envelope(
        http=NOTHING,
        outcome=Outcome.ACCEPTED if leads else Outcome.QUARANTINED,
        reason=None if leads else "no_usable_row",
        idempotency_key=f"csv:{FIRST}",
        warnings=tuple(sorted(warnings))[:100],
        leads=tuple(leads),
    )


def _read_row(incoming: Incoming) -> Envelope:
    notes = Notes()
    found = json_object(incoming.masked.body, notes)
    if not isinstance(found.get("row"), dict):
        raise Unreadable("no_row")
    number, cells, lines = kept_row(found, incoming)
    place = as_text(found.get("position"))[:LONGEST_NUMBER]
    lines = lines or guessed_lines(cells, KIND)
    one = _read_cells(cells, lines, incoming, vendor_id=f"{number}:{place}")
    return replace(one, idempotency_key=f"csv:{digest_of(cells)}")


def _read_cells(
    cells: Mapping[str, Any], lines: Iterable[Line], incoming: Incoming, *, vendor_id: str
) -> Envelope:
    notes = Notes()
    found = read_by(dict(cells), lines, notes)
    lead = lead_of(
        found.fields,
        notes,
        source=Source.CSV_IMPORT,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=str(incoming.endpoint.setup.get("zone") or ZONE),
        is_test=incoming.endpoint.is_test,
    )
    for path, value in found.unread:
        notes.keep(path, value)
    lead = _numbered(lead, vendor_id)
    one = conclude(lead, NOTHING, notes)
    if found.missing and lead.is_workable():
        reason = f"required_missing:{found.missing[0]}"
        return replace(one, outcome=Outcome.QUARANTINED, reason=reason)
    return one


KIND = Kind(source=Source.CSV_IMPORT, names={}, finish=lambda lead, *_: lead, records=lambda _: [])


def _numbered(lead: CanonicalLead, vendor_id: str) -> CanonicalLead:
    """A row is known by its import and its place.

    An id of the file's own is kept beside it: two files may number their rows alike,
    and nobody must be taken for somebody else by that.
    """
    own = {"record_id": lead.vendor_lead_id} if lead.vendor_lead_id else {}
    return replace(lead, vendor_lead_id=vendor_id, vendor_ids=own)
