"""Read large tables in batches.

Server-side cursors are off, since they break behind pgbouncer. Without them `iterator()` loads
the whole result into memory before the first row.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet


def iterate_in_batches(rows: "QuerySet[Any, Any]", *, by: str, size: int) -> Iterator[Any]:
    """Yield rows in the order of the unique column `by`, with one query for each `size` rows.

    Args:
        rows: model instances or `values()`, which must include `by`.
    """
    batch = list(rows.order_by(by)[:size])
    while batch:
        yield from batch
        last = batch[-1]
        value = last[by] if isinstance(last, dict) else getattr(last, by)
        is_full = len(batch) == size
        batch = list(rows.filter(**{f"{by}__gt": value}).order_by(by)[:size]) if is_full else []
