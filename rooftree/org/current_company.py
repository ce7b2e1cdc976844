"""The company whose installation this is, as its row stands."""

from rooftree.db.prepared_queries import PreparedQuery
from rooftree.org.models import Company

_COMPANY_QUERY = PreparedQuery(Company.objects.all)


def current_company() -> Company:
    """The one row. Raises `Company.DoesNotExist` before set-up."""
    return _COMPANY_QUERY.get()
