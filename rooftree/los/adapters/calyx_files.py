"""Files of a Calyx Point site: written whole or not at all, and read only when they are whole."""

import csv
import errno
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from rooftree.core.vendor_errors import Misconfigured, RetryLater, VendorError

MAX_BYTES = 10_000_000
MAX_FILES = 200
SETTLE_SECONDS = 3.0  # a file that changed since can still grow
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
WRONG_PLACE = {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS}
STAMP = re.compile(r"(\d{8,14})")
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}")
DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2}|\d{4})")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """What is kept of one line of a status file: never the borrower's name."""

    loan_id: str
    status: str
    status_date: date | None
    loan_number: str = ""
    amount_cents: int | None = None
    lock_expires: date | None = None
    closing: date | None = None
    revenue_cents: int | None = None


def write_whole(folder: str, name: str, text: str) -> None:
    """Write a file under its final name only once it is whole; a repeat replaces it.

    Raises `Misconfigured` for a folder that is missing or closed to us, else `RetryLater`:
    nothing that an importer would take stays behind.
    """
    target = Path(folder) / name
    draft = target.with_name(f"{name}.tmp")
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except OSError as problem:
        with suppress(OSError):  # importers ignore *.tmp, and the next attempt replaces it
            draft.unlink(missing_ok=True)
        raise explain_failure(problem, "import folder") from None


def explain_failure(problem: OSError, folder: str) -> VendorError:
    """Return a failure of a folder as one of the vendor's kinds."""
    if problem.errno in FULL:
        return RetryLater(f"The disk of the {folder} is full.")
    if problem.errno in WRONG_PLACE:
        return Misconfigured(f"The {folder} is missing, or this server can't use it.")
    return RetryLater(f"A file in the {folder} is locked or can't be reached.")


def require_folder(path: str, folder: str, *, is_written: bool = False) -> None:
    """Raise `Misconfigured` unless the folder is there and open to us."""
    rights = os.R_OK | os.X_OK | (os.W_OK if is_written else 0)
    if not Path(path).is_dir() or not os.access(path, rights):
        raise Misconfigured(f"The {folder} is missing, or this server can't use it.")


def read_status_files(
    folder: str, *, now: float, revenue_columns: Sequence[str] = ()
) -> list[StatusRow]:
    """Return the lines of the newest whole status files, oldest export first.

    Args:
        now: seconds since the epoch, to leave alone a file that is still being written.
    """
    try:
        paths = [path for path in Path(folder).iterdir() if path.suffix.casefold() == ".csv"]
        # By the time in their names: copies can arrive in any order.
        stamps = {path: "".join(STAMP.findall(path.stem)[:1]) for path in paths}
        newest = sorted(paths, key=lambda path: (stamps[path].ljust(14, "0"), path.name))[
            -MAX_FILES:
        ]
        rows: list[StatusRow] = []
        for path in newest:
            text = _read_settled(path, now)
            if text is not None:
                rows += _parse_rows(text, revenue_columns)
    except OSError as problem:
        raise explain_failure(problem, "status folder") from None
    return rows


def _read_settled(path: Path, now: float) -> str | None:
    """Return the text of a file that is whole; None for one that is still being written."""
    before = path.stat()
    if now - before.st_mtime < SETTLE_SECONDS or before.st_size > MAX_BYTES:
        return None
    content = path.read_bytes()
    if len(content) != before.st_size or not content.endswith(b"\n"):
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _parse_rows(text: str, revenue_columns: Sequence[str]) -> Iterator[StatusRow]:
    for row in csv.DictReader(io.StringIO(text)):
        values = {
            str(key).strip().casefold(): str(value or "").strip() for key, value in row.items()
        }
        loan_id = re.sub(r"(?i)\.(brw|prs|xml)$", "", values.get("filename", ""))
        status = values.get("loanstatus", "")
        if not FILE_NAME.fullmatch(loan_id) or not status:
            continue
        amounts = [parse_cents(values.get(name.casefold(), "")) for name in revenue_columns]
        known = [cents for cents in amounts if cents is not None]
        number = values.get("loannumber", "")
        yield StatusRow(
            loan_id=loan_id.casefold(),
            status=status[:120],
            status_date=parse_day(values.get("loanstatusdate", "")),
            loan_number=number if FILE_NAME.fullmatch(number) else "",
            amount_cents=parse_cents(values.get("loanamount", "")),
            lock_expires=parse_day(values.get("lockexp", "")),
            closing=parse_day(values.get("estclose", "")),
            revenue_cents=sum(known) if known else None,
        )


def find_receipt(folder: str, name: str) -> tuple[bool, str]:
    """Return whether the importer took a file, and what it said if it refused it."""
    root = Path(folder).parent
    try:
        if (root / "done" / f"{name}.receipt.json").is_file():
            return True, ""
        refusal = root / "error" / f"{name}.error.txt"
        if refusal.is_file():
            with refusal.open(encoding="utf-8", errors="replace") as file:
                lines = file.read(2_000).splitlines()
            return False, re.sub(r"\d[\d-]{6,}\d", "…", lines[0] if lines else "no reason")[:200]
    except OSError as problem:
        raise explain_failure(problem, "import folder") from None
    return False, ""


def parse_day(text: str) -> date | None:
    """Parse `MM/DD/YY` or `MM/DD/YYYY`; two digits are years of this century."""
    match = DAY.fullmatch(text)
    try:
        return date(int(match[3][-2:]) + 2000, int(match[1]), int(match[2])) if match else None
    except ValueError:
        return None


def parse_cents(text: str) -> int | None:
    """Parse dollars such as `$1,234.50`."""
    try:
        amount = Decimal(text.replace(",", "").replace("$", ""))
        return int((amount * 100).to_integral_value()) if amount.is_finite() else None
    except InvalidOperation:
        return None


def as_content(rows: Sequence[StatusRow]) -> Mapping[str, Any]:
    """Return all lines about one loan, oldest first, as JSON."""
    newest = rows[-1]
    return {
        "statuses": [
            [row.status, row.status_date.isoformat() if row.status_date else ""] for row in rows
        ],
        "loan_number": newest.loan_number,
        "amount_cents": newest.amount_cents,
        "revenue_cents": newest.revenue_cents,
        "lock_expires": newest.lock_expires.isoformat() if newest.lock_expires else "",
        "closing": newest.closing.isoformat() if newest.closing else "",
    }
