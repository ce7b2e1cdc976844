"""The go-live check of an LOS: find faults that would go unnoticed once loans move. Pure.

A finding blocks if it would fail open: a status no one hears of, a denial read as
progress, a truncated field, a loan without its officer. Everything else is a note.
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

# The map needs a status for each group: without one, a loan would seem stuck, or stay in work.
REQUIRED_MILESTONES = (("clear_to_close",), ("funded",), ("denied",), ("withdrawn", "cancelled"))
END_PATTERN = re.compile(
    r"\b(den(y|ied|ial)|declin\w*|advers\w*|withdr\w+|cancel\w*|reject\w*|turn\w* ?down|"
    r"incomplete\w*|rescind\w*|suspen\w*|dead)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoLiveFinding:
    """One finding of the check."""

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
    """One status of the lender and the milestone it means."""

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
    """The statuses checked and the findings; clean when nothing blocks."""

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
    """Check every status, path, length and officer of some files against one LOS's mapping.

    Args:
        changes: the lender's own mapping, applied over the shipped one. Its `lengths`
            give the longest value a field of the LOS takes, by id, place or element.

    Raises `Misconfigured` for a mapping that can't be read.
    """
    lengths = _read_lengths(changes)
    table = load_payload_table(los, changes)
    statuses: list[StatusResult] = []
    findings: list[GoLiveFinding] = []
    if los != LosFormat.MISMO:
        status_map = build_status_map(los, table.statuses)
        statuses = [
            _check_status(los, status, file.name, status_map)
            for file in files
            for status in file.statuses
        ]
        findings += [*_find_map_problems(los, status_map), *_find_status_problems(statuses)]
    findings += _find_dead_paths(table)
    users = [user for file in files for user in file.users]
    for file in files:
        findings += _find_file_problems(file, table, lengths)
        if file.kind == "mismo":
            findings += _find_originator_problems(file, users)
        if file.kind == "handoff":
            findings += _find_handoff_problems(file, los, changes, table, lengths, users)
    if not users:
        message = "no list of LOS users was given, so officers can't be checked"
        findings.append(GoLiveFinding(about="officer", item="users", message=message, blocks=False))
    return GoLiveReport(los=los, statuses=tuple(statuses), findings=tuple(dict.fromkeys(findings)))


def _read_lengths(changes: Mapping[str, Any]) -> Mapping[str, int]:
    lengths = changes.get("lengths", {})
    if not isinstance(lengths, Mapping) or not all(
        isinstance(length, int) and length > 0 for length in lengths.values()
    ):
        raise Misconfigured("The mapping's lengths must be a table of whole numbers.")
    return lengths


def _check_status(los: str, status: str, file: str, status_map: Mapping[str, Any]) -> StatusResult:
    milestone: CanonicalMilestone | None = None
    try:
        milestone, is_known = milestone_for_status(los, status, status_map), True
    except UnmappedStatus:
        is_known = False
    return StatusResult(
        status=status,
        file=file,
        canonical=milestone.code if milestone else None,
        rank=milestone.rank if milestone else None,
        is_known=is_known,
    )


def _find_status_problems(statuses: Iterable[StatusResult]) -> Iterator[GoLiveFinding]:
    for result in statuses:
        if not result.is_known:
            message = "unmapped: a loan in this status would go unnoticed"
            yield GoLiveFinding(
                about="status", item=result.status, message=message, file=result.file
            )
        elif _reads_as_end(result.status, result.canonical):
            message = f"sounds like the end of a file but is mapped to {result.canonical}"
            yield GoLiveFinding(
                about="status", item=result.status, message=message, file=result.file
            )
        elif result.canonical is None:
            message = "has no milestone"
            yield GoLiveFinding(
                about="status",
                item=result.status,
                message=message,
                file=result.file,
                blocks=False,
            )


def _find_map_problems(los: str, status_map: Mapping[str, Any]) -> Iterator[GoLiveFinding]:
    """Check the map itself: every entry has a meaning, and the required milestones occur."""
    mapped_codes: set[str] = set()
    for status, name in _iter_map_statuses(los, status_map):
        try:
            milestone = milestone_for_status(los, status, status_map)
        except UnknownMilestone as problem:
            yield GoLiveFinding(about="status", item=status, message=str(problem), file="mapping")
            continue
        except UnmappedStatus:
            continue
        if milestone and _reads_as_end(name, milestone.code):
            message = f"sounds like the end of a file but is mapped to {milestone.code}"
            yield GoLiveFinding(about="status", item=name, message=message, file="mapping")
        mapped_codes.add(milestone.code if milestone else "")
    for codes in REQUIRED_MILESTONES:
        if not mapped_codes.intersection(codes):
            message = "no status in the map leads to this milestone"
            yield GoLiveFinding(
                about="status", item=" or ".join(codes), message=message, file="mapping"
            )


def _iter_map_statuses(los: str, status_map: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield every status of a map as the LOS sends it, and its name."""
    if los != LosFormat.ENCOMPASS:
        for key, entry in status_map.items():
            if not key.startswith("_"):
                yield key, str(entry.get("name") or key)
        return
    milestones, actions, dates = (status_map[part] for part in ENCOMPASS_TABLES)
    yield from ((name, name) for name in milestones)
    yield from ((f"1393={name}", name) for name in actions if name)
    yield from ((name, "") for name in dates)


