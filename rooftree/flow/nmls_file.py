"""Licenses from a file of NMLS: what it says beside what is on file, and taking the rest in.

NMLS lets a company download the licenses it and its loan officers hold, as a spreadsheet. Its
columns have had several names; those known are below, in whatever order they stand. A row is of
an officer by NMLS ID, or of the company itself; of the company's it matters in some states which
of their licenses it is, and the file's name of it says so. What is on file and not in the file is
shown and stays: a file may be of one state only.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.transaction import atomic

from rooftree.capture.imports.table import Row, read_table
from rooftree.capture.notes import Notes
from rooftree.capture.wire import Unreadable
from rooftree.compliance import license_wording
from rooftree.core.states import STATES
from rooftree.money.company_day import company_day
from rooftree.org import company_licences, licences
from rooftree.org.licences import BadLicense
from rooftree.org.models import (
    AUTHORIZING,
    TEMPORARY,
    TEMPORARY_LASTS,
    Company,
    CompanyLicense,
    License,
    LoanOfficer,
    User,
)
from rooftree.outreach import reconsider

COLUMNS = {  # what we need: the names NMLS and its exports have for it, without signs and case
    "nmls_id": ("nmls id", "individual nmls id", "individual id", "mlo nmls id", "entity id"),
    "state": ("state", "jurisdiction", "regulator", "state regulator", "license state"),
    "number": ("license number", "license registration number", "lic reg", "license", "number"),
    "status": ("license status", "status"),
    "from_date": ("original issue date", "issue date", "approval date", "effective date",
                  "status date"),
    "called": ("license type", "license name", "license description", "license registration name",
               "lic reg name"),
    "last_date": ("expiration date", "expires", "renewed through", "renewed through year"),
}  # fmt: skip
# Licenses that states keep in NMLS as well and that let nobody lend on a home. One that names
# lending, brokering or originating besides is read as a license to do it.
NO_LENDING = re.compile(
    r"\bcollect|\btransm|\bdebt|\bcheck|\bpayday|\bdeferred|\bescrow|\btitle\b|\bsales finance"
    r"|\binstallment sales?|\bcurrency|\bpawn|\bservic|\bprepaid|\binsurance|\bappraisal",
    re.IGNORECASE,
)
LENDING = re.compile(r"\blend|\bbrok|\bbank|\boriginat|\bloan (company|officer)", re.IGNORECASE)
NEEDED = ("nmls_id", "state", "number", "status", "from_date")
type Held = License | CompanyLicense


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the file that can be read. `until_date` is the first day without it."""

    line: int
    nmls_id: str
    state: str
    number: str
    status: str
    from_date: date
    until_date: date | None
    called: str  # NMLS's name of the license; "": the file has none
    kinds: Mapping[str, str]  # between which of the state's licenses it matters, by name
    license: str  # which of them this is; "" where it is none that we know

    @property
    def said(self) -> str:
        """Its status, and of which license."""
        return f"{self.status} of “{self.called}”" if self.called else self.status

    def shown(self, value: Any) -> str:
        """One of its values, or of those on file beside it, in words."""
        if isinstance(value, date):
            return f"{value:%b %d, %Y}"
        return str(self.kinds.get(value, value) or "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What taking a line in would do; `held` is the license on file, None for a new one."""

    line: Line
    officer: LoanOfficer | None  # None: the company's own
    held: Held | None

    @property
    def what(self) -> str:
        """It in words: what is new, or each thing that differs."""
        line = self.line
        if self.held is None:
            kind = f", license {line.shown(line.license)}" if self.is_of_a_kind else ""
            return f"new, {line.status}{kind}"
        said = [
            f"{name.replace('_', ' ')} {line.shown(old)} → {line.shown(new)}"
            for name, old, new in _differences(self.held, line)
        ]
        return ", ".join(said)

    @property
    def is_of_a_kind(self) -> bool:
        """Whether it is the company's, and the file says which of the state's licenses it is."""
        return self.officer is None and bool(self.line.license)


@dataclass(slots=True, kw_only=True)
class Found:
    """What is in a file, beside what is on file."""

    changes: list[Change] = field(default_factory=list)
    same: int = 0
    wrong: list[str] = field(default_factory=list)  # what is left out, each in a sentence
    strangers: list[str] = field(default_factory=list)  # NMLS IDs nobody here has
    unsaid: list[License] = field(default_factory=list)  # of officers in the file, but not in it


class NotALicenseFile(Exception):
    """It cannot be read as a list of licenses. The text is fit to show."""


def read(body: bytes, *, at: datetime) -> Found:
    """Compare a file with what is on file; nothing is changed. Raises `NotALicenseFile`."""
    try:
        table = read_table(body, Notes())
    except Unreadable as bad:
        raise NotALicenseFile(f"This is no spreadsheet that can be read: {bad}.") from bad
    columns = _columns(table.columns)
    found, lines = Found(), []
    for row in table.rows:
        try:
            lines.append(_line(row, columns, on=company_day(at)))
        except ValueError as bad:
            found.wrong.append(f"Row {row.line}: {bad}")
    _compare(lines, found)
    return found


def take_in(body: bytes, *, by: User, at: datetime) -> Found:
    """Take the differences in, all of them or none. Raises `NotALicenseFile`.

    What a change makes unlawful is ended by the database in the same transaction.
    """
    found = read(body, at=at)
    with atomic():
        for one in found.changes:
            try:
                _carry_out(one, by=by, at=at)
            except BadLicense as bad:
                raise NotALicenseFile(f"Row {one.line.line}: {bad} Nothing was taken in.") from bad
        reconsider.now_entered(at=at)
    return found


def _columns(names: tuple[str, ...]) -> dict[str, str]:
    plain = {re.sub(r"[^a-z]+", " ", name.lower()).strip(): name for name in names}
    found = {
        what: next((plain[one] for one in known if one in plain), "")
        for what, known in COLUMNS.items()
    }
    if missing := [COLUMNS[what][0] for what in NEEDED if not found[what]]:
        raise NotALicenseFile(
            f"No column is called “{missing[0]}”. The file needs: "
            f"{', '.join(COLUMNS[what][0] for what in NEEDED)}."
        )
    return found


def _line(row: Row, columns: dict[str, str], *, on: date) -> Line:
    said = {what: row.cells.get(name, "") for what, name in columns.items()}
    state = _state(said["state"])
    if not said["nmls_id"].isdigit():
        raise ValueError(f"“{said['nmls_id']}” is no NMLS ID.")
    if not state:
        raise ValueError(f"“{said['state']}” names no state.")
    if not said["number"]:
        raise ValueError("it has no license number.")
    if NO_LENDING.search(said["called"]) and not LENDING.search(said["called"]):
        raise ValueError(f"“{said['called']}” is no license to lend or broker mortgages.")
    status = _status(said["status"])
    from_date = _day(said["from_date"])
    until = _until(said["last_date"])
    if status == TEMPORARY:
        longest = from_date + TEMPORARY_LASTS
        until = min(until, longest) if until else longest
    return Line(
        line=row.line, nmls_id=said["nmls_id"].lstrip("0"), state=state, number=said["number"],
        status=status, from_date=from_date, until_date=until, called=said["called"],
        kinds=license_wording.licenses(state, on=on),
        license=license_wording.named(state, said["called"], on=on),
    )  # fmt: skip


def _state(typed: str) -> str:
    """The code of a state in NMLS's words: “Texas - SML”, “TX”, “Florida Office of …”."""
    if typed.upper() in STATES:
        return typed.upper()
    names = sorted(STATES.items(), key=lambda one: -len(one[1]))  # West Virginia before Virginia
    return next((code for code, name in names if typed.lower().startswith(name.lower())), "")


def _status(typed: str) -> str:
    """NMLS's word as we keep it: dashes between spaces, both authorizing ones as they are."""
    words = re.sub(r"\s*[-–]\s*", " - ", typed.strip())
    if words.lower().startswith("temporary authority"):
        return TEMPORARY
    if not words:
        raise ValueError("it has no status.")
    return " ".join(one.capitalize() for one in words.split())


def _day(typed: str) -> date:
    """12/31/2026 or 2026-12-31, with or without an hour behind it."""
    if american := re.match(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})\b", typed):
        month, day, year = map(int, american.groups())
        return date(year, month, day)
    try:
        return date.fromisoformat(typed[:10])
    except ValueError:
        raise ValueError(f"“{typed}” is no day, as 12/31/2026.") from None


