"""Fast URLs of pages about one record, for lists with a hundred of them."""

from functools import cache
from uuid import UUID

from django.urls import reverse

PLACEHOLDER_ID = UUID(int=0)


def url_for(name: str, key: UUID) -> str:
    """Return the same as `reverse(name, args=[key])`, without its URL search each time."""
    before, after = _split_url(name)
    return f"{before}{key}{after}"


@cache
def _split_url(name: str) -> tuple[str, str]:
    before, _, after = reverse(name, args=[PLACEHOLDER_ID]).partition(str(PLACEHOLDER_ID))
    return before, after
