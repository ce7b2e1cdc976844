"""The go-live check of an LOS: what would go wrong unnoticed once loans move. Pure.

What blocks is what would fail open: a status nobody hears, a denial read as
progress, a field that is cut, a loan without its officer. The rest is noted.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rooftree.core.failures import Misconfigured
from rooftree.los import known_paths
from rooftree.los.check_files import Found, User, leaves
from rooftree.los.fields import FieldTable
from rooftree.los.handoff import Los, Malformed, from_json
from rooftree.los.milestones import Milestone, Unmapped, is_funnel
from rooftree.los.payload import payload, table_of
from rooftree.los.statuses import ENCOMPASS_PARTS, NoMilestone, meaning, status_map

# Without a status for one of each a loan would stand still with us, or go on being worked.
HEARD = (("clear_to_close",), ("funded",), ("denied",), ("withdrawn", "cancelled"))
ENDS = re.compile(
    r"\b(den(y|ied|ial)|declin\w*|advers\w*|withdr\w+|cancel\w*|reject\w*|turn\w* ?down|"
    r"incomplete\w*|rescind\w*|suspen\w*|dead)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that the check has to say."""

    about: str  # status, path, length, officer or file
    item: str
    says: str
    file: str = ""
    blocks: bool = True

    def as_json(self) -> dict[str, Any]:
        level = "block" if self.blocks else "note"
        return {
            "level": level, "about": self.about, "item": self.item, "says": self.says,
            "file": self.file,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
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
class Report:
    """What was walked, and what was found; clean when nothing blocks."""

    los: str
    statuses: tuple[Walked, ...]
    findings: tuple[Finding, ...]

    @property
    def is_clean(self) -> bool:
        return not any(one.blocks for one in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {
            "los": self.los,
            "ok": self.is_clean,
            "statuses": [one.as_json() for one in self.statuses],
            "findings": [one.as_json() for one in self.findings],
        }


def check(los: str, files: Sequence[Found], changes: Mapping[str, Any]) -> Report:
    """Walk every status, path, length and officer of some files through one LOS's mapping.

    Args:
        changes: the lender's own mapping, laid over the shipped one. `lengths`
            in it says how long a field of the LOS may be, by id, place or element.

    Raises `Misconfigured` for a mapping that cannot be read.
    """
    lengths = _lengths(changes)
    table = table_of(los, changes)
    walked: list[Walked] = []
    findings: list[Finding] = []
    if los != Los.MISMO:
        held = status_map(los, table.statuses)
        walked = [_walk(los, said, one.name, held) for one in files for said in one.statuses]
        findings += [*_of_map(los, held), *_of_walk(walked)]
    findings += _of_paths(table)
    users = [user for one in files for user in one.users]
    for one in files:
        findings += _of_file(one, table, lengths)
        if one.kind == "mismo":
            findings += _of_originators(one, users)
        if one.kind == "handoff":
            findings += _of_handoff(one, los, changes, table, lengths, users)
    if not users:
        says = "no list of the LOS's users was given, so no officer is proven to be one"
        findings.append(Finding(about="officer", item="users", says=says, blocks=False))
    return Report(los=los, statuses=tuple(walked), findings=tuple(dict.fromkeys(findings)))


def _lengths(changes: Mapping[str, Any]) -> Mapping[str, int]:
    lengths = changes.get("lengths", {})
    if not isinstance(lengths, Mapping) or not all(
        isinstance(one, int) and one > 0 for one in lengths.values()
    ):
        raise Misconfigured("The mapping's lengths must be a table of whole numbers.")
    return lengths


def _walk(los: str, status: str, file: str, held: Mapping[str, Any]) -> Walked:
    found: Milestone | None = None
    try:
        found, is_known = meaning(los, status, held), True
    except Unmapped:
        is_known = False
    return Walked(
        status=status,
        file=file,
        canonical=found.code if found else None,
        rank=found.rank if found else None,
        is_known=is_known,
    )


def _of_walk(walked: Iterable[Walked]) -> Iterator[Finding]:
    for one in walked:
        if not one.is_known:
            says = "unmapped: nobody would hear of it"
            yield Finding(about="status", item=one.status, says=says, file=one.file)
        elif _reads_as_end(one.status, one.canonical):
            says = f"reads as the end of a file, and is mapped to {one.canonical}"
            yield Finding(about="status", item=one.status, says=says, file=one.file)
        elif one.canonical is None:
            says = "means no milestone"
            yield Finding(about="status", item=one.status, says=says, file=one.file, blocks=False)


def _of_map(los: str, held: Mapping[str, Any]) -> Iterator[Finding]:
    """The map itself: each of its words has a meaning, and what must be heard is."""
    meant: set[str] = set()
    for status, name in _words(los, held):
        try:
            found = meaning(los, status, held)
        except NoMilestone as problem:
            yield Finding(about="status", item=status, says=str(problem), file="mapping")
            continue
        except Unmapped:
            continue
        if found and _reads_as_end(name, found.code):
            says = f"reads as the end of a file, and is mapped to {found.code}"
            yield Finding(about="status", item=name, says=says, file="mapping")
        meant.add(found.code if found else "")
    for codes in HEARD:
        if not meant.intersection(codes):
            says = "no status of the map means it"
            yield Finding(about="status", item=" or ".join(codes), says=says, file="mapping")


def _words(los: str, held: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every status of a map as the LOS would say it, and its name."""
    if los != Los.ENCOMPASS:
        for key, entry in held.items():
            if not key.startswith("_"):
                yield key, str(entry.get("name") or key)
        return
    milestones, actions, dates = (held[part] for part in ENCOMPASS_PARTS)
    yield from ((name, name) for name in milestones)
    yield from ((f"1393={name}", name) for name in actions if name)
    yield from ((name, "") for name in dates)


def _reads_as_end(name: str, code: str | None) -> bool:
    return bool(code) and is_funnel(code or "") and bool(ENDS.search(name))


def _of_paths(table: FieldTable) -> Iterator[Finding]:
    """Every place of the hand-off that the mapping reads is one that can hold something."""
    for row in table.fields:
        asked = (*row.sources, *filter(None, (row.when, row.only)))
        for path in asked:
            if not known_paths.leads_somewhere(path):
                says = f"the mapping reads {path}, which no hand-off has: the field stays empty"
                yield Finding(about="path", item=row.id or row.to, says=says, file="mapping")


def _of_file(one: Found, table: FieldTable, lengths: Mapping[str, int]) -> Iterator[Finding]:
    for fault in one.faults:
        yield Finding(about="file", item="MISMO 3.4", says=fault, file=one.name)
    if one.kind == "request" and one.data:
        yield from _unfilled(one, table)
    yield from _too_long(one.values, one.name, table, lengths)


def _of_handoff(
    one: Found,
    los: str,
    changes: Mapping[str, Any],
    table: FieldTable,
    lengths: Mapping[str, int],
    users: Sequence[User],
) -> Iterator[Finding]:
    """The request that would be made of it, and whether its officer is in the LOS."""
    try:
        handoff = from_json(one.data)
        made = payload(handoff, los, changes)
    except Malformed as problem:
        yield Finding(about="file", item="hand-off", says=str(problem), file=one.name)
        return
    for need in made.needs:
        says, blocks = f"needs {need.path}", need.required
        yield Finding(about="path", item=need.field, says=says, file=one.name, blocks=blocks)
    if isinstance(made.body, Mapping):
        yield from _too_long(leaves(made.body), one.name, table, lengths)
    officer = handoff.officer
    name = f"{officer.first_name} {officer.last_name}"
    yield from _matched(name, officer.nmls_id, officer.los_user or "", users, one.name)


def _unfilled(one: Found, table: FieldTable) -> Iterator[Finding]:
    """What a request of the LOS holds and ours never would."""
    ours = {row.to for row in table.fields} | set(table.places.values())
    others = [place for place, _ in one.values if place not in ours]
    if others:
        says = f"our mapping puts nothing there: {', '.join(others)}"
        item = f"{len(others)} of {len(one.values)} places"
        yield Finding(about="path", item=item, says=says, file=one.name, blocks=False)


def _too_long(
    values: Iterable[tuple[str, str]], file: str, table: FieldTable, lengths: Mapping[str, int]
) -> Iterator[Finding]:
    ids = {row.to: row.id for row in table.fields if row.id}
    for place, text in values:
        most = lengths.get(ids.get(place, ""), lengths.get(place))
        if most is not None and len(text) > most:
            says = f"{len(text)} characters, of which the LOS keeps {most}"
            yield Finding(about="length", item=ids.get(place) or place, says=says, file=file)


def _of_originators(one: Found, users: Sequence[User]) -> Iterator[Finding]:
    if not one.originators:
        yield Finding(
            about="officer", item="none", says="no loan originator is named", file=one.name
        )
    for party in one.originators:
        yield from _matched(party.name, party.nmls_id, "", users, one.name)


def _matched(
    name: str, nmls_id: str, user: str, users: Sequence[User], file: str
) -> Iterator[Finding]:
    """By NMLS ID alone: names and addresses are written in many ways."""
    if not nmls_id:
        yield Finding(about="officer", item=name, says="has no NMLS ID", file=file)
        return
    found = [one for one in users if one.nmls_id == nmls_id]
    if users and len(found) != 1:
        says = f"NMLS {nmls_id} is {'nobody' if not found else 'more than one user'} in the LOS"
        yield Finding(about="officer", item=name, says=says, file=file)
    elif found and user and found[0].name and found[0].name != user:
        says = f"signs in to the LOS as {found[0].name}, and the hand-off says {user}"
        yield Finding(about="officer", item=name, says=says, file=file)
