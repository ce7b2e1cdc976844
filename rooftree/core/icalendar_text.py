"""Write iCalendar text (RFC 5545): folded lines, escaped text, times in UTC. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MAX_LINE_BYTES = 75  # without the line break (RFC 5545, section 3.1)
PRODUCT_ID = "-//Rooftree//Appointments//EN"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEvent:
    """One event of a calendar."""

    uid: str  # unique in the world, and the same at each reading
    starts_at: datetime
    length: timedelta
    title: str
    location: str = ""
    url: str = ""


def write_calendar(events: Iterable[CalendarEvent], *, name: str, at: datetime) -> str:
    """Write a published calendar; `at` is the time of this reading (RFC 5545, section 3.8.7.2)."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT_ID}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escape_text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT15M",
        "X-PUBLISHED-TTL:PT15M",
    ]
    for event in events:
        lines += _event_lines(event, at)
    lines.append("END:VCALENDAR")
    return "".join(f"{fold_line(line)}\r\n" for line in lines)


def escape_text(text: str) -> str:
    """Escape a text value (RFC 5545, section 3.3.11); drop control characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    text = text.replace("\n", "\\n")
    return "".join(mark for mark in text if mark.isprintable() or mark == "\t")


def fold_line(line: str) -> str:
    """Fold a line into pieces of at most 75 bytes that never split a character."""
    pieces, size = [""], 0
    for mark in line:
        width = len(mark.encode("utf-8", "surrogatepass"))
        if size + width > MAX_LINE_BYTES:
            pieces.append("")
            size = 1  # the space that continues the line
        pieces[-1] += mark
        size += width
    return "\r\n ".join(pieces)


def _event_lines(event: CalendarEvent, at: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{event.uid}"
    yield f"DTSTAMP:{_format_utc(at)}"
    yield f"DTSTART:{_format_utc(event.starts_at)}"
    yield f"DTEND:{_format_utc(event.starts_at + event.length)}"
    yield f"SUMMARY:{escape_text(event.title)}"
    if event.location:
        yield f"LOCATION:{escape_text(event.location)}"
    if event.url:
        yield f"URL:{event.url}"
    yield "CLASS:PRIVATE"
    yield "END:VEVENT"


def _format_utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
