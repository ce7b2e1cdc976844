"""The next lead of a user's queue, offered after an outcome."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rooftree.org.models import User
from rooftree.routing import work_queue
from rooftree.routing.permissions import has_permission
from rooftree.web.shared.cached_urls import url_for


@dataclass(frozen=True, slots=True, kw_only=True)
class NextLead:
    """The borrower's name and the page of a lead."""

    name: str
    page: str


def find_next_lead(user: User, *, after: UUID, at: datetime) -> NextLead | None:
    """Return the top lead of the user's queue other than `after`; None without one.

    An offered lead is not returned: the user accepts it first, on its card.
    """
    if not has_permission(user, "see_queue"):
        return None
    rows = work_queue.list_rows(user, at=at)
    row = next((row for row in rows if row.offer_id is None and row.lead_id != after), None)
    return NextLead(name=row.name, page=url_for("lead", row.lead_id)) if row else None
