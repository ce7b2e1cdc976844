"""The tree of regions, branches and teams: add, rename and move its nodes."""

from datetime import datetime
from uuid import UUID
from zoneinfo import available_timezones

from django.db.transaction import atomic

from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.statements import execute
from rooftree.ledger.write_events import write_event
from rooftree.org.models import Branch, User

BRANCH_KINDS = {"region": "Region", "branch": "Branch", "team": "Team"}
EDITABLE_FIELDS = ("name", "kind", "nmls_id", "zone")
_MOVE_SUBTREE = """
    update branch set path = %(to)s || substr(path, length(%(was)s) + 1)
     where path like %(was)s || '%%'
"""


class InvalidBranch(InvalidField):
    """A change to the branch tree is invalid."""


def add_branch(
    *, name: str, kind: str, parent: Branch | None, by: User, at: datetime, **options: str
) -> Branch:
    """Add a node below `parent` (None: at the top). Raises `InvalidBranch`.

    Args:
        options: `zone` (else the parent's) and `nmls_id`.
    """
    zone = options.get("zone") or (parent.zone if parent else "America/New_York")
    nmls_id = options.get("nmls_id", "")
    _check_branch({"name": name, "kind": kind, "zone": zone, "nmls_id": nmls_id}, parent)
    branch_id = uuid7_at(at)
    parent_path = parent.path if parent else "/"
    with atomic():
        branch = Branch.objects.create(
            id=branch_id,
            parent=parent,
            name=name.strip(),
            kind=kind,
            nmls_id=nmls_id,
            zone=zone,
            path=f"{parent_path}{branch_id}/",
        )
        write_event(
            "org.branch.added",
            at=at,
            actor=f"user:{by.pk}",
            branch_id=branch.pk,
            kind_of=kind,
            parent_id=parent.pk if parent else None,
        )
    return branch


def update_branch(
    *, branch_id: UUID | str, parent: Branch | None, by: User, at: datetime, **changes: str
) -> Branch:
    """Edit a node, or move it with its whole subtree. Raises `InvalidBranch`.

    Visibility of leads follows the tree at once.
    """
    if changes.keys() - set(EDITABLE_FIELDS):
        raise InvalidBranch(
            "", "You can change only a branch's name, kind, NMLS ID, zone and parent."
        )
    with atomic():
        node = Branch.objects.select_for_update().get(pk=branch_id)
        _check_branch(
            {name: changes.get(name, getattr(node, name)) for name in EDITABLE_FIELDS}, parent
        )
        if parent and parent.path.startswith(node.path):
            raise InvalidBranch("parent", "A branch can't be below itself.")
        changed = [name for name, value in changes.items() if getattr(node, name) != value]
        is_moved = node.parent_id != (parent.pk if parent else None)
        Branch.objects.filter(pk=node.pk).update(**changes, parent=parent)
        if is_moved:
            to = f"{parent.path if parent else '/'}{node.pk}/"
            execute(_MOVE_SUBTREE, {"to": to, "was": node.path})
        if changed or is_moved:
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
    """List the tree from the top with each node's depth, siblings by name."""
    children: dict[UUID | None, list[Branch]] = {}
    for node in Branch.objects.order_by("name", "id"):
        children.setdefault(node.parent_id, []).append(node)
    tree: list[tuple[int, Branch]] = []

    def walk(parent: UUID | None, depth: int) -> None:
        for node in children.get(parent, ()):
            tree.append((depth, node))
            walk(node.pk, depth + 1)

    walk(None, 0)
    return tree


def _check_branch(values: dict[str, str], parent: Branch | None) -> None:
    if not values["name"].strip():
        raise InvalidBranch("name", "Enter a name.")
    if values["kind"] not in BRANCH_KINDS:
        raise InvalidBranch("kind", "Choose region, branch or team.")
    if values["nmls_id"] and not values["nmls_id"].isdecimal():
        raise InvalidBranch("nmls_id", "An NMLS ID is a number.")
    if values["zone"] not in available_timezones():
        raise InvalidBranch("zone", "Choose a time zone.")
    if parent and parent.kind == "team":
        raise InvalidBranch(
            "parent", "A team can't have anything below it. Choose a branch or a region."
        )
