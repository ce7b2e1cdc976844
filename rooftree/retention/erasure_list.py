"""The erasure list: repeats past removals in a database restored from a backup.

The list holds ids by record set and is stored with every backup, because an older backup brings
back people who were erased after it was made.
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
    """The input is not an erasure list. The text can be shown to staff."""


def list_erasures() -> ErasedIds:
    """Return the ids of all removed records by record set.

    Includes records that a restore looked for and did not find, because they were removed before
    the restore.
    """
    already_gone = Q(purge__reason="restore", kept_reason=purges.ALREADY_GONE)
    rows = PurgeRow.objects.filter(Q(removed_at__isnull=False) | already_gone)
    erased: ErasedIds = {}
    for name, row_id in rows.values_list("record_set", "row_id").distinct().iterator():
        erased.setdefault(name, []).append(str(row_id))
    return erased


def plan_repeat_erasure(erased: Mapping[str, Sequence[str]], *, at: datetime) -> Purge | None:
    """Plan the removal of all listed records not yet removed here; return None if there are none.

    The plan needs no approval, because the first removal was approved. Legal holds still win.
    Raises `BadErasureList`.
    """
    listed = {name: _parse_ids(name, ids) for name, ids in erased.items()}
    removed = {name: set(map(UUID, ids)) for name, ids in list_erasures().items()}
    chosen = {name: sorted(ids - removed.get(name, set())) for name, ids in listed.items()}
    return purges.plan_restore_purge(chosen, at=at)


def _parse_ids(name: str, ids: Sequence[str]) -> set[UUID]:
    if name not in RECORD_SETS_BY_NAME or not isinstance(ids, list):
        raise BadErasureList(f"The list names {name}, which this release does not know.")
    try:
        return {UUID(row_id) for row_id in ids}
    except (ValueError, AttributeError, TypeError) as problem:
        raise BadErasureList(f"The list of {name} contains an invalid id.") from problem
