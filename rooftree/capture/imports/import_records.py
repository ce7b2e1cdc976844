"""Conversion of another system's records, from files or API responses, into inquiries.

A `RecordFormat` holds the differences between systems; reading, numbering and storing a row
are the same for all.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rooftree.capture.imports.tabular_files import Table, read_table
from rooftree.capture.parsing.build_lead import build_canonical_lead
from rooftree.capture.parsing.envelope import (
    Answer,
    Envelope,
    IncomingDelivery,
    Outcome,
    rejected_envelope,
)
from rooftree.capture.parsing.field_labels import guess_label_field
from rooftree.capture.parsing.field_map import MapLine, apply_map, parse_map_lines
from rooftree.capture.parsing.normalize_values import squash_word, yes_or_no
from rooftree.capture.parsing.payload_tree import build_payload_tree
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes, as_text
from rooftree.capture.parsing.value_paths import format_path
from rooftree.capture.parsing.wire_formats import UnreadableBody
from rooftree.leads.canonical import CanonicalLead, Suppression
from rooftree.leads.vocabulary import Channel, CreditBasis, Source

UPLOAD_METHOD = "UPLOAD"  # staff upload a file; no one can post one
PULL_METHOD = "PULL"  # the response of an API that we called
FIRST_IMPORT = "imp1"  # the number of an import that names none
IMPORT_ZONE = "UTC"
NO_ANSWER = Answer(status=0)  # no one waits for a response
OPT_OUT_FIELDS = ("do_not_call", "do_not_text", "do_not_email")
MAX_NUMBER_CHARS = 40  # of an import's number, as text
type Cells = dict[str, Any]
type FinishLead = Callable[[CanonicalLead, Fields, ReadingNotes], CanonicalLead]


class RecordSystemError(Exception):
    """The other system answered with a failure. `reason` is a reason code."""

    def __init__(self, reason: str, action: Mapping[str, Any]) -> None:
        super().__init__(reason)
        self.reason, self.action = reason, action


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFormat:
    """The way to read one system's records."""

    source: Source
    field_names: Mapping[str, str]  # its names, squashed, to our fields; "" is ignored
    finish_lead: FinishLead  # sets fields that names alone don't tell
    extract_records: Callable[[Mapping[str, Any]], list[Cells]]  # raises RecordSystemError
    prepare_cells: Callable[[Cells], Cells] = dict  # fixes and adds values; renames none
    normalize_column: Callable[[str], str] = str  # drops the system's own marks from a name
    read_table: Callable[[bytes, ReadingNotes], Table] = read_table
    # Squashed names of columns that `finish_lead` reads without the map, and the fields they fill.
    fixed_columns: Mapping[str, str] = field(default_factory=dict)

    def is_fixed_column(self, column: str) -> bool:
        """Return True if a column is read without the map."""
        return squash_word(self.normalize_column(column)) in self.fixed_columns


def build_system_error(code: Any, *, after_s: int | None = None) -> RecordSystemError:
    """Build the error for a system's code: retry after a rate limit, else notify operations."""
    text = as_text(code).upper()
    if any(word in text for word in ("LIMIT", "RATE", "TOO_MANY", "BUDGET", "429")):
        retry = {"after_s": after_s} if after_s else {"policy": "backoff"}
        return RecordSystemError("upstream_rate_limited", {"do": "retry", **retry})
    is_sign_in = any(word in text for word in ("AUTH", "SESSION", "TOKEN", "401", "403"))
    return RecordSystemError(
        "upstream_auth" if is_sign_in else "upstream_error", {"do": "notify_ops"}
    )


def read_records(incoming: IncomingDelivery, record_format: RecordFormat) -> Envelope:
    """Read a whole file, an API response, or one stored row into an envelope. Never raises."""
    if incoming.is_too_large():
        return rejected_envelope(Outcome.REJECTED_TOO_LARGE, "too_large", NO_ANSWER)
    if incoming.method not in (UPLOAD_METHOD, PULL_METHOD) and not incoming.is_verified:
        return rejected_envelope(Outcome.REJECTED_AUTH, "not_an_upload", Answer(status=403))
    notes = ReadingNotes()
    try:
        if not incoming.body.strip():
            return _build_envelope([], record_format, notes)
        if incoming.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
            return _read_json(build_payload_tree(incoming, notes), incoming, record_format, notes)
        rows = record_format.read_table(incoming.masked.body, notes).rows
        leads = [build_lead(dict(row.cells), None, incoming, record_format, notes) for row in rows]
        return _build_envelope(leads, record_format, notes)
    except UnreadableBody as error:
        return rejected_envelope(Outcome.REJECTED_MALFORMED, str(error), NO_ANSWER)
    except RecordSystemError as problem:
        return Envelope(
            http=NO_ANSWER,
            outcome=Outcome.QUARANTINED,
            reason=problem.reason,
            actions=(problem.action,),
        )


