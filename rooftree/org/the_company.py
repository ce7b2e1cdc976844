"""The company whose installation this is, as its row stands."""

from rooftree.org.compiled import Reads
from rooftree.org.models import Company

_ROW = Reads(Company.objects.all)


def the_company() -> Company:
    """The one row. Raises `Company.DoesNotExist` before set-up."""
    return _ROW.one()
