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

from rooftree.capture.imports.tabular_files import Row, read_table
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.wire_formats import UnreadableBody
from rooftree.compliance.gate import license_wording
from rooftree.core.us_states import STATES
from rooftree.money.company_day import company_day
from rooftree.org import company_licenses, officer_licenses
from rooftree.org.models import (
    AUTHORIZING_STATUSES,
    TEMPORARY_AUTHORITY,
    TEMPORARY_AUTHORITY_LIMIT,
    Company,
    CompanyLicense,
    License,
    LoanOfficer,
    User,
)
from rooftree.org.officer_licenses import InvalidLicense
from rooftree.outreach.messages import redecide_held_messages

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
NON_LENDING_PATTERN = re.compile(
    r"\bcollect|\btransm|\bdebt|\bcheck|\bpayday|\bdeferred|\bescrow|\btitle\b|\bsales finance"
    r"|\binstallment sales?|\bcurrency|\bpawn|\bservic|\bprepaid|\binsurance|\bappraisal",
    re.IGNORECASE,
)
LENDING_PATTERN = re.compile(
    r"\blend|\bbrok|\bbank|\boriginat|\bloan (company|officer)", re.IGNORECASE
)
REQUIRED_COLUMNS = ("nmls_id", "state", "number", "status", "from_date")
type StoredLicense = License | CompanyLicense


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """One row of the file that can be read. `until_date` is the first day without it."""

    row_number: int
    nmls_id: str
    state: str
    number: str
    status: str
    from_date: date
    until_date: date | None
    license_name: str  # NMLS's name of the license; "": the file has none
    license_kinds: Mapping[str, str]  # between which of the state's licenses it matters, by name
    license: str  # which of them this is; "" where it is none that we know

    @property
    def status_text(self) -> str:
        """Its status, and of which license."""
        return f"{self.status} of “{self.license_name}”" if self.license_name else self.status

    def format_value(self, value: Any) -> str:
        """One of its values, or of those on file beside it, in words."""
        if isinstance(value, date):
            return f"{value:%b %d, %Y}"
        return str(self.license_kinds.get(value, value) or "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseChange:
    """What taking a line in would do; `held` is the license on file, None for a new one."""

    row: FileRow
    officer: LoanOfficer | None  # None: the company's own
    stored_license: StoredLicense | None

    @property
    def description(self) -> str:
        """It in words: what is new, or each thing that differs."""
        line = self.row
        if self.stored_license is None:
            kind = (
                f", license {line.format_value(line.license)}"
                if self.names_company_license_kind
                else ""
            )
            return f"new, {line.status}{kind}"
        said = [
            f"{name.replace('_', ' ')} {line.format_value(old)} → {line.format_value(new)}"
            for name, old, new in _list_differences(self.stored_license, line)
        ]
        return ", ".join(said)

    @property
    def names_company_license_kind(self) -> bool:
        """Whether it is the company's, and the file says which of the state's licenses it is."""
        return self.officer is None and bool(self.row.license)


@dataclass(slots=True, kw_only=True)
class FileComparison:
    """What is in a file, beside what is on file."""

    changes: list[LicenseChange] = field(default_factory=list)
    unchanged_count: int = 0
    problems: list[str] = field(default_factory=list)  # what is left out, each in a sentence
    unknown_nmls_ids: list[str] = field(default_factory=list)  # NMLS IDs nobody here has
    missing_licenses: list[License] = field(
        default_factory=list
    )  # of officers in the file, but not in it


class NotALicenseFile(Exception):
    """It cannot be read as a list of licenses. The text is fit to show."""


def compare_file(body: bytes, *, at: datetime) -> FileComparison:
    """Compare a file with what is on file; nothing is changed. Raises `NotALicenseFile`."""
    try:
        table = read_table(body, ReadingNotes())
    except UnreadableBody as bad:
        raise NotALicenseFile(f"This is no spreadsheet that can be read: {bad}.") from bad
    columns = _map_columns(table.columns)
    found, lines = FileComparison(), []
    for row in table.rows:
        try:
            lines.append(_parse_row(row, columns, on=company_day(at)))
        except ValueError as bad:
            found.problems.append(f"Row {row.line}: {bad}")
    _compare_rows(lines, found)
    return found


def import_file(body: bytes, *, by: User, at: datetime) -> FileComparison:
    """Take the differences in, all of them or none. Raises `NotALicenseFile`.

    What a change makes unlawful is ended by the database in the same transaction.
    """
    found = compare_file(body, at=at)
    with atomic():
        for change in found.changes:
            try:
                _apply_change(change, by=by, at=at)
            except InvalidLicense as bad:
                raise NotALicenseFile(
                    f"Row {change.row.row_number}: {bad} Nothing was taken in."
                ) from bad
        redecide_held_messages.redecide_after_license_entry(at=at)
    return found


def _map_columns(names: tuple[str, ...]) -> dict[str, str]:
    plain = {re.sub(r"[^a-z]+", " ", name.lower()).strip(): name for name in names}
    found = {
        what: next((plain[one] for one in known if one in plain), "")
        for what, known in COLUMNS.items()
    }
    if missing := [COLUMNS[what][0] for what in REQUIRED_COLUMNS if not found[what]]:
        raise NotALicenseFile(
            f"No column is called “{missing[0]}”. The file needs: "
            f"{', '.join(COLUMNS[what][0] for what in REQUIRED_COLUMNS)}."
        )
    return found


def _parse_row(row: Row, columns: dict[str, str], *, on: date) -> FileRow:
    said = {what: row.cells.get(name, "") for what, name in columns.items()}
    state = _parse_state(said["state"])
    if not said["nmls_id"].isdigit():
        raise ValueError(f"“{said['nmls_id']}” is no NMLS ID.")
    if not state:
        raise ValueError(f"“{said['state']}” names no state.")
    if not said["number"]:
        raise ValueError("it has no license number.")
    if NON_LENDING_PATTERN.search(said["called"]) and not LENDING_PATTERN.search(said["called"]):
        raise ValueError(f"“{said['called']}” is no license to lend or broker mortgages.")
    status = _parse_status(said["status"])
    from_date = _parse_date(said["from_date"])
    until = _parse_until_date(said["last_date"])
    if status == TEMPORARY_AUTHORITY:
        longest = from_date + TEMPORARY_AUTHORITY_LIMIT
        until = min(until, longest) if until else longest
    return FileRow(
        row_number=row.line,
        nmls_id=said["nmls_id"].lstrip("0"),
        state=state,
        number=said["number"],
        status=status,
        from_date=from_date,
        until_date=until,
        license_name=said["called"],
        license_kinds=license_wording.license_kinds(state, on=on),
        license=license_wording.match_license_kind(state, said["called"], on=on),
    )


def _parse_state(typed: str) -> str:
    """The code of a state in NMLS's words: “Texas - SML”, “TX”, “Florida Office of …”."""
    if typed.upper() in STATES:
        return typed.upper()
    names = sorted(STATES.items(), key=lambda one: -len(one[1]))  # West Virginia before Virginia
    return next((code for code, name in names if typed.lower().startswith(name.lower())), "")


def _parse_status(typed: str) -> str:
    """NMLS's word as we keep it: dashes between spaces, both authorizing ones as they are."""
    words = re.sub(r"\s*[-–]\s*", " - ", typed.strip())
    if words.lower().startswith("temporary authority"):
        return TEMPORARY_AUTHORITY
    if not words:
        raise ValueError("it has no status.")
    return " ".join(one.capitalize() for one in words.split())


def _parse_date(typed: str) -> date:
    """12/31/2026 or 2026-12-31, with or without an hour behind it."""
    if american := re.match(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})\b", typed):
        month, day, year = map(int, american.groups())
        return date(year, month, day)
    try:
        return date.fromisoformat(typed[:10])
    except ValueError:
        raise ValueError(f"“{typed}” is no day, as 12/31/2026.") from None


