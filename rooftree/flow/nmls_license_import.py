"""Import of licenses from an NMLS file: compare it with the licenses on file, apply changes.

NMLS lets a company download its own and its loan officers' licenses as a spreadsheet. The
columns have had several names, listed below, and can stand in any order. A row belongs to an
officer by NMLS ID, or to the company itself. In some states it matters which of the state's
licenses the company holds; the license's name in the file shows which. A license that is on
file and missing from the NMLS file is shown and kept, because a file can cover one state only.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.transaction import atomic

from rooftree.capture.imports.import_staging import UPLOAD_PROBLEMS
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

COLUMNS = {  # our name: the column names of NMLS and its exports, lower-case, letters only
    "nmls_id": ("nmls id", "individual nmls id", "individual id", "mlo nmls id", "entity id"),
    "state": ("state", "jurisdiction", "regulator", "state regulator", "license state"),
    "number": ("license number", "license registration number", "lic reg", "license", "number"),
    "status": ("license status", "status"),
    "from_date": ("original issue date", "issue date", "approval date", "effective date",
                  "status date"),
    "license_name": ("license type", "license name", "license description",
                     "license registration name", "lic reg name"),
    "last_date": ("expiration date", "expires", "renewed through", "renewed through year"),
}  # fmt: skip
# Licenses that states also keep in NMLS and that don't authorize mortgage lending. A name that
# also mentions lending, brokering or originating counts as a license to lend.
NON_LENDING_PATTERN = re.compile(
    r"\bcollect|\btransm|\bdebt|\bcheck|\bpayday|\bdeferred|\bescrow|\btitle\b|\bsales finance"
    r"|\binstallment sales?|\bcurrency|\bpawn|\bservic|\bprepaid|\binsurance|\bappraisal",
    re.IGNORECASE,
)
LENDING_PATTERN = re.compile(r"\b(lend|brok|bank|originat|loan (company|officer))", re.IGNORECASE)
REQUIRED_COLUMNS = ("nmls_id", "state", "number", "status", "from_date")
type StoredLicense = License | CompanyLicense


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """One readable row of the file. `until_date` is the first day without the license."""

    row_number: int
    nmls_id: str
    state: str
    number: str
    status: str
    from_date: date
    until_date: date | None
    license_name: str  # NMLS's name of the license; "" if the file has none
    license_kinds: Mapping[str, str]  # names of the state's licenses by kind, where kind matters
    license: str  # the kind of this license; "" if it is unknown

    @property
    def status_text(self) -> str:
        """The status, and the name of the license if the file has one."""
        return f"{self.status} of “{self.license_name}”" if self.license_name else self.status

    def format_value(self, value: Any) -> str:
        """Format a value of the row, or of the license on file, for a page."""
        if isinstance(value, date):
            return f"{value:%b %d, %Y}"
        return str(self.license_kinds.get(value, value) or "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseChange:
    """The change that importing a row would make; `stored_license` is None for a new license."""

    row: FileRow
    officer: LoanOfficer | None  # None: the company's own license
    stored_license: StoredLicense | None

    @property
    def description(self) -> str:
        """The change in words: a new license, or each difference."""
        row = self.row
        if self.stored_license is None:
            kind = (
                f", license {row.format_value(row.license)}"
                if self.names_company_license_kind
                else ""
            )
            return f"new, {row.status}{kind}"
        return ", ".join(
            f"{name.replace('_', ' ')} {row.format_value(old)} → {row.format_value(new)}"
            for name, old, new in _list_differences(self.stored_license, row)
        )

    @property
    def names_company_license_kind(self) -> bool:
        """True if the license is the company's and the file names the kind of license."""
        return self.officer is None and bool(self.row.license)


