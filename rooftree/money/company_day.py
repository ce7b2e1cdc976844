"""The company's time zone and the dates it keeps its books by."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from rooftree.db.prepared_queries import PreparedQuery
from rooftree.org.models import Company

_ZONE_QUERY = PreparedQuery(lambda: Company.objects.only("zone")[:1])
DEFAULT_ZONE = "America/New_York"  # until the company is set up


def company_zone() -> ZoneInfo:
    """Return the company's time zone."""
    company = _ZONE_QUERY.first()
    return ZoneInfo((company and company.zone) or DEFAULT_ZONE)


def company_day(at: datetime) -> date:
    """Return the company's date at the time `at` (aware)."""
    return at.astimezone(company_zone()).date()
