"""Which day a moment falls on, by the company's own clock: the day that books go by."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from rooftree.org.models import Company

DEFAULT_ZONE = "America/New_York"  # until the company is set up


def company_zone() -> ZoneInfo:
    """The zone the company counts its days in."""
    return ZoneInfo(Company.objects.values_list("zone", flat=True).first() or DEFAULT_ZONE)


def company_day(at: datetime) -> date:
    """The company's date at the moment `at` (aware)."""
    return at.astimezone(company_zone()).date()
