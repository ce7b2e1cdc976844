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

STAMP = "source.xmin::text || source.ctid::text"  # of one version of the row, and of no other
BY_NAME = frozenset({"website_form"})  # adapters whose address is the source's name, no secret

_remembered: dict[tuple[str, str], Source] = {}


class Outdated(Exception):
    """The source was changed after this process had read it: look it up anew."""


def remembered(adapter: str, token: str) -> Source | None:
    """The source at an address as it was last read here, if it took anything then."""
    return _remembered.get((adapter, token))


def look_up(adapter: str, token: str) -> Source | None:
    """The source at an address as it is now, paused or not; None when there is none."""
    _remembered.pop((adapter, token), None)
    if "\0" in token:
        return None
    named: dict[str, Any] = (
        {"slug": token} if adapter in BY_NAME else {"token_hash": hash_of(token)}
    )
    stamped = Source.objects.annotate(stamp=RawSQL(STAMP, [], output_field=TextField()))  # noqa: S611
    source = stamped.filter(adapter=adapter, **named).first()
    if source is not None and source.paused_at is None:
        _remembered[adapter, token] = source
    return source


def must_be_current(source: Source) -> None:
    """Raise `Outdated` when a source that was looked up has been changed since."""
    if (stamp := stamp_of(source)) is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"select from source where id = %s and {STAMP} = %s",
            [source.pk, stamp],
        )
        if cursor.rowcount == 0:
            raise Outdated(f"{source} was changed.")


def stamp_of(source: Source) -> str | None:
    """Which version of its row this is; None for a source that was not looked up here."""
    return getattr(source, "stamp", None)


def hash_of(token: str) -> str:
    """What a source's token is looked up by."""
    return hashlib.sha256(token.encode()).hexdigest()
