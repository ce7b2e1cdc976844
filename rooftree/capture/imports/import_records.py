"""Records of another system, as files or as answers of its interface, to inquiries.

What differs from system to system is a `Kind`; how a row is read, numbered and kept is
the same for all.
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
from rooftree.capture.parsing.field_map import MapLine, parse_map_lines
from rooftree.capture.parsing.field_map import apply_map as read_by
from rooftree.capture.parsing.normalize_values import squash_word, yes_or_no
from rooftree.capture.parsing.payload_tree import build_payload_tree
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes, as_text
from rooftree.capture.parsing.value_paths import format_path
from rooftree.capture.parsing.wire_formats import UnreadableBody
from rooftree.leads.canonical import CanonicalLead, Suppression
from rooftree.leads.vocabulary import Channel, CreditBasis, Source

UPLOAD_METHOD = "UPLOAD"  # nobody can post one: a person uploads it
PULL_METHOD = "PULL"  # the answer of an interface that we asked
FIRST_IMPORT = "imp1"  # the import of a file that stands alone
IMPORT_ZONE = "UTC"
NO_ANSWER = Answer(status=0)  # nobody waits for an answer
OPT_OUT_FIELDS = ("do_not_call", "do_not_text", "do_not_email")
MAX_NUMBER_CHARS = 40  # of an import, as text
type Cells = dict[str, Any]
type FinishLead = Callable[[CanonicalLead, Fields, ReadingNotes], CanonicalLead]


class RecordSystemError(Exception):
    """The other system answered with a failure. `reason` is the machine's."""

    def __init__(self, reason: str, action: Mapping[str, Any]) -> None:
        super().__init__(reason)
        self.reason, self.action = reason, action


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFormat:
    """One system whose records come in."""

    source: Source
    field_names: Mapping[str, str]  # its own names, squashed, to ours; "" has no place
    finish_lead: FinishLead  # what the names alone do not tell
    extract_records: Callable[[Mapping[str, Any]], list[Cells]]  # of an answer; raises `Trouble`
    prepare_cells: Callable[[Cells], Cells] = dict  # puts values right and adds some; renames none
    normalize_column: Callable[[str], str] = str  # a column's name without the system's own marks
    read_table: Callable[[bytes, ReadingNotes], Table] = read_table
    fixed_columns: Mapping[str, str] = field(default_factory=dict)  # names, squashed, that `finish`
    # reads whatever the map, and the fields they fill

    def is_fixed_column(self, column: str) -> bool:
        """Whether a column is read without the map."""
        return squash_word(self.normalize_column(column)) in self.fixed_columns


def build_system_error(code: Any, *, after_s: int | None = None) -> RecordSystemError:
    """It is what an error's code asks for: another sign-in, patience, or a person."""
    said = as_text(code).upper()
    if any(word in said for word in ("LIMIT", "RATE", "TOO_MANY", "BUDGET", "429")):
        when = {"after_s": after_s} if after_s else {"policy": "backoff"}
        return RecordSystemError("upstream_rate_limited", {"do": "retry", **when})
    is_sign_in = any(word in said for word in ("AUTH", "SESSION", "TOKEN", "401", "403"))
    return RecordSystemError(
        "upstream_auth" if is_sign_in else "upstream_error", {"do": "notify_ops"}
    )


def read_records(incoming: IncomingDelivery, kind: RecordFormat) -> Envelope:
    """A whole file, an answer, or one row as it is kept. Never raises."""
    if incoming.is_too_large():
        return rejected_envelope(Outcome.REJECTED_TOO_LARGE, "too_large", NO_ANSWER)
    if incoming.method not in (UPLOAD_METHOD, PULL_METHOD) and not incoming.is_verified:
        return rejected_envelope(Outcome.REJECTED_AUTH, "not_an_upload", Answer(status=403))
    notes = ReadingNotes()
    try:
        if not incoming.body.strip():
            return _build_envelope([], kind, notes)
        if incoming.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
            return _read_json(build_payload_tree(incoming, notes), incoming, kind, notes)
        rows = kind.read_table(incoming.masked.body, notes).rows
        leads = [build_lead(dict(row.cells), None, incoming, kind, notes) for row in rows]
        return _build_envelope(leads, kind, notes)
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
    """It is one row as it is kept and read again: where it stood, and what stood there."""
    said = {"import": number, "file": file, "line": line, "position": position, "row": dict(cells)}
    return json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")


def decode_row(
    found: Mapping[str, Any], incoming: IncomingDelivery
) -> tuple[str, dict[str, str], tuple[MapLine, ...]]:
    """They are the number of its import, its cells and the lines of its map, if it has one."""
    number = as_text(found.get("import"))[:MAX_NUMBER_CHARS] or FIRST_IMPORT
    maps = incoming.endpoint.setup.get("maps")
    stored = maps.get(number) if isinstance(maps, dict) else None
    cells = {str(name): as_text(cell) for name, cell in found["row"].items()}
    return number, cells, parse_map_lines(stored)


def hash_cells(cells: Mapping[str, str]) -> str:
    """What a row is known by that has no id of its own."""
    said = json.dumps(cells, sort_keys=True).encode("utf-8", "replace")
    return f"sha256:{hashlib.sha256(said).hexdigest()}"


