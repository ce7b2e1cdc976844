"""Saved views: the filters of a list that a user keeps for themself or shares with their team."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_row_if_new
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User
from rooftree.routing.models import SavedView

MAX_VIEWS = 20  # of one user on one page
MAX_SHOWN = 30


def _views(user_id: UUID, page: str, shared: Q) -> QuerySet[SavedView]:
    rows = SavedView.objects.filter(Q(owner=user_id) | Q(is_shared=True) & shared, page=page)
    return rows.select_related("owner").order_by("name", "id")[:MAX_SHOWN]


_VIEWS_IN_COMPANY = PreparedQuery(
    lambda user_id, page: _views(user_id, page, Q()), user_id=UUID, page=str
)
_VIEWS_IN_BRANCHES = PreparedQuery(
    lambda user_id, page, branches: _views(
        user_id, page, Q(branch=None) | Q(branch__in=branches)
    ),
    user_id=UUID, page=str, branches=list[UUID],
)  # fmt: skip


def list_views(user: User, page: str) -> list[SavedView]:
    """List the user's own views of a page and those shared with their team, by name.

    A view is shared with the branch of its owner and the branches below; a user of the whole
    company sees every shared view.
    """
    if user.branch is None:
        return _VIEWS_IN_COMPANY.all(user_id=user.pk, page=page)
    above = [UUID(key) for key in user.branch.path.split("/") if key]
    return _VIEWS_IN_BRANCHES.all(user_id=user.pk, page=page, branches=above)


def save_view(
    *, page: str, name: str, query: str, is_shared: bool, by: User, at: datetime
) -> SavedView:
    """Save the filters of a page under a name; the same name again replaces the filters.

    Raises `InvalidField`.
    """
    name = " ".join(name.replace("\x00", "").split())
    if not query:
        raise InvalidField("name", "Set a filter first, then save the view.")
    if not name or len(name) > 40:
        raise InvalidField("name", "Enter a name of at most 40 characters.")
    own = SavedView.objects.filter(owner=by, page=page)
    view = SavedView(
        id=uuid7_at(at), owner=by, page=page, name=name, query=query[:600],
        is_shared=is_shared, branch=by.branch, created_at=at,
    )  # fmt: skip
    if not own.filter(name=name).exists() and own.count() >= MAX_VIEWS:
        raise InvalidField("name", f"You can have {MAX_VIEWS} views here. Delete one first.")
    if not insert_row_if_new(view):
        own.filter(name=name).update(query=view.query, is_shared=is_shared, branch=by.branch)
        view = own.get(name=name)
    write_event(
        "routing.view.saved", at=at, actor=f"user:{by.pk}", view=view.pk, is_shared=is_shared
    )
    return view


def delete_view(*, view_id: UUID, by: User, at: datetime) -> bool:
    """Delete a view that the user owns; return False if it is gone already."""
    deleted, _ = SavedView.objects.filter(pk=view_id, owner=by).delete()
    if deleted:
        write_event("routing.view.deleted", at=at, actor=f"user:{by.pk}", view=view_id)
    return bool(deleted)
