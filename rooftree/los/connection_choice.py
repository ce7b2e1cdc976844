"""Which connection a lead is handed off through: the first enabled one that takes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.transaction import atomic

from rooftree.leads.models import Lead
from rooftree.leads.vocabulary import Purpose
from rooftree.ledger.write_events import write_event
from rooftree.los.connection_settings import InvalidConnection
from rooftree.los.models import Connection
from rooftree.org.models import Branch, User

MAX_POSITION = 99
NO_CONNECTION = "No LOS is connected yet. An administrator can add one in Setup."
NO_MATCH = "No LOS connection takes this lead: none is for its branch and purpose."


def list_connections() -> list[Connection]:
    """Return all connections in the order in which they are tried."""
    return list(Connection.objects.order_by("position", "enabled_at", "id"))


def find_connection(lead: Lead) -> tuple[Connection | None, str]:
    """Return the connection that takes a lead, or None and a sentence that says why.

    A test lead goes to a connection for tests, and to the others only if none is enabled. No
    other lead ever goes to a connection for tests.
    """
    enabled = [row for row in list_connections() if row.enabled_at is not None]
    is_any_on = any(not row.is_for_tests for row in enabled)
    if lead.is_test and any(row.is_for_tests for row in enabled):
        enabled = [row for row in enabled if row.is_for_tests]
    else:
        enabled = [row for row in enabled if not row.is_for_tests]
    path = ""
    if any(row.branch_ids for row in enabled):
        branch = lead.officer.branch if lead.officer else lead.branch
        path = branch.path if branch else ""
    connection = next((row for row in enabled if takes_lead(row, lead.purpose, path)), None)
    absence = NO_MATCH if is_any_on else NO_CONNECTION
    return connection, "" if connection else absence


def takes_lead(connection: Connection, purpose: str, branch_path: str) -> bool:
    """Return True if the connection is for this purpose and branch. Pure.

    Args:
        branch_path: the path of the lead's branch, ancestors first; "" if it has none.
    """
    is_for_branch = not connection.branch_ids or any(
        f"/{branch_id}/" in branch_path for branch_id in connection.branch_ids
    )
    return is_for_branch and (not connection.purposes or purpose in connection.purposes)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadsTaken:
    """Which leads a connection takes; an empty list means all."""

    position: int
    branch_ids: Sequence[str] = ()
    purposes: Sequence[str] = ()
    is_for_tests: bool = False


def set_leads_taken(
    *, connection_id: UUID | str, taken: LeadsTaken, by: User, at: datetime
) -> Connection:
    """Set which leads a connection takes. Raises `InvalidConnection`."""
    branches, purposes = sorted(set(taken.branch_ids)), sorted(set(taken.purposes))
    known = {str(pk) for pk in Branch.objects.values_list("pk", flat=True)}
    if not known.issuperset(branches):
        raise InvalidConnection("branch_ids", "One of these branches is no longer there.")
    if not set(Purpose).issuperset(purposes):
        raise InvalidConnection("purposes", "Choose loan purposes from the list.")
    changes: Mapping[str, Any] = {
        "position": min(max(taken.position, 0), MAX_POSITION),
        "branch_ids": branches,
        "purposes": purposes,
        "is_for_tests": taken.is_for_tests,
    }
    with atomic():
        row = Connection.objects.select_for_update().get(pk=connection_id)
        changed = [name for name, value in changes.items() if getattr(row, name) != value]
        if changed:
            for name in changed:
                setattr(row, name, changes[name])
            row.save(update_fields=changed)
            write_event(
                "los.connection.changed",
                at=at,
                actor=f"user:{by.pk}",
                connection_id=row.pk,
                changed=changed,
            )
    return row