def encode_row(
    *, number: str, file: str, line: int, position: int, cells: Mapping[str, str]
) -> bytes:
    """Encode one row for storage: its place in the import, and its cells."""
    stored = {
        "import": number,
        "file": file,
        "line": line,
        "position": position,
        "row": dict(cells),
    }
    return json.dumps(stored, ensure_ascii=False).encode("utf-8", "replace")


def decode_row(
    stored: Mapping[str, Any], incoming: IncomingDelivery
) -> tuple[str, dict[str, str], tuple[MapLine, ...]]:
    """Decode a stored row: the number of its import, its cells, and its map's lines, if any."""
    number = as_text(stored.get("import"))[:MAX_NUMBER_CHARS] or FIRST_IMPORT
    maps = incoming.endpoint.setup.get("maps")
    stored_lines = maps.get(number) if isinstance(maps, dict) else None
    cells = {str(name): as_text(cell) for name, cell in stored["row"].items()}
    return number, cells, parse_map_lines(stored_lines)


def hash_cells(cells: Mapping[str, str]) -> str:
    """Hash a row's cells into the key of a row without its own id."""
    encoded = json.dumps(cells, sort_keys=True).encode("utf-8", "replace")
    return f"sha256:{hashlib.sha256(encoded).hexdigest()}"


def guess_lines(columns: Iterable[str], record_format: RecordFormat) -> tuple[MapLine, ...]:
    """Build map lines for the columns whose names are recognized."""
    fields: dict[str, str] = {}
    for column in columns:
        key = guess_label_field(record_format.normalize_column(column), record_format.field_names)
        if key and key not in fields.values():
            fields[column] = key
    used_fields = set(fields.values())
    if "first_name" in used_fields and "last_name" not in used_fields:  # "name" beside a first name
        fields = {column: "last_name" if key == "name" else key for column, key in fields.items()}
    return tuple(MapLine(field=key, path=format_path((column,))) for column, key in fields.items())


def build_lead(
    cells: Cells,
    lines: Sequence[MapLine] | None,
    incoming: IncomingDelivery,
    record_format: RecordFormat,
    notes: ReadingNotes,
) -> CanonicalLead:
    """Build a lead from one record, by its import's map or by its system's field names."""
    lead_notes = ReadingNotes()
    prepared = record_format.prepare_cells(cells)
    added_columns = [name for name in prepared if name not in cells]
    map_lines = (
        *(lines or guess_lines(cells, record_format)),
        *guess_lines(added_columns, record_format),
    )
    mapped = apply_map(prepared, map_lines, lead_notes)
    lead = build_canonical_lead(
        mapped.fields,
        lead_notes,
        source=record_format.source,
        channel=Channel.IMPORT,
        received_at=incoming.received_at,
        zone=str(incoming.endpoint.setup.get("zone") or IMPORT_ZONE),
        is_test=incoming.endpoint.is_test,
    )
    if lead.credit and lead.credit.score_low:  # a number someone typed, not a range of a form
        lead = replace(lead, credit=replace(lead.credit, basis=CreditBasis.SELF_REPORTED))
    lead = replace(lead, suppression=_read_suppression(prepared, lead.suppression, record_format))
    lead = record_format.finish_lead(lead, Fields(prepared), lead_notes)
    for path, value in mapped.unread_values:
        lead_notes.keep_extra(path, value)
    _warn_of_missing(lead, lead_notes)
    notes.warnings |= lead_notes.warnings
    return lead


def _warn_of_missing(lead: CanonicalLead, notes: ReadingNotes) -> None:
    gaps = {
        "name_missing": not lead.has_name(),
        "phone_missing": not lead.phones and any(email.valid for email in lead.emails),
        "property_state_missing": not (lead.property and lead.property.state),
    }
    notes.warnings |= {code for code, is_missing in gaps.items() if is_missing}


