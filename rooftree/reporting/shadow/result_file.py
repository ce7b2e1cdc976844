"""Files of what another system did with its leads: read into lines and refusals."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from rooftree.core.email_addresses import comparison_key, parse_email_address
from rooftree.core.money_amounts import AmountKind, parse_amount
from rooftree.core.phone_numbers import parse_phone_number
from rooftree.core.user_errors import InvalidField
from rooftree.leads.models import Source

MAX_LINES = 20_000
MAX_BYTES = 1_500_000
FIRST_YEAR = 2000
COLUMNS = {  # by our name: the headings that files use
    "vendor_id": ("vendor id", "vendor lead id", "lead id"),
    "phone": ("phone", "phone number", "mobile"),
    "email": ("email", "e-mail", "email address"),
    "source": ("source", "lead source"),
    "received": ("received", "created", "lead received"),
    "first_contact": ("first contact", "first contact time"),
    "officer": ("officer", "loan officer"),
    "funded": ("funded", "funded date", "funding date"),
    "revenue": ("revenue",),
}
IDENTITY_COLUMNS = ("vendor_id", "phone", "email")
DATE_FORMATS = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y")
TIME_FORMATS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p")
EXAMPLE = (
    "vendor id,phone,email,source,received,first contact,officer,funded,revenue\n"
    "LC-1041,208-555-0131,,Zillow,2026-11-23 14:05,2026-11-23 14:31,Elena Ruiz,,\n"
    "LC-0312,,ann@home.example,Zillow,2026-03-02 09:12,2026-03-02 10:40,Joanna Park,"
    "2026-05-20,7450.00"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultLine:
    """One line of the file, as read. Times are aware; an empty cell is None or ""."""

    line: int
    vendor_id: str
    phone: str  # E.164
    email_key: str
    source_id: UUID | None
    received_at: datetime | None
    first_contact_at: datetime | None
    officer_name: str
    funded_date: date | None
    revenue_cents: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedLine:
    """One line that can't be used, and why. Its text is not repeated: it names a borrower."""

    line: int
    reason: str


class _Unreadable(Exception):
    """A cell can't be read. The text says why and is fit to show."""


def decode_upload(body: bytes) -> str:
    """Decode an uploaded file. Raises `InvalidField` if it is empty, too large or not text."""
    if not body.strip():
        raise InvalidField("file", "Choose a file, or paste the list.")
    if len(body) > MAX_BYTES:
        raise InvalidField("file", f"The list is larger than {MAX_BYTES / 1_000_000} MB.")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidField("file", "Save the file as CSV (UTF-8) and upload it again.") from None


def read_result_file(
    text: str, *, zone: ZoneInfo, at: datetime
) -> tuple[list[ResultLine], list[RefusedLine]]:
    """Read a file's lines. Raises `InvalidField` if the file as a whole can't be used.

    Args:
        zone: of times that state none: the company's.
    """
    try:
        rows = list(csv.reader(io.StringIO(text.replace("\x00", "").strip("\r\n"))))
    except csv.Error:
        raise InvalidField("file", "The file isn't readable as CSV.") from None
    heading = [cell.strip().casefold() for cell in rows[0]] if rows else []
    places = {
        name: next((heading.index(word) for word in words if word in heading), None)
        for name, words in COLUMNS.items()
    }
    if all(places[name] is None for name in (*IDENTITY_COLUMNS, "source")):
        raise InvalidField(
            "file",
            "The first line must name the columns, with at least one of vendor id, phone, email "
            "and source.",
        )
    if len(rows) > MAX_LINES + 1:
        raise InvalidField("file", f"The file has more than {MAX_LINES:,} lines. Split it.")
    known = list(Source.objects.filter(is_test=False).only("id", "name", "slug"))
    sources = {source.slug.casefold(): source.pk for source in known}
    sources |= {source.name.casefold(): source.pk for source in known}
    lines, refused = list[ResultLine](), list[RefusedLine]()
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        cells = {
            name: row[place].strip() if place is not None and place < len(row) else ""
            for name, place in places.items()
        }
        try:
            lines.append(_read_line(cells, number, sources, zone, at))
        except _Unreadable as problem:
            refused.append(RefusedLine(line=number, reason=str(problem)))
    return lines, refused


def _read_line(
    cells: Mapping[str, str],
    number: int,
    sources: Mapping[str, UUID],
    zone: ZoneInfo,
    at: datetime,
) -> ResultLine:
    if not any(cells[name] for name in (*IDENTITY_COLUMNS, "source")):
        raise _Unreadable("Name the lead by vendor ID, phone or email, or give its source.")
    phone = parse_phone_number(cells["phone"])
    if cells["phone"] and not phone.is_valid:
        raise _Unreadable("The phone number isn't readable.")
    address = parse_email_address(cells["email"]) if cells["email"] else None
    if cells["email"] and address is None:
        raise _Unreadable("The email address isn't readable.")
    if cells["source"] and cells["source"].casefold() not in sources:
        raise _Unreadable(f"No source is named “{cells['source'][:60]}”.")
    revenue = parse_amount(cells["revenue"]) if cells["revenue"] else None
    if cells["revenue"] and (revenue is None or revenue.kind is not AmountKind.EXACT):
        raise _Unreadable("The revenue isn't readable. Write dollars, for example 7450.00.")
    received_at, first_contact_at, funded_date = _read_times(cells, zone, at)
    return ResultLine(
        line=number,
        vendor_id=cells["vendor_id"][:255],
        phone=phone.e164 or "",
        email_key=comparison_key(address) if address else "",
        source_id=sources.get(cells["source"].casefold()),
        received_at=received_at,
        first_contact_at=first_contact_at,
        officer_name=cells["officer"][:120],
        funded_date=funded_date,
        revenue_cents=revenue.cents if revenue else None,
    )


def _read_times(
    cells: Mapping[str, str], zone: ZoneInfo, at: datetime
) -> tuple[datetime | None, datetime | None, date | None]:
    """Read when the lead was received and first contacted, and the day it funded."""
    received_at = _read_time(cells["received"], "received", zone)
    first_contact_at = _read_time(cells["first_contact"], "first contact", zone)
    funded_at = _read_time(cells["funded"], "funded", zone)
    if received_at and first_contact_at and first_contact_at < received_at:
        raise _Unreadable("The first contact is before the lead was received.")
    if max(received_at or at, first_contact_at or at, funded_at or at) > at:
        raise _Unreadable("A time is in the future.")
    funded_date = funded_at.astimezone(zone).date() if funded_at else None
    if funded_date and received_at and funded_date < received_at.astimezone(zone).date():
        raise _Unreadable("The funding date is before the lead was received.")
    return received_at, first_contact_at, funded_date


def _read_time(text: str, name: str, zone: ZoneInfo) -> datetime | None:
    """Read a time; without a zone it is the company's, and a date alone is its midnight."""
    if not text:
        return None
    moment = None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        formats = (
            f"{day}{clock and ' '}{clock}" for day in DATE_FORMATS for clock in ("", *TIME_FORMATS)
        )
        for time_format in formats:
            try:
                moment = datetime.strptime(text, time_format)  # noqa: DTZ007 (a zone follows)
            except ValueError:
                continue
            break
    if moment is None or moment.year < FIRST_YEAR:
        raise _Unreadable(f"The {name} time isn't readable. Write 2026-11-30 14:05.")
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
