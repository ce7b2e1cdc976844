"""Files of ad spend: one line per day, source and campaign, read into spend lines and refusals."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from rooftree.core.money_amounts import AmountKind, parse_amount
from rooftree.core.user_errors import InvalidField
from rooftree.leads.models import Source
from rooftree.money.spend_entries import SpendLine

MAX_LINES = 5_000
MAX_BYTES = 500_000
COLUMNS = {  # by our name: the headings that files use
    "date": ("date", "day"),
    "source": ("source",),
    "campaign": ("campaign", "campaign name"),
    "amount": ("amount", "spend", "cost", "amount spent"),
}
REQUIRED_COLUMNS = ("date", "source", "amount")
DATE_FORMATS = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedLine:
    """One line that can't be booked, and why."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendFile:
    """The content of a spend file."""

    lines: tuple[SpendLine, ...]
    refused: tuple[RefusedLine, ...]


def decode_file(body: bytes) -> str:
    """Decode an uploaded file. Raises `InvalidField` if it is empty, too large or not text."""
    if not body.strip():
        raise InvalidField("file", "The file is empty.")
    if len(body) > MAX_BYTES:
        raise InvalidField("file", f"The file is larger than {MAX_BYTES // 1000} KB. Split it.")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidField("file", "Save the file as CSV (UTF-8) and upload it again.") from None


def read_spend_file(text: str, *, today: date) -> SpendFile:
    """Read a file's lines. Raises `InvalidField` if the file as a whole can't be used."""
    rows = [row for row in csv.reader(io.StringIO(text.strip("\n")))]
    heading = [cell.strip().casefold() for cell in rows[0]] if rows else []
    places = {
        name: next((heading.index(word) for word in words if word in heading), None)
        for name, words in COLUMNS.items()
    }
    missing = [name for name in REQUIRED_COLUMNS if places[name] is None]
    if missing:
        raise InvalidField(
            "file", f"The first line must name the columns. Missing: {', '.join(missing)}."
        )
    if len(rows) > MAX_LINES + 1:
        raise InvalidField("file", f"The file has more than {MAX_LINES:,} lines. Split it.")
    known = list(Source.objects.filter(is_test=False).only("id", "name", "slug"))
    sources = {source.slug.casefold(): source for source in known}
    sources |= {source.name.casefold(): source for source in known}
    lines: dict[str, SpendLine] = {}
    refused = []
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        cells = {
            name: row[place].strip() if place is not None and place < len(row) else ""
            for name, place in places.items()
        }
        line = _read_line(cells, number, sources, today)
        if isinstance(line, SpendLine) and line.key in lines:
            line = f"Line {lines[line.key].line} has the same date, source and campaign. Add them."
        if isinstance(line, SpendLine):
            lines[line.key] = line
        else:
            refused.append(RefusedLine(line=number, text=", ".join(row)[:200], reason=line))
    return SpendFile(lines=tuple(lines.values()), refused=tuple(refused))


def _read_line(
    cells: Mapping[str, str], number: int, sources: Mapping[str, Source], today: date
) -> SpendLine | str:
    """Return the line, or the reason why it can't be used."""
    on_date = _parse_date(cells["date"])
    source = sources.get(cells["source"].casefold())
    amount = parse_amount(cells["amount"]) if cells["amount"] else None
    if on_date is None:
        return "The date isn't readable. Write 2026-11-30 or 11/30/2026."
    if on_date > today:
        return "The date is in the future."
    if source is None:
        return f"No source is named “{cells['source'][:60]}”."
    if amount is None or amount.kind is not AmountKind.EXACT or amount.cents is None:
        return "The amount isn't readable. Write dollars, for example 1284.50."
    if len(cells["campaign"]) > 200:
        return "The campaign's name is longer than 200 characters."
    return SpendLine(
        source_id=source.pk, on_date=on_date, amount_cents=amount.cents,
        campaign=cells["campaign"], line=number,
    )  # fmt: skip


def _parse_date(text: str) -> date | None:
    for date_format in DATE_FORMATS:
        try:
            return datetime.strptime(text, date_format).date()  # noqa: DTZ007 (a day, no time)
        except ValueError:
            continue
    return None