def _parse_until_date(typed: str) -> date | None:
    """The first day without it; a year of renewal ends with its December 31."""
    if not typed:
        return None
    if re.fullmatch(r"20\d\d", typed):
        return date(int(typed) + 1, 1, 1)
    return _parse_date(typed) + timedelta(days=1)


def _compare_rows(lines: list[FileRow], found: FileComparison) -> None:
    ours = Company.objects.values_list("nmls_id", flat=True).first() or ""
    officers = {
        loan_officer.nmls_id: loan_officer
        for loan_officer in LoanOfficer.objects.filter(terminated_at=None).select_related("user")
    }
    known = [line for line in lines if line.nmls_id in officers or line.nmls_id == ours]
    found.unknown_nmls_ids = sorted(
        {line.nmls_id for line in lines} - {one.nmls_id for one in known}
    )
    counting = _choose_rows(known, ours, found)
    for line in sorted(counting.values(), key=lambda one: one.row_number):
        officer = officers.get(line.nmls_id)
        held = _find_license(officer, line)
        if officer is None and not _is_importable_company_row(line, held, found):
            continue
        if held is not None and not list(_list_differences(held, line)):
            found.unchanged_count += 1
        else:
            found.changes.append(LicenseChange(row=line, officer=officer, stored_license=held))
    named = [officers[key] for key in {one.nmls_id for one in known} if key in officers]
    found.missing_licenses = [
        one
        for one in License.objects.filter(officer__in=named).select_related("officer__user")
        if (one.officer.nmls_id, one.state) not in counting and one.status in AUTHORIZING_STATUSES
    ]


