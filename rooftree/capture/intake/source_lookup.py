"""Cached lookup of the source that an address belongs to.

A cached source carries the version of its row, and `store_delivery` stores nothing for a source
whose row has another version. So a process cannot accept a delivery by outdated settings; before
it refuses one, it must check the source first (`require_current_source`).
"""

import hashlib
from typing import Any

from django.db.models import TextField
from django.db.models.expressions import RawSQL

from rooftree.db.statements import execute
from rooftree.leads.models import Source

ROW_VERSION_SQL = "source.xmin::text || source.ctid::text"  # unique to one version of the row
# Adapters whose address is the source's name, not a secret.
ADAPTERS_ADDRESSED_BY_NAME = frozenset({"website_form"})

_sources_by_address: dict[tuple[str, str], Source] = {}


class SourceChanged(Exception):
    """The source was changed after this process read it and must be looked up again."""


def cached_source(adapter: str, token: str) -> Source | None:
    """Return the cached source at an address, if it was accepting leads when it was read."""
    return _sources_by_address.get((adapter, token))


def look_up_source(adapter: str, token: str) -> Source | None:
    """Return the source at an address as it is now, paused or not; None if there is none."""
    _sources_by_address.pop((adapter, token), None)
    if "\0" in token:
        return None
    address: dict[str, Any] = (
        {"slug": token}
        if adapter in ADAPTERS_ADDRESSED_BY_NAME
        else {"token_hash": hash_token(token)}
    )
    stamped = Source.objects.annotate(stamp=RawSQL(ROW_VERSION_SQL, [], output_field=TextField()))  # noqa: S611
    source = stamped.filter(adapter=adapter, **address).first()
    if source is not None and source.paused_at is None:
        _sources_by_address[adapter, token] = source
    return source


def require_current_source(source: Source) -> None:
    """Raise `SourceChanged` if a source was changed since it was looked up."""
    if (stamp := row_version(source)) is None:
        return
    query = f"select from source where id = %s and {ROW_VERSION_SQL} = %s"
    if execute(query, [source.pk, stamp]) == 0:
        raise SourceChanged(f"{source} was changed.")


def row_version(source: Source) -> str | None:
    """Return the version of the source's row; None for a source not read by `look_up_source`."""
    return getattr(source, "stamp", None)


def hash_token(token: str) -> str:
    """Return the SHA-256 (hex) by which a source's token is looked up."""
    return hashlib.sha256(token.encode()).hexdigest()
