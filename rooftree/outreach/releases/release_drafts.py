"""Draft releases: collect their people, then seal them and ask for approval if they are large."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.transaction import atomic

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_new_rows
from rooftree.db.statements import execute
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.org import staff_notices
from rooftree.org.models import User
from rooftree.outreach.releases import release_limits
from rooftree.outreach.releases.models import Release, ReleaseMember
from rooftree.routing.permissions import ROLES_BY_PERMISSION

APPROVE_PERMISSION = "approve_release"  # key of `routing.permissions.ROLES_BY_PERMISSION`
QUIET_PERIOD = timedelta(minutes=1)  # a shared draft without new people is sealed after it
_MUTEX = 7_203  # advisory lock id, held while finding or creating a shared draft


def create_draft(
    *, kind: str, title: str, about: dict[str, Any], by: User | None, at: datetime
) -> Release:
    """Create an empty draft with today's limits."""
    release = Release.objects.create(
        id=uuid7_at(at),
        kind=kind,
        title=title[:200],
        about=about,
        made_by=by,
        made_at=at,
        last_added_at=at,
        **asdict(release_limits.current_limits(at=at)),
    )
    write_release_event("begun", release, by, at, of=kind)
    return release


def add_members(release: Release, members: Mapping[str, Lead], *, at: datetime) -> int:
    """Add people to a draft, each person once even with several leads; return how many are new.

    Args:
        members: the lead of each person, by the cause of the messages to create.
    """
    rows = [
        ReleaseMember(
            id=uuid7_at(at),
            release=release,
            person_id=lead.person_id,
            lead=lead,
            idempotency_key=cause,
        )
        for cause, lead in members.items()
    ]
    added = len(insert_new_rows(rows))
    Release.objects.filter(pk=release.pk).update(last_added_at=at)
    return added


def create_and_seal(
    *, kind: str, title: str, members: Mapping[str, Lead], about: dict[str, Any] | None = None,
    at: datetime,
) -> Release:  # fmt: skip
    """Create a release by program with all its people, and seal it; see `seal_draft`.

    Call in the transaction that would otherwise have created the messages.
    """
    release = create_draft(kind=kind, title=title, about=about or {}, by=None, at=at)
    add_members(release, members, at=at)
    return seal_draft(release.pk, by=None, at=at)


def join_shared_draft(
    *, kind: str, title: str, about: dict[str, Any], members: Mapping[str, Lead], at: datetime
) -> None:
    """Add people to the shared draft of this kind and subject; see `seal_quiet_drafts`.

    For people who arrive one after another. Call in the transaction that would otherwise have
    created the messages.
    """
    execute("select pg_advisory_xact_lock(%s)", [_MUTEX])
    drafts = Release.objects.filter(state="draft", made_by=None, kind=kind, about=about)
    release = drafts.first() or create_draft(kind=kind, title=title, about=about, by=None, at=at)
    add_members(release, members, at=at)


def seal_quiet_drafts(*, at: datetime) -> None:
    """Seal shared drafts that nobody has joined for QUIET_PERIOD."""
    quiet = Release.objects.filter(
        state="draft", made_by=None, last_added_at__lte=at - QUIET_PERIOD
    )
    for key in quiet.values_list("pk", flat=True):
        seal_draft(key, by=None, at=at)


def seal_draft(release_id: UUID, *, by: User | None, at: datetime) -> Release:
    """Close a draft to new people: send a small one, ask for approval of a large one.

    A draft without people is stopped. Safe to repeat.
    """
    with atomic():
        release = Release.objects.select_for_update().get(pk=release_id)
        if release.state != "draft":
            return release
        release.size = release.members.count()
        state_if_small = "going" if release.size else "stopped"
        release.state = "waiting" if release.size > release.free_size else state_if_small
        release.stop_reason = "" if release.size else "No one matched."
        release.ended_at = None if release.size else at
        release.save(update_fields=["size", "state", "stop_reason", "ended_at"])
        write_release_event(release.state, release, by, at, size=release.size)
        if release.state == "waiting":
            author = by.name if by else "Rooftree"
            text = f"{author} asks for your approval: {release.title}, to {release.size:,} people."
            notify_users(release, list_approvers(release), text, at)
    return release


def list_approvers(release: Release) -> list[User]:
    """Return the users who can approve a release: all with the permission except its maker."""
    rows = User.objects.with_role(*ROLES_BY_PERMISSION[APPROVE_PERMISSION])
    return [row for row in rows.order_by("name", "pk") if row.pk != release.made_by_id]


def notify_users(release: Release, users: Iterable[User | None], text: str, at: datetime) -> None:
    """Notify users about the new state of a release."""
    cause = f"release:{release.pk}:{release.state}"
    staff_notices.save_notices(
        [
            staff_notices.build_notice(
                user_id=user.pk, kind="release", cause=cause, text=text[:300],
                link=f"/compliance/releases/{release.pk}/", at=at,
            )
            for user in users
            if user
        ]
    )  # fmt: skip


def write_release_event(
    event: str, release: Release, by: User | None, at: datetime, **more: Any
) -> None:
    """Write a release event to the ledger, with the user who caused it."""
    actor = f"user:{by.pk}" if by else "system:releases"
    write_event(f"outreach.release.{event}", at=at, actor=actor, release=release.pk, **more)
