"""The go-live check of an LOS: what would go wrong unnoticed once loans move. Pure.

What blocks is what would fail open: a status nobody hears, a denial read as
progress, a field that is cut, a loan without its officer. The rest is noted.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rooftree.core.vendor_errors import Misconfigured
from rooftree.los import handoff_paths
from rooftree.los.field_mapping import FieldTable
from rooftree.los.go_live_files import CheckFile, LosUser, iter_leaves
from rooftree.los.handoff_record import LosFormat, MalformedHandoff, parse_handoff
from rooftree.los.loan_milestones import CanonicalMilestone, UnmappedStatus, is_funnel
from rooftree.los.los_payload import build_payload, load_payload_table
from rooftree.los.status_mapping import (
    ENCOMPASS_TABLES,
    UnknownMilestone,
    build_status_map,
    milestone_for_status,
)

# Without a status for one of each a loan would stand still with us, or go on being worked.
REQUIRED_MILESTONES = (("clear_to_close",), ("funded",), ("denied",), ("withdrawn", "cancelled"))
END_PATTERN = re.compile(
    r"\b(den(y|ied|ial)|declin\w*|advers\w*|withdr\w+|cancel\w*|reject\w*|turn\w* ?down|"
    r"incomplete\w*|rescind\w*|suspen\w*|dead)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoLiveFinding:
    """One thing that the check has to say."""

    about: str  # status, path, length, officer or file
    item: str
    message: str
    file: str = ""
    blocks: bool = True

    def as_json(self) -> dict[str, Any]:
        level = "block" if self.blocks else "note"
        return {
            "level": level, "about": self.about, "item": self.item, "says": self.message,
            "file": self.file,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusResult:
    """One status of the lender, and what it means to us."""

    status: str
    file: str
    canonical: str | None
    rank: int | None
    is_known: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "status": self.status, "canonical": self.canonical, "rank": self.rank,
            "mapped": self.is_known, "file": self.file,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class GoLiveReport:
    """What was walked, and what was found; clean when nothing blocks."""

    los: str
    statuses: tuple[StatusResult, ...]
    findings: tuple[GoLiveFinding, ...]

    @property
    def is_clean(self) -> bool:
        return not any(finding.blocks for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {
            "los": self.los,
            "ok": self.is_clean,
            "statuses": [status.as_json() for status in self.statuses],
            "findings": [finding.as_json() for finding in self.findings],
        }


def check_go_live(los: str, files: Sequence[CheckFile], changes: Mapping[str, Any]) -> GoLiveReport:
    """Walk every status, path, length and officer of some files through one LOS's mapping.

    Args:
        changes: the lender's own mapping, laid over the shipped one. `lengths`
            in it says how long a field of the LOS may be, by id, place or element.

    Raises `Misconfigured` for a mapping that cannot be read.
    """
    lengths = _read_lengths(changes)
    table = load_payload_table(los, changes)
    walked: list[StatusResult] = []
    findings: list[GoLiveFinding] = []
    if los != LosFormat.MISMO:
        held = build_status_map(los, table.statuses)
        walked = [
            _check_status(los, said, file.name, held) for file in files for said in file.statuses
        ]
        findings += [*_find_map_problems(los, held), *_find_status_problems(walked)]
    findings += _find_dead_paths(table)
    users = [user for file in files for user in file.users]
    for file in files:
        findings += _find_file_problems(file, table, lengths)
        if file.kind == "mismo":
            findings += _find_originator_problems(file, users)
        if file.kind == "handoff":
            findings += _find_handoff_problems(file, los, changes, table, lengths, users)
    if not users:
        says = "no list of the LOS's users was given, so no officer is proven to be one"
        findings.append(GoLiveFinding(about="officer", item="users", message=says, blocks=False))
    return GoLiveReport(los=los, statuses=tuple(walked), findings=tuple(dict.fromkeys(findings)))


def _read_lengths(changes: Mapping[str, Any]) -> Mapping[str, int]:
    lengths = changes.get("lengths", {})
    if not isinstance(lengths, Mapping) or not all(
        isinstance(length, int) and length > 0 for length in lengths.values()
    ):
        raise Misconfigured("The mapping's lengths must be a table of whole numbers.")
    return lengths


def _check_status(los: str, status: str, file: str, held: Mapping[str, Any]) -> StatusResult:
    found: CanonicalMilestone | None = None
    try:
        found, is_known = milestone_for_status(los, status, held), True
    except UnmappedStatus:
        is_known = False
    return StatusResult(
        status=status,
        file=file,
        canonical=found.code if found else None,
        rank=found.rank if found else None,
        is_known=is_known,
    )


def _find_status_problems(walked: Iterable[StatusResult]) -> Iterator[GoLiveFinding]:
    for status_result in walked:
        if not status_result.is_known:
            says = "unmapped: nobody would hear of it"
            yield GoLiveFinding(
                about="status", item=status_result.status, message=says, file=status_result.file
            )
        elif _reads_as_end(status_result.status, status_result.canonical):
            says = f"reads as the end of a file, and is mapped to {status_result.canonical}"
            yield GoLiveFinding(
                about="status", item=status_result.status, message=says, file=status_result.file
            )
        elif status_result.canonical is None:
            says = "means no milestone"
            yield GoLiveFinding(
                about="status",
                item=status_result.status,
                message=says,
                file=status_result.file,
                blocks=False,
            )


def _find_map_problems(los: str, held: Mapping[str, Any]) -> Iterator[GoLiveFinding]:
    """The map itself: each of its words has a meaning, and what must be heard is."""
    meant: set[str] = set()
    for status, name in _iter_map_statuses(los, held):
        try:
            found = milestone_for_status(los, status, held)
        except UnknownMilestone as problem:
            yield GoLiveFinding(about="status", item=status, message=str(problem), file="mapping")
            continue
        except UnmappedStatus:
            continue
        if found and _reads_as_end(name, found.code):
            says = f"reads as the end of a file, and is mapped to {found.code}"
            yield GoLiveFinding(about="status", item=name, message=says, file="mapping")
        meant.add(found.code if found else "")
    for codes in REQUIRED_MILESTONES:
        if not meant.intersection(codes):
            says = "no status of the map means it"
            yield GoLiveFinding(
                about="status", item=" or ".join(codes), message=says, file="mapping"
            )


def _iter_map_statuses(los: str, held: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every status of a map as the LOS would say it, and its name."""
    if los != LosFormat.ENCOMPASS:
        for key, entry in held.items():
            if not key.startswith("_"):
                yield key, str(entry.get("name") or key)
        return
    milestones, actions, dates = (held[part] for part in ENCOMPASS_TABLES)
    yield from ((name, name) for name in milestones)
    yield from ((f"1393={name}", name) for name in actions if name)
    yield from ((name, "") for name in dates)