def _reads_as_end(name: str, code: str | None) -> bool:
    return bool(code) and is_funnel(code or "") and bool(END_PATTERN.search(name))


def _find_dead_paths(table: FieldTable) -> Iterator[GoLiveFinding]:
    """Check that every hand-off path the mapping reads can hold a value."""
    for row in table.fields:
        paths = (*row.sources, *filter(None, (row.when, row.only)))
        for path in paths:
            if not handoff_paths.is_handoff_path(path):
                message = (
                    f"the mapping reads {path}, which no hand-off has, so the field stays empty"
                )
                yield GoLiveFinding(
                    about="path", item=row.id or row.to, message=message, file="mapping"
                )


def _find_file_problems(
    file: CheckFile, table: FieldTable, lengths: Mapping[str, int]
) -> Iterator[GoLiveFinding]:
    for fault in file.faults:
        yield GoLiveFinding(about="file", item="MISMO 3.4", message=fault, file=file.name)
    if file.kind == "request" and file.data:
        yield from _find_unfilled_places(file, table)
    yield from _find_long_values(file.values, file.name, table, lengths)


def _find_handoff_problems(
    file: CheckFile,
    los: str,
    changes: Mapping[str, Any],
    table: FieldTable,
    lengths: Mapping[str, int],
    users: Sequence[LosUser],
) -> Iterator[GoLiveFinding]:
    """Check the request this hand-off would make, and that its officer is an LOS user."""
    try:
        handoff = parse_handoff(file.data)
        payload = build_payload(handoff, los, changes)
    except MalformedHandoff as problem:
        yield GoLiveFinding(about="file", item="hand-off", message=str(problem), file=file.name)
        return
    for need in payload.needs:
        message, blocks = f"needs {need.path}", need.required
        yield GoLiveFinding(
            about="path", item=need.field, message=message, file=file.name, blocks=blocks
        )
    if isinstance(payload.body, Mapping):
        yield from _find_long_values(iter_leaves(payload.body), file.name, table, lengths)
    officer = handoff.officer
    name = f"{officer.first_name} {officer.last_name}"
    yield from _find_officer_problems(
        name, officer.nmls_id, officer.los_user or "", users, file.name
    )


def _find_unfilled_places(file: CheckFile, table: FieldTable) -> Iterator[GoLiveFinding]:
    """Find places that a request of the LOS fills and ours never does."""
    filled = {row.to for row in table.fields} | set(table.places.values())
    unfilled = [place for place, _ in file.values if place not in filled]
    if unfilled:
        message = f"the mapping doesn't fill: {', '.join(unfilled)}"
        item = f"{len(unfilled)} of {len(file.values)} places"
        yield GoLiveFinding(about="path", item=item, message=message, file=file.name, blocks=False)


def _find_long_values(
    values: Iterable[tuple[str, str]], file: str, table: FieldTable, lengths: Mapping[str, int]
) -> Iterator[GoLiveFinding]:
    ids = {row.to: row.id for row in table.fields if row.id}
    for place, text in values:
        max_length = lengths.get(ids.get(place, ""), lengths.get(place))
        if max_length is not None and len(text) > max_length:
            message = f"{len(text)} characters; the LOS keeps only {max_length}"
            yield GoLiveFinding(
                about="length", item=ids.get(place) or place, message=message, file=file
            )


def _find_originator_problems(file: CheckFile, users: Sequence[LosUser]) -> Iterator[GoLiveFinding]:
    if not file.originators:
        yield GoLiveFinding(
            about="officer", item="none", message="no loan originator is named", file=file.name
        )
    for party in file.originators:
        yield from _find_officer_problems(party.name, party.nmls_id, "", users, file.name)


def _find_officer_problems(
    name: str, nmls_id: str, user: str, users: Sequence[LosUser], file: str
) -> Iterator[GoLiveFinding]:
    """Match an officer to LOS users by NMLS ID alone; names are written in many ways."""
    if not nmls_id:
        yield GoLiveFinding(about="officer", item=name, message="has no NMLS ID", file=file)
        return
    matches = [user for user in users if user.nmls_id == nmls_id]
    if users and len(matches) != 1:
        message = f"NMLS {nmls_id} has {'more than one' if matches else 'no'} user in the LOS"
        yield GoLiveFinding(about="officer", item=name, message=message, file=file)
    elif matches and user and matches[0].name and matches[0].name != user:
        message = f"signs in to the LOS as {matches[0].name}, but the hand-off says {user}"
        yield GoLiveFinding(about="officer", item=name, message=message, file=file)
