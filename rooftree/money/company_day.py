"""Which day a moment falls on, by the company's own clock: the day that books go by."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from rooftree.db.prepared_queries import PreparedQuery
from rooftree.org.models import Company

_ZONE_QUERY = PreparedQuery(lambda: Company.objects.only("zone")[:1])
DEFAULT_ZONE = "America/New_York"  # until the company is set up


def company_zone() -> ZoneInfo:
    """The zone the company counts its days in."""
    company = _ZONE_QUERY.first()
    return ZoneInfo((company and company.zone) or DEFAULT_ZONE)


def company_day(at: datetime) -> date:
    """The company's date at the moment `at` (aware)."""
    return at.astimezone(company_zone()).date()
