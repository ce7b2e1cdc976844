"""Records of another system, as files or as answers of its interface, to inquiries.

What differs from system to system is a `Kind`; how a row is read, numbered and kept is
the same for all.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rooftree.capture.envelope import Answer, Envelope, Incoming, Outcome, refused
from rooftree.capture.field_map import Line, lines_of
from rooftree.capture.field_map import read as read_by
from rooftree.capture.imports.table import Table, read_table
from rooftree.capture.labels import field_of
from rooftree.capture.mapped import lead_of
from rooftree.capture.normalise import squashed, yes_or_no
from rooftree.capture.notes import Fields, Notes, as_text
from rooftree.capture.paths import written
from rooftree.capture.payload import tree_of
from rooftree.capture.wire import Unreadable
from rooftree.leads.canonical import CanonicalLead, Suppression
from rooftree.leads.vocabulary import Channel, CreditBasis, Source

METHOD = "UPLOAD"  # nobody can post one: a person uploads it
ASKED = "PULL"  # the answer of an interface that we asked
FIRST = "imp1"  # the import of a file that stands alone
ZONE = "UTC"
NOTHING = Answer(status=0)  # nobody waits for an answer
REFUSALS = ("do_not_call", "do_not_text", "do_not_email")
LONGEST_NUMBER = 40  # of an import, as text
type Cells = dict[str, Any]
type Finish = Callable[[CanonicalLead, Fields, Notes], CanonicalLead]


class Trouble(Exception):
    """The other system answered with a failure. `reason` is the machine's."""

    def __init__(self, reason: str, action: Mapping[str, Any]) -> None:
        super().__init__(reason)
        self.reason, self.action = reason, action


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One system whose records come in."""

    source: Source
    names: Mapping[str, str]  # its own names, squashed, to ours; "" has no place
    finish: Finish  # what the names alone do not tell
    records: Callable[[Mapping[str, Any]], list[Cells]]  # of an answer; raises `Trouble`
    prepare: Callable[[Cells], Cells] = dict  # puts values right and adds some; renames none
    plain: Callable[[str], str] = str  # a column's name without the system's own marks
    table: Callable[[bytes, Notes], Table] = read_table
    beside: Mapping[str, str] = field(default_factory=dict)  # names, squashed, that `finish`
    # reads whatever the map, and the fields they fill

    def is_beside(self, column: str) -> bool:
        """Whether a column is read without the map."""
        return squashed(self.plain(column)) in self.beside


def trouble(code: Any, *, after_s: int | None = None) -> Trouble:
    """It is what an error's code asks for: another sign-in, patience, or a person."""
    said = as_text(code).upper()
    if any(word in said for word in ("LIMIT", "RATE", "TOO_MANY", "BUDGET", "429")):
        when = {"after_s": after_s} if after_s else {"policy": "backoff"}
        return Trouble("upstream_rate_limited", {"do": "retry", **when})
    is_sign_in = any(word in said for word in ("AUTH", "SESSION", "TOKEN", "401", "403"))
    return Trouble("upstream_auth" if is_sign_in else "upstream_error", {"do": "notify_ops"})


def read(incoming: Incoming, kind: Kind) -> Envelope:
    """A whole file, an answer, or one row as it is kept. Never raises."""
    if incoming.is_too_large():
        return refused(Outcome.REJECTED_TOO_LARGE, "too_large", NOTHING)
    if incoming.method not in (METHOD, ASKED) and not incoming.is_verified:
        return refused(Outcome.REJECTED_AUTH, "not_an_upload", Answer(status=403))
    notes = Notes()
    try:
        if not incoming.body.strip():
            return _batch([], kind, notes)
        if incoming.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
            return _of_json(tree_of(incoming, notes), incoming, kind, notes)
        rows = kind.table(incoming.masked.body, notes).rows
        leads = [lead_of_cells(dict(row.cells), None, incoming, kind, notes) for row in rows]
        return _batch(leads, kind, notes)
    except Unreadable as error:
        return refused(Outcome.REJECTED_MALFORMED, str(error), NOTHING)
    except Trouble as problem:
        return Envelope(
            http=NOTHING,
            outcome=Outcome.QUARANTINED,
            reason=problem.reason,
            actions=(problem.action,),
        )


def row_body(
    *, number: str, file: str, line: int, position: int, cells: Mapping[str, str]
) -> bytes:
    """It is one row as it is kept and read again: where it stood, and what stood there."""
    said = {"import": number, "file": file, "line": line, "position": position, "row": dict(cells)}
    return json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")


def kept_row(
    found: Mapping[str, Any], incoming: Incoming
) -> tuple[str, dict[str, str], tuple[Line, ...]]:
    """They are the number of its import, its cells and the lines of its map, if it has one."""
    number = as_text(found.get("import"))[:LONGEST_NUMBER] or FIRST
    maps = incoming.endpoint.setup.get("maps")
    stored = maps.get(number) if isinstance(maps, dict) else None
    cells = {str(name): as_text(cell) for name, cell in found["row"].items()}
    return number, cells, lines_of(stored)