@dataclass(slots=True, kw_only=True)
class FileComparison:
    """The result of comparing an NMLS file with the licenses on file."""

    changes: list[LicenseChange] = field(default_factory=list)
    unchanged_count: int = 0
    problems: list[str] = field(default_factory=list)  # a sentence for each skipped row
    unknown_nmls_ids: list[str] = field(default_factory=list)  # no officer here has them
    # Licenses on file, of officers in the NMLS file, that the file does not have.
    missing_licenses: list[License] = field(default_factory=list)


class NotALicenseFile(Exception):
    """The file can't be read as a list of licenses. The text is fit to show to staff."""


def compare_file(body: bytes, *, at: datetime) -> FileComparison:
    """Compare a file with the licenses on file; change nothing. Raises `NotALicenseFile`."""
    try:
        table = read_table(body, ReadingNotes())
    except UnreadableBody as problem:
        text = UPLOAD_PROBLEMS.get(str(problem), "This file can't be read.")
        raise NotALicenseFile(text) from problem
    columns = _map_columns(table.columns)
    comparison, rows = FileComparison(), []
    for table_row in table.rows:
        try:
            rows.append(_parse_row(table_row, columns, on=company_day(at)))
        except ValueError as problem:
            comparison.problems.append(f"Row {table_row.line}: {problem}")
    _compare_rows(rows, comparison)
    return comparison


def import_file(body: bytes, *, by: User, at: datetime) -> FileComparison:
    """Import all differences or none of them. Raises `NotALicenseFile`.

    The database ends assignments that a change makes unlawful, in the same transaction.
    """
    comparison = compare_file(body, at=at)
    with atomic():
        for change in comparison.changes:
            try:
                _apply_change(change, by=by, at=at)
            except InvalidLicense as problem:
                raise NotALicenseFile(
                    f"Row {change.row.row_number}: {problem} Nothing was imported."
                ) from problem
        redecide_held_messages.redecide_after_license_entry(at=at)
    return comparison


def _map_columns(names: tuple[str, ...]) -> dict[str, str]:
    by_plain_name = {re.sub(r"[^a-z]+", " ", name.lower()).strip(): name for name in names}
    columns = {
        key: next((by_plain_name[name] for name in aliases if name in by_plain_name), "")
        for key, aliases in COLUMNS.items()
    }
    if missing := [COLUMNS[key][0] for key in REQUIRED_COLUMNS if not columns[key]]:
        needed = ", ".join(COLUMNS[key][0] for key in REQUIRED_COLUMNS)
        raise NotALicenseFile(f"The file has no column “{missing[0]}”. It needs: {needed}.")
    return columns


def _parse_row(row: Row, columns: dict[str, str], *, on: date) -> FileRow:
    cells = {key: row.cells.get(name, "") for key, name in columns.items()}
    state, license_name = _parse_state(cells["state"]), cells["license_name"]
    if not cells["nmls_id"].isdigit():
        raise ValueError(f"“{cells['nmls_id']}” is not an NMLS ID.")
    if not state:
        raise ValueError(f"“{cells['state']}” is not a state.")
    if not cells["number"]:
        raise ValueError("the license number is missing.")
    if NON_LENDING_PATTERN.search(license_name) and not LENDING_PATTERN.search(license_name):
        raise ValueError(f"“{license_name}” is not a license to lend or broker mortgages.")
    status = _parse_status(cells["status"])
    from_date = _parse_date(cells["from_date"])
    until = _parse_until_date(cells["last_date"])
    if status == TEMPORARY_AUTHORITY:
        latest = from_date + TEMPORARY_AUTHORITY_LIMIT
        until = min(until, latest) if until else latest
    return FileRow(
        row_number=row.line,
        nmls_id=cells["nmls_id"].lstrip("0"),
        state=state,
        number=cells["number"],
        status=status,
        from_date=from_date,
        until_date=until,
        license_name=license_name,
        license_kinds=license_wording.license_kinds(state, on=on),
        license=license_wording.match_license_kind(state, license_name, on=on),
    )