def _until(typed: str) -> date | None:
    """The first day without it; a year of renewal ends with its December 31."""
    if not typed:
        return None
    if re.fullmatch(r"20\d\d", typed):
        return date(int(typed) + 1, 1, 1)
    return _day(typed) + timedelta(days=1)


def _compare(lines: list[Line], found: Found) -> None:
    ours = Company.objects.values_list("nmls_id", flat=True).first() or ""
    officers = {
        one.nmls_id: one
        for one in LoanOfficer.objects.filter(terminated_at=None).select_related("user")
    }
    known = [one for one in lines if one.nmls_id in officers or one.nmls_id == ours]
    found.strangers = sorted({one.nmls_id for one in lines} - {one.nmls_id for one in known})
    counting = _that_count(known, ours, found)
    for line in sorted(counting.values(), key=lambda one: one.line):
        officer = officers.get(line.nmls_id)
        held = _on_file(officer, line)
        if officer is None and not _comes_in(line, held, found):
            continue
        if held is not None and not list(_differences(held, line)):
            found.same += 1
        else:
            found.changes.append(Change(line=line, officer=officer, held=held))
    named = [officers[key] for key in {one.nmls_id for one in known} if key in officers]
    found.unsaid = [
        one
        for one in License.objects.filter(officer__in=named).select_related("officer__user")
        if (one.officer.nmls_id, one.state) not in counting and one.status in AUTHORIZING
    ]