def digest_of(cells: Mapping[str, str]) -> str:
    """What a row is known by that has no id of its own."""
    said = json.dumps(cells, sort_keys=True).encode("utf-8", "replace")
    return f"sha256:{hashlib.sha256(said).hexdigest()}"


def guessed_lines(columns: Iterable[str], kind: Kind) -> tuple[Line, ...]:
    """They are lines for the columns whose names tell what stands in them."""
    found: dict[str, str] = {}
    for column in columns:
        key = field_of(kind.plain(column), kind.names)
        if key and key not in found.values():
            found[column] = key
    taken = set(found.values())
    if "first_name" in taken and "last_name" not in taken:  # what stands beside a first name
        found = {one: "last_name" if key == "name" else key for one, key in found.items()}
    return tuple(Line(field=key, path=written((column,))) for column, key in found.items())


def lead_of_cells(
    cells: Cells, lines: Sequence[Line] | None, incoming: Incoming, kind: Kind, notes: Notes
) -> CanonicalLead:
    """It is one record, by the map of its import or by what its system calls things."""
    own = Notes()
    prepared = kind.prepare(cells)
    added = [name for name in prepared if name not in cells]
    told = (*(lines or guessed_lines(cells, kind)), *guessed_lines(added, kind))
    found = read_by(prepared, told, own)
    lead = lead_of(
        found.fields,
        own,
        source=kind.source,
        channel=Channel.IMPORT,
        received_at=incoming.received_at,
        zone=str(incoming.endpoint.setup.get("zone") or ZONE),
        is_test=incoming.endpoint.is_test,
    )
    if lead.credit and lead.credit.score_low:  # a figure somebody typed, and no range of a form
        lead = replace(lead, credit=replace(lead.credit, basis=CreditBasis.SELF_REPORTED))
    lead = replace(lead, suppression=_refused(prepared, lead.suppression, kind))
    lead = kind.finish(lead, Fields(prepared), own)
    for path, value in found.unread:
        own.keep(path, value)
    _warn_of_gaps(lead, own)
    notes.warnings |= own.warnings
    return lead


def _warn_of_gaps(lead: CanonicalLead, notes: Notes) -> None:
    gaps = {
        "name_missing": not lead.has_name(),
        "phone_missing": not lead.phones and any(one.valid for one in lead.emails),
        "property_state_missing": not (lead.property and lead.property.state),
    }
    notes.warnings |= {code for code, is_missing in gaps.items() if is_missing}


def _of_json(found: Mapping[str, Any], incoming: Incoming, kind: Kind, notes: Notes) -> Envelope:
    if isinstance(found.get("row"), dict) and "import" in found:
        return _row(found, incoming, kind, notes)
    records = kind.records(found)
    leads = [lead_of_cells(one, None, incoming, kind, notes) for one in records]
    return _batch(leads, kind, notes)


def _row(found: Mapping[str, Any], incoming: Incoming, kind: Kind, notes: Notes) -> Envelope:
    """One row of an import, as it is kept and read again."""
    _, cells, lines = kept_row(found, incoming)
    lead = lead_of_cells(dict(cells), lines, incoming, kind, notes)
    key = f"{kind.source}:{lead.vendor_lead_id or digest_of(cells)}"
    return replace(_batch([lead], kind, notes), idempotency_key=key)


def _batch(leads: Sequence[CanonicalLead], kind: Kind, notes: Notes) -> Envelope:
    """Whoever can be reached is taken: an old book has people without a name."""
    is_usable = any(one.is_reachable() for one in leads)
    reason = None if is_usable else "no_contact" if leads else "no_records"
    return Envelope(
        http=NOTHING,
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


def _refused(cells: Cells, told: Suppression | None, kind: Kind) -> Suppression | None:
    """Every column of theirs that says somebody wants to be left alone; one is enough."""
    said = {
        name: refusal
        for name, value in cells.items()
        if (refusal := field_of(kind.plain(name), kind.names)) in REFUSALS and yes_or_no(value)
    }
    if not said:
        return told
    asked = dict.fromkeys(said.values(), True)
    return replace(told or Suppression(), **asked, reason=", ".join(said))


def history_of(record: Mapping[str, Any], name: str, kind: Kind, owners: Mapping[str, str]) -> str:
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
            if not kind.is_beside(label)
        },
    }
    lines = [f"{label}: {said}" for label, said in told.items() if said]
    return "\n".join([f"From {name}.", *lines])


def owner_of(inquiry: Mapping[str, Any]) -> str:
    """The other system's id of a record's owner, or what it calls them."""
    known = inquiry.get("vendor_ids") or {}
    told = inquiry.get("recipient") or {}
    return str(known.get("owner_id") or told.get("email") or told.get("name") or "")


def ids(**found: Any) -> dict[str, str]:
    """The other system's ids that are known, as text."""
    return {name: text for name, value in found.items() if (text := as_text(value).strip())}
