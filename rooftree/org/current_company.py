"""The current row of the company that runs this installation."""

from rooftree.db.prepared_queries import PreparedQuery
from rooftree.org.models import Company

_COMPANY_QUERY = PreparedQuery(Company.objects.all)


def current_company() -> Company:
    """Return the company's row. Raises `Company.DoesNotExist` before setup."""
    return _COMPANY_QUERY.get()