def _comes_in(line: Line, held: Held | None, found: Found) -> bool:
    """Whether a row of the company's own is taken in; what of it is not, is told."""
    where = STATES[line.state]
    if line.status not in AUTHORIZING:
        if held is not None:
            found.wrong.append(
                f"Row {line.line}: NMLS says {line.status} of the company’s own license in "
                f"{line.state}, and not since when. End it on its page."
            )
        return False
    if line.license or not line.kinds:
        return True
    if _kind(held) not in line.kinds:
        name = f"“{line.called}” is none that we know" if line.called else "the file names none"
        found.wrong.append(
            f"Row {line.line}: {where} wants another wording under each of its licenses, and "
            f"{name}. Choose under Licenses which it is."
        )
    elif line.called and held and line.number != held.number:  # whose number would be said as ours
        found.wrong.append(
            f"Row {line.line}: “{line.called}” is none of {where}’s licenses that we know, and its "
            "number is not the one on file. If it is that license, correct it under Licenses."
        )
        return False
    return True


def _that_count(lines: list[Line], ours: str, found: Found) -> dict[tuple[str, str], Line]:
    """Of whom and where, the row that counts: where a state licenses twice, one approval is enough.

    Of two such rows the later one counts; of the company's own the one that was chosen goes
    before, then one that we know, then the one on file. The others are told.
    """
    counting: dict[tuple[str, str], Line] = {}
    for one in sorted(lines, key=lambda one: _weight(one, is_ours=one.nmls_id == ours)):
        if other := counting.get((one.nmls_id, one.state)):
            found.wrong.append(
                f"Row {other.line}: it says {other.said} in {other.state}, where row {one.line} "
                f"counts, which says {one.said}."
            )
        counting[one.nmls_id, one.state] = one
    return counting


def _weight(line: Line, *, is_ours: bool) -> tuple[Any, ...]:
    """By what a row counts before another of the same state: more is more."""
    is_good = line.status in AUTHORIZING
    if not is_ours:
        return (is_good, False, False, False, line.from_date)
    held = _on_file(None, line)
    is_numbered = held is not None and line.number == held.number
    is_alike = line.license == _kind(held) if line.license else is_numbered
    is_chosen = bool(_kind(held)) and is_alike
    return (is_good, is_chosen, bool(line.license), is_numbered, line.from_date)


def _kind(held: Held | None) -> str:
    """Which of the state's licenses is on file; only of the company's own it is told."""
    return held.license if isinstance(held, CompanyLicense) else ""


def _on_file(officer: LoanOfficer | None, line: Line) -> Held | None:
    """The newest license on file there that the line is about: of its number, or running now."""
    rows: Any = (
        License.objects.filter(officer=officer)
        if officer is not None
        else CompanyLicense.objects.all()
    )
    held: Held | None = rows.filter(state=line.state).order_by("-from_date").first()
    if held is None or (held.until_date and held.until_date <= line.from_date):
        return None  # it had ended before this one began
    return held


def _differences(held: Held, line: Line) -> Iterator[tuple[str, Any, Any]]:
    """Each thing in which they differ. What the file leaves out is not a difference."""
    for name in ("number", "status", "from_date", "until_date", "license"):
        new = getattr(line, name)
        old = getattr(held, name, new)  # the company's has no status, an officer's is of no kind
        if new and new != old:
            yield name, old, new


def _carry_out(one: Change, *, by: User, at: datetime) -> None:
    line, held = one.line, one.held
    dates = (line.from_date, line.until_date or (held.until_date if held else None))
    kept: dict[str, Any] = {"number": line.number, "by": by, "at": at}
    if one.officer is None:
        kept |= {"dates": dates, "license": line.license or _kind(held)}
        if held:
            company_licences.edit(license_id=held.pk, **kept)
        else:
            company_licences.add(state=line.state, **kept)
        return
    if held is None:
        held = licences.add(officer_id=one.officer.pk, state=line.state, dates=dates, **kept)
    licences.edit(
        license_id=held.pk, status=line.status, from_date=dates[0], until_date=dates[1], **kept
    )
