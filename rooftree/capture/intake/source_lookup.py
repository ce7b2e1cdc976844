"""Which source an address belongs to, remembered between two posts.

What is remembered carries the stamp of its row, and `keep` writes nothing for a source whose
row has another one. So a process cannot accept by an old set-up; what it would refuse by one,
it must ask about first (`must_be_current`).
"""

import hashlib
from typing import Any

from django.db import connection
from django.db.models import TextField
from django.db.models.expressions import RawSQL

from rooftree.leads.models import Source

ROW_VERSION_SQL = (
    "source.xmin::text || source.ctid::text"  # of one version of the row, and of no other
)
ADAPTERS_ADDRESSED_BY_NAME = frozenset(
    {"website_form"}
)  # adapters whose address is the source's name, no secret

_sources_by_address: dict[tuple[str, str], Source] = {}


class SourceChanged(Exception):
    """The source was changed after this process had read it: look it up anew."""


def cached_source(adapter: str, token: str) -> Source | None:
    """The source at an address as it was last read here, if it took anything then."""
    return _sources_by_address.get((adapter, token))


def look_up_source(adapter: str, token: str) -> Source | None:
    """The source at an address as it is now, paused or not; None when there is none."""
    _sources_by_address.pop((adapter, token), None)
    if "\0" in token:
        return None
    named: dict[str, Any] = (
        {"slug": token}
        if adapter in ADAPTERS_ADDRESSED_BY_NAME
        else {"token_hash": hash_token(token)}
    )
    stamped = Source.objects.annotate(stamp=RawSQL(ROW_VERSION_SQL, [], output_field=TextField()))  # noqa: S611
    source = stamped.filter(adapter=adapter, **named).first()
    if source is not None and source.paused_at is None:
        _sources_by_address[adapter, token] = source
    return source


def require_current_source(source: Source) -> None:
    """Raise `Outdated` when a source that was looked up has been changed since."""
    if (stamp := row_version(source)) is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"select from source where id = %s and {ROW_VERSION_SQL} = %s",
            [source.pk, stamp],
        )
        if cursor.rowcount == 0:
            raise SourceChanged(f"{source} was changed.")


def row_version(source: Source) -> str | None:
    """Which version of its row this is; None for a source that was not looked up here."""
    return getattr(source, "stamp", None)


def hash_token(token: str) -> str:
    """What a source's token is looked up by."""
    return hashlib.sha256(token.encode()).hexdigest()