def _reads_as_end(name: str, code: str | None) -> bool:
    return bool(code) and is_funnel(code or "") and bool(END_PATTERN.search(name))


def _find_dead_paths(table: FieldTable) -> Iterator[GoLiveFinding]:
    """Every place of the hand-off that the mapping reads is one that can hold something."""
    for row in table.fields:
        asked = (*row.sources, *filter(None, (row.when, row.only)))
        for path in asked:
            if not handoff_paths.is_handoff_path(path):
                says = f"the mapping reads {path}, which no hand-off has: the field stays empty"
                yield GoLiveFinding(
                    about="path", item=row.id or row.to, message=says, file="mapping"
                )


def _find_file_problems(
    one: CheckFile, table: FieldTable, lengths: Mapping[str, int]
) -> Iterator[GoLiveFinding]:
    for fault in one.faults:
        yield GoLiveFinding(about="file", item="MISMO 3.4", message=fault, file=one.name)
    if one.kind == "request" and one.data:
        yield from _find_unfilled_places(one, table)
    yield from _find_long_values(one.values, one.name, table, lengths)


def _find_handoff_problems(
    one: CheckFile,
    los: str,
    changes: Mapping[str, Any],
    table: FieldTable,
    lengths: Mapping[str, int],
    users: Sequence[LosUser],
) -> Iterator[GoLiveFinding]:
    """The request that would be made of it, and whether its officer is in the LOS."""
    try:
        handoff = parse_handoff(one.data)
        made = build_payload(handoff, los, changes)
    except MalformedHandoff as problem:
        yield GoLiveFinding(about="file", item="hand-off", message=str(problem), file=one.name)
        return
    for need in made.needs:
        says, blocks = f"needs {need.path}", need.required
        yield GoLiveFinding(
            about="path", item=need.field, message=says, file=one.name, blocks=blocks
        )
    if isinstance(made.body, Mapping):
        yield from _find_long_values(iter_leaves(made.body), one.name, table, lengths)
    officer = handoff.officer
    name = f"{officer.first_name} {officer.last_name}"
    yield from _find_officer_problems(
        name, officer.nmls_id, officer.los_user or "", users, one.name
    )


def _find_unfilled_places(one: CheckFile, table: FieldTable) -> Iterator[GoLiveFinding]:
    """What a request of the LOS holds and ours never would."""
    ours = {row.to for row in table.fields} | set(table.places.values())
    others = [place for place, _ in one.values if place not in ours]
    if others:
        says = f"our mapping puts nothing there: {', '.join(others)}"
        item = f"{len(others)} of {len(one.values)} places"
        yield GoLiveFinding(about="path", item=item, message=says, file=one.name, blocks=False)


def _find_long_values(
    values: Iterable[tuple[str, str]], file: str, table: FieldTable, lengths: Mapping[str, int]
) -> Iterator[GoLiveFinding]:
    ids = {row.to: row.id for row in table.fields if row.id}
    for place, text in values:
        most = lengths.get(ids.get(place, ""), lengths.get(place))
        if most is not None and len(text) > most:
            says = f"{len(text)} characters, of which the LOS keeps {most}"
            yield GoLiveFinding(
                about="length", item=ids.get(place) or place, message=says, file=file
            )


def _find_originator_problems(one: CheckFile, users: Sequence[LosUser]) -> Iterator[GoLiveFinding]:
    if not one.originators:
        yield GoLiveFinding(
            about="officer", item="none", message="no loan originator is named", file=one.name
        )
    for party in one.originators:
        yield from _find_officer_problems(party.name, party.nmls_id, "", users, one.name)


def _find_officer_problems(
    name: str, nmls_id: str, user: str, users: Sequence[LosUser], file: str
) -> Iterator[GoLiveFinding]:
    """By NMLS ID alone: names and addresses are written in many ways."""
    if not nmls_id:
        yield GoLiveFinding(about="officer", item=name, message="has no NMLS ID", file=file)
        return
    found = [user for user in users if user.nmls_id == nmls_id]
    if users and len(found) != 1:
        says = f"NMLS {nmls_id} is {'nobody' if not found else 'more than one user'} in the LOS"
        yield GoLiveFinding(about="officer", item=name, message=says, file=file)
    elif found and user and found[0].name and found[0].name != user:
        says = f"signs in to the LOS as {found[0].name}, and the hand-off says {user}"
        yield GoLiveFinding(about="officer", item=name, message=says, file=file)
