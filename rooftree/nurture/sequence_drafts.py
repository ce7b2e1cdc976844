"""Drafts of sequences: made new, copied, edited by anyone who can, and sent for approval."""

from datetime import datetime
from typing import Any

from rooftree.core.user_errors import UserError
from rooftree.core.uuid7 import uuid7_at
from rooftree.nurture import sequence_approval
from rooftree.nurture.models import Sequence, SequenceDraft
from rooftree.org.models import User

RESERVED_KEYS = frozenset({"new", "calendar", "library", "editions"})  # addresses of other pages
MAX_KEY_LENGTH = 50


def create_draft(*, name: str, copied_key: str, by: User, at: datetime) -> SequenceDraft:
    """Begin a sequence, empty or as a copy of another one. Raises `UserError`."""
    name = " ".join(name.split())[:120]
    plain = "".join(char if char.isascii() and char.isalnum() else " " for char in name.lower())
    key = "_".join(plain.split())[:MAX_KEY_LENGTH].strip("_")
    if not key:
        raise UserError("Enter a name with letters or digits.", field="name")
    is_taken = Sequence.objects.filter(key=key).exists() or load_draft(key) is not None
    if is_taken or key in RESERVED_KEYS:
        raise UserError("There is a sequence of this name already.", field="name")
    original = find_newest(copied_key) if copied_key else None
    return SequenceDraft.objects.create(
        id=uuid7_at(at),
        key=key,
        name=name,
        steps=original.steps if original else [],
        rules=original.rules if original else {},
        edited_by=by,
        edited_at=at,
    )


def find_newest(key: str) -> Sequence | None:
    """Return the newest version that is or was live, else the newest one that waits."""
    rows = Sequence.objects.filter(key=key).order_by("-version")
    return rows.exclude(from_at=None).first() or rows.filter(decided_at=None).first()


def load_draft(key: str) -> SequenceDraft | None:
    """Return the draft of a sequence, or None."""
    return SequenceDraft.objects.select_related("edited_by").filter(key=key).first()


def save_draft(
    draft: SequenceDraft, *, steps: list[Any], rules: dict[str, Any], by: User, at: datetime
) -> SequenceDraft:
    """Save what was typed; it can still have problems."""
    row, _ = SequenceDraft.objects.update_or_create(
        key=draft.key,
        defaults={
            "name": draft.name,
            "steps": steps,
            "rules": rules,
            "edited_by": by,
            "edited_at": at,
        },
    )
    return row


def delete_draft(key: str) -> None:
    """Delete the draft of a sequence; do nothing if there is none."""
    SequenceDraft.objects.filter(key=key).delete()


def propose_draft(draft: SequenceDraft, *, by: User, summary: str, at: datetime) -> Sequence:
    """Send a draft for approval and delete it. Raises `version_approval.CannotDecideVersion`."""
    proposal = sequence_approval.propose_draft(
        Sequence(key=draft.key, name=draft.name, steps=draft.steps, rules=draft.rules),
        by=by,
        summary=summary,
        at=at,
    )
    delete_draft(draft.key)
    return proposal
