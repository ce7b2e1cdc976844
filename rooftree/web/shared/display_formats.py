"""Formatting money, rates, times, phones and mortgage codes for pages. Pure."""

from datetime import datetime, timedelta
from decimal import Decimal

from rooftree.core import money_amounts as amounts
from rooftree.core import phone_numbers
from rooftree.leads.scenario_text import PURPOSE_LABELS

LOAN_TYPE_LABELS = {"fha": "FHA", "va": "VA", "usda": "USDA", "jumbo": "Jumbo"}
PRODUCT_LABELS = {
    "30yr_fixed": "30-year fixed",
    "15yr_fixed": "15-year fixed",
    "30yr_fha": "30-year FHA",
    "30yr_va": "30-year VA",
}
LANGUAGE_LABELS = {"en": "English", "es": "Spanish", "zh": "Chinese", "vi": "Vietnamese"}
LEAD_STATE_LABELS = {
    "new": "New",
    "working": "Working",
    "nurture": "Nurture",
    "application": "Application",
    "funded": "Funded",
    "retired": "Closed",
}


def money(cents: int | None) -> str:
    """Format cents as whole dollars, for sentences and tables: `$1,963`."""
    if cents is None:
        return "unknown"
    return f"{_sign(cents)}${round(abs(cents) / 100):,}"


def money_exact(cents: int | None) -> str:
    """Format cents to the cent, for ledgers: `$100.00`."""
    if cents is None:
        return "unknown"
    return amounts.format_cents(cents)


def money_short(cents: int | None) -> str:
    """Format cents with three digits, for a glance: `$1.75M`, `$412K`."""
    if cents is None:
        return "unknown"
    dollars = abs(cents) / 100
    for size, letter in ((1e9, "B"), (1e6, "M")):
        if dollars >= size * 0.9995:
            return f"{_sign(cents)}${dollars / size:.2f}{letter}"
    if dollars >= 10_000:
        return f"{_sign(cents)}${dollars / 1000:.0f}K"
    return money(cents)


def rate(pct: Decimal | None) -> str:
    """Format a rate in percent with three decimals: `6.190%`."""
    return "unknown" if pct is None else f"{pct:.3f}%"


def share_of_total(part: int, whole: int, of: str = "") -> str:
    """Format a share with its denominator: `35.9%, 231 of 644 applications`."""
    if not whole:
        return f"none of 0 {of}".rstrip()
    return f"{part / whole * 100:.1f}%, {part:,} of {whole:,} {of}".rstrip()


def phone(e164: str) -> str:
    """Format a US number as `(512) 555-0142`; return other numbers unchanged."""
    return phone_numbers.format_phone(e164) or "none"


MESSAGE_STATE_LABELS = {  # of an outbound message; a due time can follow waiting and held
    "waiting": "scheduled",
    "held": "on hold until",
    "blocked": "not sent: blocked by a rule",
    "review": "needs review",
    "claimed": "sending",
    "sent": "sent",
    "delivered": "delivered",
    "failed": "could not be delivered",
    "uncertain": "may have been sent, checking",
    "cancelled": "not sent",
    "shadow": "not sent: shadow mode",
}


def clock_time(moment: datetime) -> str:
    """Format a time as `3:21 PM`; `moment` is in the user's zone already."""
    return moment.strftime("%I:%M %p").lstrip("0")


def full_date_and_time(moment: datetime) -> str:
    """Format a moment in full: `Nov 23, 2026, 3:21:09 PM`."""
    return f"{moment:%b} {moment.day}, {moment.year}, {clock_time_with_seconds(moment)}"


def clock_time_with_seconds(moment: datetime) -> str:
    """Format a time as `3:21:44 PM`, for decisions and messages."""
    return moment.strftime("%I:%M:%S %p").lstrip("0")


def date_and_time(moment: datetime, at: datetime) -> str:
    """Format a time with only as much date as needed.

    `3:21 PM`, `tomorrow, 8:00 AM`, `Nov 12, 6:04 PM`, `Mar 8, 2024`.

    Args:
        moment: in the user's zone.
        at: now, in the same zone.
    """
    if moment.date() == at.date():
        return clock_time(moment)
    if moment.date() - at.date() == timedelta(days=1):
        return f"tomorrow, {clock_time(moment)}"
    if moment.year == at.year or abs(moment - at) < timedelta(days=60):
        return f"{moment:%b} {moment.day}, {clock_time(moment)}"
    return f"{moment:%b} {moment.day}, {moment.year}"


def time_ago(moment: datetime, at: datetime) -> str:
    """Format how long ago: `40 s ago`, `18 min ago`, then as `date_and_time` does."""
    seconds = int((at - moment).total_seconds())
    if seconds < 0:
        return date_and_time(moment, at)
    if seconds < 120:
        return f"{seconds} s ago"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    return date_and_time(moment, at)


def day_heading(moment: datetime, at: datetime) -> str:
    """Format a day as a heading: `Today`, `Yesterday`, `Thursday, Nov 12`, `March 2024`."""
    gap = (at.date() - moment.date()).days
    if gap in (0, 1):
        return ("Today", "Yesterday")[gap]
    if gap < 60:
        return f"{moment:%A}, {moment:%b} {moment.day}"
    return f"{moment:%B %Y}"


def duration(seconds: float | None) -> str:
    """Format a duration: `0:38`, `1:14`, `41 min`, `3 h 12 min`, `4 days`."""
    if seconds is None:
        return "unknown"
    whole = int(abs(seconds))
    if whole < 600:
        return f"{whole // 60}:{whole % 60:02d}"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 48 * 3600:
        hours, minutes = divmod(whole // 60, 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{whole // 86400} days"


def short_wait(seconds: float) -> str:
    """Format a waiting time, with tenths under a minute: `6.8 s`, `1:14`, `41 min`."""
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)


def time_left(moment: datetime, at: datetime) -> str:
    """Format the time left until a deadline: `1:14`, `0:38 late`."""
    left = (moment - at).total_seconds()
    return f"{duration(left)} late" if left < 0 else duration(left)


def purpose(code: str, loan_type: str = "") -> str:
    """Format a loan purpose: `VA purchase`, `Cash-out refi`."""
    words = PURPOSE_LABELS.get(code, code.replace("_", " ").capitalize()) or "Loan"
    kind = LOAN_TYPE_LABELS.get(loan_type, "")
    return f"{kind} {words[0].lower()}{words[1:]}" if kind else words


def city_and_state(city: str, state: str, zip_code: str = "") -> str:
    """Format a place as `Austin, TX 78745`, as far as known; "" when nothing is."""
    region = f"{state} {zip_code}".strip()
    return ", ".join(part for part in (city, region) if part)


def points(number: int) -> str:
    """Format score points with a plus or a true minus sign: `+24`, `−6`."""
    return f"+{number}" if number >= 0 else f"−{-number}"


def initials(name: str) -> str:
    """Return one or two letters for an avatar, or "?"."""
    words = [word for word in name.split() if word[0].isalpha()]
    first_and_last = words[:1] + words[-1:] if len(words) > 1 else words
    return "".join(word[0].upper() for word in first_and_last) or "?"


def count_noun(number: int, singular: str, plural: str = "") -> str:
    """Format a count with its noun: `1 lead`, `7 leads`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def _sign(cents: int) -> str:
    return "−" if cents < 0 else ""
