"""Calendar arithmetic: moving holidays, observed days and business days."""

from datetime import date, timedelta
from functools import cache

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FEDERAL_HOLIDAYS = (
    "01-01",
    "3#mon#01",
    "3#mon#02",
    "last#mon#05",
    "06-19",
    "07-04",
    "1#mon#09",
    "2#mon#10",
    "11-11",
    "4#thu#11",
    "12-25",
)  # 5 USC 6103(a), in the notation of `holiday_date`


def easter_sunday(year: int) -> date:
    """Return the western Easter Sunday of a year (Meeus, Jones and Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    offset = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * offset) // 451
    month, day = divmod(h + offset - 7 * m + 114, 31)
    return date(year, month, day + 1)


def nth_weekday(year: int, month: int, weekday: int, n: int) -> date:
    """Return the n-th given weekday (Monday is 0) of a month; n = -1 is the last."""
    if n > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - weekday) % 7)


def holiday_date(definition: str, year: int) -> date:
    """Return the day in `year` that a holiday definition names.

    Definitions: `MM-DD`, `n#dow#MM`, `last#dow#MM`, `easter+d`, `easter-d`,
    `election` (the Tuesday after the first Monday of November).
    """
    if definition == "election":
        return nth_weekday(year, 11, 0, 1) + timedelta(days=1)
    if definition.startswith("easter"):
        return easter_sunday(year) + timedelta(days=int(definition.removeprefix("easter")))
    if "#" in definition:
        n, weekday, month = definition.split("#")
        return nth_weekday(year, int(month), WEEKDAYS.index(weekday), -1 if n == "last" else int(n))
    month, day = definition.split("-")
    return date(year, int(month), int(day))


def observed_date(day: date) -> date:
    """Return the weekday on which a weekend holiday is observed, else the day itself."""
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


@cache
def holiday_dates(definitions: tuple[str, ...], year: int) -> frozenset[date]:
    """Return all days of `year` closed by these holidays, actual and observed."""
    actual = [holiday_date(d, y) for y in (year - 1, year, year + 1) for d in definitions]
    days = (day for holiday in actual for day in (holiday, observed_date(holiday)))
    return frozenset(day for day in days if day.year == year)


def is_federal_holiday(day: date) -> bool:
    """Return True if the day is a federal holiday or the weekday on which one is observed."""
    return day in holiday_dates(FEDERAL_HOLIDAYS, day.year)


def is_business_day(day: date) -> bool:
    """Return True from Monday to Friday, except on federal holidays."""
    return day.weekday() < 5 and not is_federal_holiday(day)


def add_business_days(day: date, count: int) -> date:
    """Return the `count`-th business day after `day`; the day itself never counts."""
    while count:
        day += timedelta(days=1)
        count -= is_business_day(day)
    return day


def business_day_on_or_before(day: date) -> date:
    """Return the last business day that is not after `day`."""
    while not is_business_day(day):
        day -= timedelta(days=1)
    return day


def add_months(day: date, months: int) -> date:
    """Return the same day `months` later, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = last_day_of_month(year, month + 1)
    return date(year, month + 1, min(day.day, last))


def last_day_of_month(year: int, month: int) -> int:
    """Return the number of the last day of a month."""
    return (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