def _is_importable_company_row(
    line: FileRow, held: StoredLicense | None, found: FileComparison
) -> bool:
    """Whether a row of the company's own is taken in; what of it is not, is told."""
    where = STATES[line.state]
    if line.status not in AUTHORIZING_STATUSES:
        if held is not None:
            found.problems.append(
                f"Row {line.row_number}: NMLS says {line.status} of the company’s own license in "
                f"{line.state}, and not since when. End it on its page."
            )
        return False
    if line.license or not line.license_kinds:
        return True
    if _license_kind(held) not in line.license_kinds:
        name = (
            f"“{line.license_name}” is none that we know"
            if line.license_name
            else "the file names none"
        )
        found.problems.append(
            f"Row {line.row_number}: {where} wants another wording under each of its licenses, and "
            f"{name}. Choose under Licenses which it is."
        )
    elif (
        line.license_name and held and line.number != held.number
    ):  # whose number would be said as ours
        found.problems.append(
            f"Row {line.row_number}: “{line.license_name}” is none of {where}’s licenses "
            "that we know, and its number is not the one on file. If it is that license, "
            "correct it under Licenses."
        )
        return False
    return True


def _choose_rows(
    lines: list[FileRow], ours: str, found: FileComparison
) -> dict[tuple[str, str], FileRow]:
    """Of whom and where, the row that counts: where a state licenses twice, one approval is enough.

    Of two such rows the later one counts; of the company's own the one that was chosen goes
    before, then one that we know, then the one on file. The others are told.
    """
    counting: dict[tuple[str, str], FileRow] = {}
    for line in sorted(lines, key=lambda one: _row_priority(one, is_ours=one.nmls_id == ours)):
        if other := counting.get((line.nmls_id, line.state)):
            found.problems.append(
                f"Row {other.row_number}: it says {other.status_text} in {other.state}, "
                f"where row {line.row_number} counts, which says {line.status_text}."
            )
        counting[line.nmls_id, line.state] = line
    return counting


def _row_priority(line: FileRow, *, is_ours: bool) -> tuple[Any, ...]:
    """By what a row counts before another of the same state: more is more."""
    is_good = line.status in AUTHORIZING_STATUSES
    if not is_ours:
        return (is_good, False, False, False, line.from_date)
    held = _find_license(None, line)
    is_numbered = held is not None and line.number == held.number
    is_alike = line.license == _license_kind(held) if line.license else is_numbered
    is_chosen = bool(_license_kind(held)) and is_alike
    return (is_good, is_chosen, bool(line.license), is_numbered, line.from_date)


def _license_kind(held: StoredLicense | None) -> str:
    """Which of the state's licenses is on file; only of the company's own it is told."""
    return held.license if isinstance(held, CompanyLicense) else ""


def _find_license(officer: LoanOfficer | None, line: FileRow) -> StoredLicense | None:
    """The newest license on file there that the line is about: of its number, or running now."""
    rows: Any = (
        License.objects.filter(officer=officer)
        if officer is not None
        else CompanyLicense.objects.all()
    )
    held: StoredLicense | None = rows.filter(state=line.state).order_by("-from_date").first()
    if held is None or (held.until_date and held.until_date <= line.from_date):
        return None  # it had ended before this one began
    return held


def _list_differences(held: StoredLicense, line: FileRow) -> Iterator[tuple[str, Any, Any]]:
    """Each thing in which they differ. What the file leaves out is not a difference."""
    for name in ("number", "status", "from_date", "until_date", "license"):
        new = getattr(line, name)
        old = getattr(held, name, new)  # the company's has no status, an officer's is of no kind
        if new and new != old:
            yield name, old, new


def _apply_change(one: LicenseChange, *, by: User, at: datetime) -> None:
    line, held = one.row, one.stored_license
    dates = (line.from_date, line.until_date or (held.until_date if held else None))
    kept: dict[str, Any] = {"number": line.number, "by": by, "at": at}
    if one.officer is None:
        kept |= {"dates": dates, "license": line.license or _license_kind(held)}
        if held:
            company_licenses.edit_company_license(license_id=held.pk, **kept)
        else:
            company_licenses.add_company_license(state=line.state, **kept)
        return
    if held is None:
        held = officer_licenses.add_license(
            officer_id=one.officer.pk, state=line.state, dates=dates, **kept
        )
    officer_licenses.edit_license(
        license_id=held.pk, status=line.status, from_date=dates[0], until_date=dates[1], **kept
    )