def _parse_state(typed: str) -> str:
    """Return the code of a state as NMLS writes it: “Texas - SML”, “TX”, “Florida Office of …”."""
    if typed.upper() in STATES:
        return typed.upper()
    names = sorted(STATES.items(), key=lambda item: -len(item[1]))  # West Virginia before Virginia
    return next((code for code, name in names if typed.lower().startswith(name.lower())), "")


def _parse_status(typed: str) -> str:
    """Normalize a status of NMLS: dashes between spaces, each word capitalized."""
    words = " - ".join(part.strip() for part in re.split(r"[-–]", typed))
    if words.lower().startswith("temporary authority"):
        return TEMPORARY_AUTHORITY
    if not words:
        raise ValueError("the status is missing.")
    return " ".join(word.capitalize() for word in words.split())


def _parse_date(typed: str) -> date:
    """Parse 12/31/2026 or 2026-12-31, with or without a time after it."""
    if american := re.match(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})\b", typed):
        month, day, year = map(int, american.groups())
        return date(year, month, day)
    try:
        return date.fromisoformat(typed[:10])
    except ValueError:
        raise ValueError(f"“{typed}” is not a date. Write it like 12/31/2026.") from None


def _parse_until_date(typed: str) -> date | None:
    """Return the first day without the license; a renewal year ends with its December 31."""
    if not typed:
        return None
    if re.fullmatch(r"20\d\d", typed):
        return date(int(typed) + 1, 1, 1)
    return _parse_date(typed) + timedelta(days=1)


def _compare_rows(rows: list[FileRow], comparison: FileComparison) -> None:
    """Fill a comparison from the rows that could be read."""
    company_nmls_id = Company.objects.values_list("nmls_id", flat=True).first() or ""
    officers = {
        officer.nmls_id: officer
        for officer in LoanOfficer.objects.filter(terminated_at=None).select_related("user")
    }
    known_rows = [row for row in rows if row.nmls_id in {*officers, company_nmls_id}]
    known_ids = {row.nmls_id for row in known_rows}
    comparison.unknown_nmls_ids = sorted({row.nmls_id for row in rows} - known_ids)
    chosen = _choose_rows(known_rows, company_nmls_id, comparison)
    for row in sorted(chosen.values(), key=lambda row: row.row_number):
        holder = officers.get(row.nmls_id)
        stored = _find_license(holder, row)
        if holder is None and not _check_company_row(row, stored, comparison):
            continue
        if stored is not None and not list(_list_differences(stored, row)):
            comparison.unchanged_count += 1
        else:
            comparison.changes.append(LicenseChange(row=row, officer=holder, stored_license=stored))
    listed_officers = [officers[nmls_id] for nmls_id in known_ids if nmls_id in officers]
    licenses = License.objects.filter(officer__in=listed_officers).select_related("officer__user")
    comparison.missing_licenses = [
        license
        for license in licenses
        if (license.officer.nmls_id, license.state) not in chosen
        and license.status in AUTHORIZING_STATUSES
    ]


def _check_company_row(
    row: FileRow, stored: StoredLicense | None, comparison: FileComparison
) -> bool:
    """Check a row of the company's own license; return False, with a problem, to skip it."""
    state_name = STATES[row.state]
    if row.status not in AUTHORIZING_STATUSES:
        if stored is not None:
            comparison.problems.append(
                f"Row {row.row_number}: NMLS shows the company’s own license in {row.state} as "
                f"{row.status}, without the date it changed. End it on its page."
            )
        return False
    if row.license or not row.license_kinds:
        return True
    if _license_kind(stored) not in row.license_kinds:
        reason = (
            f"“{row.license_name}” is not one Rooftree knows"
            if row.license_name
            else "the file doesn’t name the license"
        )
        comparison.problems.append(
            f"Row {row.row_number}: {state_name} requires different wording for each of its "
            f"licenses, and {reason}. Choose the license under Licenses."
        )
    elif row.license_name and stored and row.number != stored.number:
        # Its number would stand in messages as the number of the license on file.
        comparison.problems.append(
            f"Row {row.row_number}: “{row.license_name}” is not one of the {state_name} licenses "
            "Rooftree knows, and its number differs from the one on file. If it is the license "
            "on file, correct it under Licenses."
        )
        return False
    return True