def guess_lines(columns: Iterable[str], kind: RecordFormat) -> tuple[MapLine, ...]:
    """They are lines for the columns whose names tell what stands in them."""
    found: dict[str, str] = {}
    for column in columns:
        key = guess_label_field(kind.normalize_column(column), kind.field_names)
        if key and key not in found.values():
            found[column] = key
    taken = set(found.values())
    if "first_name" in taken and "last_name" not in taken:  # what stands beside a first name
        found = {one: "last_name" if key == "name" else key for one, key in found.items()}
    return tuple(MapLine(field=key, path=format_path((column,))) for column, key in found.items())


def build_lead(
    cells: Cells,
    lines: Sequence[MapLine] | None,
    incoming: IncomingDelivery,
    kind: RecordFormat,
    notes: ReadingNotes,
) -> CanonicalLead:
    """It is one record, by the map of its import or by what its system calls things."""
    own = ReadingNotes()
    prepared = kind.prepare_cells(cells)
    added = [name for name in prepared if name not in cells]
    told = (*(lines or guess_lines(cells, kind)), *guess_lines(added, kind))
    found = read_by(prepared, told, own)
    lead = build_canonical_lead(
        found.fields,
        own,
        source=kind.source,
        channel=Channel.IMPORT,
        received_at=incoming.received_at,
        zone=str(incoming.endpoint.setup.get("zone") or IMPORT_ZONE),
        is_test=incoming.endpoint.is_test,
    )
    if lead.credit and lead.credit.score_low:  # a figure somebody typed, and no range of a form
        lead = replace(lead, credit=replace(lead.credit, basis=CreditBasis.SELF_REPORTED))
    lead = replace(lead, suppression=_read_suppression(prepared, lead.suppression, kind))
    lead = kind.finish_lead(lead, Fields(prepared), own)
    for path, value in found.unread_values:
        own.keep_extra(path, value)
    _warn_of_missing(lead, own)
    notes.warnings |= own.warnings
    return lead


def _warn_of_missing(lead: CanonicalLead, notes: ReadingNotes) -> None:
    gaps = {
        "name_missing": not lead.has_name(),
        "phone_missing": not lead.phones and any(email.valid for email in lead.emails),
        "property_state_missing": not (lead.property and lead.property.state),
    }
    notes.warnings |= {code for code, is_missing in gaps.items() if is_missing}


def _read_json(
    found: Mapping[str, Any], incoming: IncomingDelivery, kind: RecordFormat, notes: ReadingNotes
) -> Envelope:
    if isinstance(found.get("row"), dict) and "import" in found:
        return _read_row(found, incoming, kind, notes)
    records = kind.extract_records(found)
    leads = [build_lead(record, None, incoming, kind, notes) for record in records]
    return _build_envelope(leads, kind, notes)


def _read_row(
    found: Mapping[str, Any], incoming: IncomingDelivery, kind: RecordFormat, notes: ReadingNotes
) -> Envelope:
    """One row of an import, as it is kept and read again."""
    _, cells, lines = decode_row(found, incoming)
    lead = build_lead(dict(cells), lines, incoming, kind, notes)
    key = f"{kind.source}:{lead.vendor_lead_id or hash_cells(cells)}"
    return replace(_build_envelope([lead], kind, notes), idempotency_key=key)


def _build_envelope(
    leads: Sequence[CanonicalLead], kind: RecordFormat, notes: ReadingNotes
) -> Envelope:
    """Whoever can be reached is taken: an old book has people without a name."""
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
        idempotency_key=f"{kind.source}:batch" if leads else None,
        warnings=tuple(sorted(notes.warnings))[:100],
        leads=tuple(leads),
    )


def _read_suppression(
    cells: Cells, told: Suppression | None, kind: RecordFormat
) -> Suppression | None:
    """Every column of theirs that says somebody wants to be left alone; one is enough."""
    said = {
        name: refusal
        for name, value in cells.items()
        if (refusal := guess_label_field(kind.normalize_column(name), kind.field_names))
        in OPT_OUT_FIELDS
        and yes_or_no(value)
    }
    if not said:
        return told
    asked = dict.fromkeys(said.values(), True)
    return replace(told or Suppression(), **asked, reason=", ".join(said))


def history_note(
    record: Mapping[str, Any], name: str, kind: RecordFormat, owners: Mapping[str, str]
) -> str:
    """What another system knew of somebody, as the note their lead begins with.

    "" for a spreadsheet, whose rows have no history.

    Args:
        owners: what those are called whom it names by an id only.
    """
    if record.get("source") == Source.CSV_IMPORT:
        return ""
    owner, seen = record.get("recipient", {}), str(record.get("submitted_at", ""))[:10]
    number = record.get("vendor_ids", {}).get("owner_id", "")
    told = {
        "Their owner": owner.get("name") or owner.get("email") or owners.get(number) or number,
        "Stage": record.get("vendor_status"),
        "Source": record.get("sub_source"),
        "There since": seen,
        "Notes": record.get("message"),
        **{
            label: said
            for label, said in record.get("extras", {}).items()
            if not kind.is_fixed_column(label)
        },
    }
    lines = [f"{label}: {said}" for label, said in told.items() if said]
    return "\n".join([f"From {name}.", *lines])


def owner_key(inquiry: Mapping[str, Any]) -> str:
    """The other system's id of a record's owner, or what it calls them."""
    known = inquiry.get("vendor_ids") or {}
    told = inquiry.get("recipient") or {}
    return str(known.get("owner_id") or told.get("email") or told.get("name") or "")


def nonempty_ids(**found: Any) -> dict[str, str]:
    """The other system's ids that are known, as text."""
    return {name: text for name, value in found.items() if (text := as_text(value).strip())}
