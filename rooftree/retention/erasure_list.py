"""What was removed is removed again from a restored database: the list, and going through it.

The list holds bare ids by holding, and is kept with every backup: an older backup brings back
people that were erased after it was made.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from rooftree.retention import purges
from rooftree.retention.models import Purge, PurgeRow
from rooftree.retention.record_sets import RECORD_SETS_BY_NAME

type ErasedIds = dict[str, list[str]]


class BadErasureList(Exception):
    """This is no list of erasures. The text is fit to show."""


def list_erasures() -> ErasedIds:
    """Everything removed so far, by holding: what a restored database must not hold.

    With it what a restore looked for and did not find: it was removed before the restore.
    """
    known = Q(purge__because="restore", kept_because=purges.ALREADY_GONE)
    rows = PurgeRow.objects.filter(Q(removed_at__isnull=False) | known)
    found: ErasedIds = {}
    for holding, key in rows.values_list("holding", "row_id").distinct().iterator():
        found.setdefault(holding, []).append(str(key))
    return found


def plan_repeat_erasure(erased: Mapping[str, Sequence[str]], *, at: datetime) -> Purge | None:
    """A removal of all that is listed and not known here as removed; None when nothing is.

    It may go at once: it was approved when it went the first time. Holds win also now.
    Raises `NotAList`.
    """
    wanted = {name: _parse_ids(name, keys) for name, keys in erased.items()}
    known = {name: set(map(UUID, keys)) for name, keys in list_erasures().items()}
    chosen = {name: sorted(keys - known.get(name, set())) for name, keys in wanted.items()}
    return purges.plan_restore_purge(chosen, at=at)


def _parse_ids(name: str, keys: Sequence[str]) -> set[UUID]:
    if name not in RECORD_SETS_BY_NAME or not isinstance(keys, list):
        raise BadErasureList(f"The list names {name}, which this release does not know.")
    try:
        return {UUID(key) for key in keys}
    except (ValueError, AttributeError, TypeError) as problem:
        raise BadErasureList(f"The list of {name} holds something that is no id.") from problem