def _choose_rows(
    rows: list[FileRow], company_nmls_id: str, comparison: FileComparison
) -> dict[tuple[str, str], FileRow]:
    """Choose one row for each holder and state; return them by NMLS ID and state.

    A state can license a holder twice, and one approval is enough. Of two such rows the later
    one counts. Of the company's own rows the chosen kind of license comes first, then a kind
    that we know, then the number on file. Each other row becomes a problem.
    """
    chosen: dict[tuple[str, str], FileRow] = {}
    for row in sorted(
        rows, key=lambda row: _row_priority(row, is_company=row.nmls_id == company_nmls_id)
    ):
        if other := chosen.get((row.nmls_id, row.state)):
            comparison.problems.append(
                f"Row {other.row_number}: {other.status_text} in {other.state} is not used, "
                f"because row {row.row_number} counts: {row.status_text}."
            )
        chosen[row.nmls_id, row.state] = row
    return chosen


def _row_priority(row: FileRow, *, is_company: bool) -> tuple[Any, ...]:
    """Return the sort key of a row among the rows of its state; the highest key counts."""
    is_authorizing = row.status in AUTHORIZING_STATUSES
    if not is_company:
        return (is_authorizing, False, False, False, row.from_date)
    stored = _find_license(None, row)
    has_stored_number = stored is not None and row.number == stored.number
    is_same_kind = row.license == _license_kind(stored) if row.license else has_stored_number
    is_chosen_kind = bool(_license_kind(stored)) and is_same_kind
    return (is_authorizing, is_chosen_kind, bool(row.license), has_stored_number, row.from_date)


def _license_kind(stored: StoredLicense | None) -> str:
    """Return the kind of the license on file; only the company's own licenses have one."""
    return stored.license if isinstance(stored, CompanyLicense) else ""


def _find_license(officer: LoanOfficer | None, row: FileRow) -> StoredLicense | None:
    """Return the newest license on file in a row's state, unless it ended before the row's began.

    Args:
        officer: the holder; None for the company.
    """
    rows: Any = (
        License.objects.filter(officer=officer)
        if officer is not None
        else CompanyLicense.objects.all()
    )
    stored: StoredLicense | None = rows.filter(state=row.state).order_by("-from_date").first()
    if stored is None or (stored.until_date and stored.until_date <= row.from_date):
        return None
    return stored


def _list_differences(stored: StoredLicense, row: FileRow) -> Iterator[tuple[str, Any, Any]]:
    """Yield each difference as name, old and new value. An empty cell is not a difference."""
    for name in ("number", "status", "from_date", "until_date", "license"):
        new = getattr(row, name)
        old = getattr(stored, name, new)  # a company has no status, an officer no kind
        if new and new != old:
            yield name, old, new


def _apply_change(change: LicenseChange, *, by: User, at: datetime) -> None:
    row, stored = change.row, change.stored_license
    dates = (row.from_date, row.until_date or (stored.until_date if stored else None))
    values: dict[str, Any] = {"number": row.number, "by": by, "at": at}
    if change.officer is None:
        values |= {"dates": dates, "license": row.license or _license_kind(stored)}
        if stored:
            company_licenses.edit_company_license(license_id=stored.pk, **values)
        else:
            company_licenses.add_company_license(state=row.state, **values)
        return
    if stored is None:
        stored = officer_licenses.add_license(
            officer_id=change.officer.pk, state=row.state, dates=dates, **values
        )
    officer_licenses.edit_license(
        license_id=stored.pk, status=row.status, from_date=dates[0], until_date=dates[1], **values
    )
