"""The row of a list whose card is open, and the next one when it is decided."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from rooftree.web.shared.staff_request import StaffRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRow:
    """The row to decide now, and the id of the one that follows it in the list."""

    row: Any
    next_id: UUID | None


def find_open_row(
    request: StaffRequest, rows: QuerySet[Any], *, every_row: QuerySet[Any], moment: str
) -> OpenRow | None:
    """Return the row that `open` in the URL names; None without one.

    Once that row is decided, the one that follows it is returned, so that the next card opens
    by itself; after the last one the list starts over.

    Args:
        rows: what is left to decide, ordered by `moment` and the id.
        every_row: the decided rows too, as far as the user can see them.
        moment: the time field that orders the rows, such as `found_at`.
    """
    try:
        key = UUID(request.GET.get("open", ""))
    except ValueError:
        return None
    place = every_row.filter(pk=key).values_list(moment, flat=True).first()
    if place is None:
        return None
    row = rows.filter(pk=key).first() or _find_after(rows, moment, place, key)
    if row is None:
        return None
    after = _find_after(rows, moment, getattr(row, moment), row.pk)
    return OpenRow(row=row, next_id=after.pk if after and after.pk != row.pk else None)


def _find_after(rows: QuerySet[Any], moment: str, place: Any, key: UUID) -> Any:
    later = Q(**{f"{moment}__gt": place}) | Q(**{moment: place, "pk__gt": key})
    return rows.filter(later).first() or rows.first()
