"""The tree of regions, branches and teams: grown, renamed, moved."""

from datetime import datetime
from uuid import UUID
from zoneinfo import available_timezones

from django.db import connection
from django.db.transaction import atomic

from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write_events import write_event
from rooftree.org.models import Branch, User

BRANCH_KINDS = {"region": "Region", "branch": "Branch", "team": "Team"}
EDITABLE_FIELDS = ("name", "kind", "nmls_id", "zone")
_MOVE_SUBTREE = """
    update branch set path = %(to)s || substr(path, length(%(was)s) + 1)
     where path like %(was)s || '%%'
"""


class InvalidBranch(InvalidField):
    """A change of the tree that cannot be."""


def add_branch(
    *, name: str, kind: str, parent: Branch | None, by: User, at: datetime, **more: str
) -> Branch:
    """A new node below `parent` (None: at the top). Raises `BadBranch`.

    Args:
        more: `zone` (else the parent's) and `nmls_id`.
    """
    zone = more.get("zone") or (parent.zone if parent else "America/New_York")
    nmls_id = more.get("nmls_id", "")
    _check_branch({"name": name, "kind": kind, "zone": zone, "nmls_id": nmls_id}, parent)
    key = uuid7_at(at)
    above = parent.path if parent else "/"
    with atomic():
        made = Branch.objects.create(
            id=key,
            parent=parent,
            name=name.strip(),
            kind=kind,
            nmls_id=nmls_id,
            zone=zone,
            path=f"{above}{key}/",
        )
        write_event(
            "org.branch.added",
            at=at,
            actor=f"user:{by.pk}",
            branch_id=made.pk,
            kind_of=kind,
            parent_id=parent.pk if parent else None,
        )
    return made


def update_branch(
    *, branch_id: UUID | str, parent: Branch | None, by: User, at: datetime, **changes: str
) -> Branch:
    """Rename a node, or move it with all below it under another. Raises `BadBranch`.

    Who sees which leads follows the tree at once.
    """
    if changes.keys() - set(EDITABLE_FIELDS):
        raise InvalidBranch("", "Only name, kind, NMLS ID, zone and place of a branch change.")
    with atomic():
        node = Branch.objects.select_for_update().get(pk=branch_id)
        _check_branch(
            {name: changes.get(name, getattr(node, name)) for name in EDITABLE_FIELDS}, parent
        )
        if parent and parent.path.startswith(node.path):
            raise InvalidBranch("parent", "A branch cannot lie below itself.")
        changed = [name for name, value in changes.items() if getattr(node, name) != value]
        moves = node.parent_id != (parent.pk if parent else None)
        Branch.objects.filter(pk=node.pk).update(**changes, parent=parent)
        if moves:
            with connection.cursor() as cursor:
                to = f"{parent.path if parent else '/'}{node.pk}/"
                cursor.execute(_MOVE_SUBTREE, {"to": to, "was": node.path})
        if changed or moves:
            write_event(
                "org.branch.changed",
                at=at,
                actor=f"user:{by.pk}",
                branch_id=node.pk,
                changed=changed,
                parent_id=parent.pk if parent else None,
            )
    return Branch.objects.get(pk=node.pk)


def list_branch_tree() -> list[tuple[int, Branch]]:
    """The tree from the top, each node with how deep it lies, siblings by name."""
    below: dict[UUID | None, list[Branch]] = {}
    for node in Branch.objects.order_by("name", "id"):
        below.setdefault(node.parent_id, []).append(node)
    found: list[tuple[int, Branch]] = []

    def walk(parent: UUID | None, depth: int) -> None:
        for node in below.get(parent, ()):
            found.append((depth, node))
            walk(node.pk, depth + 1)

    walk(None, 0)
    return found


def _check_branch(facts: dict[str, str], parent: Branch | None) -> None:
    if not facts["name"].strip():
        raise InvalidBranch("name", "Give it a name.")
    if facts["kind"] not in BRANCH_KINDS:
        raise InvalidBranch("kind", "It is a region, a branch or a team.")
    if facts["nmls_id"] and not facts["nmls_id"].isdecimal():
        raise InvalidBranch("nmls_id", "An NMLS ID is a number.")
    if facts["zone"] not in available_timezones():
        raise InvalidBranch("zone", "Choose a time zone.")
    if parent and parent.kind == "team":
        raise InvalidBranch("parent", "Nothing lies below a team; choose a branch or a region.")
