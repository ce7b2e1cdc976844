"""Times of day: typed and shown in 12-hour time, stored as `HH:MM`."""

from datetime import datetime

FORMATS = ("%H:%M", "%I:%M %p", "%I %p", "%I:%M%p", "%I%p")
MIDNIGHT = "24:00"  # the end of a day, which `datetime` doesn't know


def format_clock(stored: str) -> str:
    """Return `HH:MM` as 9 AM or 5:30 PM; other text is returned unchanged."""
    if stored == MIDNIGHT:
        return "midnight"
    parsed = parse_clock(stored)
    if parsed is None:
        return stored
    hour, minute = int(parsed[:2]), parsed[3:]
    words = f"{(hour - 1) % 12 + 1}" + (f":{minute}" if minute != "00" else "")
    return f"{words} {'AM' if hour < 12 else 'PM'}"


def parse_clock(typed: str) -> str | None:
    """Return a typed time as `HH:MM`; None if it isn’t one."""
    text = " ".join(typed.upper().replace(".", "").split())
    if text in ("MIDNIGHT", MIDNIGHT):
        return MIDNIGHT
    for form in FORMATS:
        try:
            return f"{datetime.strptime(text, form):%H:%M}"  # noqa: DTZ007 (a time of day)
        except ValueError:
            continue
    return None