def _read_json(
    payload: Mapping[str, Any],
    incoming: IncomingDelivery,
    record_format: RecordFormat,
    notes: ReadingNotes,
) -> Envelope:
    if isinstance(payload.get("row"), dict) and "import" in payload:
        return _read_row(payload, incoming, record_format, notes)
    records = record_format.extract_records(payload)
    leads = [build_lead(record, None, incoming, record_format, notes) for record in records]
    return _build_envelope(leads, record_format, notes)


def _read_row(
    payload: Mapping[str, Any],
    incoming: IncomingDelivery,
    record_format: RecordFormat,
    notes: ReadingNotes,
) -> Envelope:
    """Read one stored row of an import."""
    _, cells, lines = decode_row(payload, incoming)
    lead = build_lead(dict(cells), lines, incoming, record_format, notes)
    key = f"{record_format.source}:{lead.vendor_lead_id or hash_cells(cells)}"
    return replace(_build_envelope([lead], record_format, notes), idempotency_key=key)


def _build_envelope(
    leads: Sequence[CanonicalLead], record_format: RecordFormat, notes: ReadingNotes
) -> Envelope:
    """Build an envelope; accept anyone who can be reached, since old records can lack a name."""
    is_usable = any(lead.is_reachable() for lead in leads)
    reason = None if is_usable else "no_contact" if leads else "no_records"
    return Envelope(
        http=NO_ANSWER,
        outcome=Outcome.ACCEPTED
        if is_usable
        else Outcome.QUARANTINED
        if leads
        else Outcome.IGNORED,
        reason=reason,
        idempotency_key=f"{record_format.source}:batch" if leads else None,
        warnings=tuple(sorted(notes.warnings))[:100],
        leads=tuple(leads),
    )


def _read_suppression(
    cells: Cells, known: Suppression | None, record_format: RecordFormat
) -> Suppression | None:
    """Collect the opt-outs from all columns that hold one; a single column is enough."""
    refusals = {
        name: refusal
        for name, value in cells.items()
        if (
            refusal := guess_label_field(
                record_format.normalize_column(name), record_format.field_names
            )
        )
        in OPT_OUT_FIELDS
        and yes_or_no(value)
    }
    if not refusals:
        return known
    opt_outs = dict.fromkeys(refusals.values(), True)
    return replace(known or Suppression(), **opt_outs, reason=", ".join(refusals))


def history_note(
    record: Mapping[str, Any], name: str, record_format: RecordFormat, owners: Mapping[str, str]
) -> str:
    """Write the lead's first note from another system's record: owner, stage, source and notes.

    Returns "" for a spreadsheet, whose rows have no history.

    Args:
        owners: names of owners by id, for records that hold only the id.
    """
    if record.get("source") == Source.CSV_IMPORT:
        return ""
    owner, created_date = record.get("recipient", {}), str(record.get("submitted_at", ""))[:10]
    owner_id = record.get("vendor_ids", {}).get("owner_id", "")
    facts = {
        "Previous owner": owner.get("name")
        or owner.get("email")
        or owners.get(owner_id)
        or owner_id,
        "Stage": record.get("vendor_status"),
        "Source": record.get("sub_source"),
        "Created there": created_date,
        "Notes": record.get("message"),
        **{
            label: value
            for label, value in record.get("extras", {}).items()
            if not record_format.is_fixed_column(label)
        },
    }
    lines = [f"{label}: {value}" for label, value in facts.items() if value]
    return "\n".join([f"From {name}.", *lines])


def owner_key(inquiry: Mapping[str, Any]) -> str:
    """Return the other system's id of a record's owner, else their email, NMLS ID or name."""
    vendor_ids = inquiry.get("vendor_ids") or {}
    recipient = inquiry.get("recipient") or {}
    names = (recipient.get(key) for key in ("email", "nmls_id", "name"))
    return str(vendor_ids.get("owner_id") or next(filter(None, names), ""))


def nonempty_ids(**ids: Any) -> dict[str, str]:
    """Return as text those of the other system's ids that are not empty."""
    return {name: text for name, value in ids.items() if (text := as_text(value).strip())}
