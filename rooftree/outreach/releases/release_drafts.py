"""Whom a release is for: gathered while it is a draft, counted and shut when that is over."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.transaction import atomic

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_new_rows
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.org import staff_notices
from rooftree.org.models import User
from rooftree.outreach.releases import release_limits
from rooftree.outreach.releases.models import Release, ReleaseMember
from rooftree.routing.permissions import ROLES_BY_PERMISSION

APPROVE_PERMISSION = "approve_release"  # of `routing.visible.MAY`
QUIET_PERIOD = timedelta(minutes=1)
_MUTEX = 7_203  # advisory lock of whoever looks for the draft that something arising belongs to


def create_draft(
    *, kind: str, title: str, about: dict[str, Any], by: User | None, at: datetime
) -> Release:
    """An empty draft, under the limits of today."""
    made = Release.objects.create(
        id=uuid7_at(at),
        kind=kind,
        title=title[:200],
        about=about,
        made_by=by,
        made_at=at,
        grown_at=at,
        **asdict(release_limits.current_limits(at=at)),
    )
    write_release_event("begun", made, by, at, of=kind)
    return made


def add_members(release: Release, members: Mapping[str, Lead], *, at: datetime) -> int:
    """Put people into a draft, each once however many leads they have; how many are new.

    Args:
        members: by the cause of the messages that will be made, the lead they will be about.
    """
    rows = [
        ReleaseMember(
            id=uuid7_at(at), release=release, person_id=lead.person_id, lead=lead, cause=cause
        )
        for cause, lead in members.items()
    ]
    added = len(insert_new_rows(rows))
    Release.objects.filter(pk=release.pk).update(grown_at=at)
    return added


def create_and_seal(
    *, kind: str, title: str, members: Mapping[str, Lead], about: dict[str, Any] | None = None,
    at: datetime,
) -> Release:  # fmt: skip
    """A release that nobody made by hand, of people who are all known; see `seal`.

    Call in the transaction that would have made the messages.
    """
    release = create_draft(kind=kind, title=title, about=about or {}, by=None, at=at)
    add_members(release, members, at=at)
    return seal_draft(release.pk, by=None, at=at)


def join_shared_draft(
    *, kind: str, title: str, about: dict[str, Any], members: Mapping[str, Lead], at: datetime
) -> None:
    """Put people who come one after the other into the one draft about the same; see `seal_quiet`.

    Call in the transaction that would have made the messages.
    """
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_MUTEX])
    drafts = Release.objects.filter(state="draft", made_by=None, kind=kind, about=about)
    release = drafts.first() or create_draft(kind=kind, title=title, about=about, by=None, at=at)
    add_members(release, members, at=at)


def seal_quiet_drafts(*, at: datetime) -> None:
    """Seal the drafts that people joined one after the other, once nobody has for a while."""
    quiet = Release.objects.filter(state="draft", made_by=None, grown_at__lte=at - QUIET_PERIOD)
    for key in quiet.values_list("pk", flat=True):
        seal_draft(key, by=None, at=at)


def seal_draft(release_id: UUID, *, by: User | None, at: datetime) -> Release:
    """Nobody joins a draft any more: a small one goes, a large one waits for a second person.

    Twice is once. Nobody in it: it is stopped.
    """
    with atomic():
        release = Release.objects.select_for_update().get(pk=release_id)
        if release.state != "draft":
            return release
        release.size = release.members.count()
        small = "going" if release.size else "stopped"
        release.state = "waiting" if release.size > release.free_size else small
        release.because = "" if release.size else "Nobody is in it."
        release.ended_at = None if release.size else at
        release.save(update_fields=["size", "state", "because", "ended_at"])
        write_release_event(release.state, release, by, at, size=release.size)
        if release.state == "waiting":
            _request_approval(release, by, at)
    return release


def list_approvers(release: Release) -> list[User]:
    """Who may let it go: everybody with the right, but not whoever made it."""
    rows = User.objects.filter(is_active=True, role__in=ROLES_BY_PERMISSION[APPROVE_PERMISSION])
    return [row for row in rows.order_by("name", "pk") if row.pk != release.made_by_id]


def _request_approval(release: Release, by: User | None, at: datetime) -> None:
    who = by.name if by else "The program"
    text = f"{who} asks for a second person: {release.title}, to {release.size:,} people."
    notify_users(release, list_approvers(release), text, at)


def notify_users(release: Release, users: Iterable[User | None], text: str, at: datetime) -> None:
    """Leave a notice with some of the staff about what a release has come to."""
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
    what: str, release: Release, by: User | None, at: datetime, **more: Any
) -> None:
    """Write down in the ledger what a release has come to, and by whom."""
    actor = f"user:{by.pk}" if by else "system:releases"
    write_event(f"outreach.release.{what}", at=at, actor=actor, release=release.pk, **more)
