"""Versions of content sent to borrowers: proposed by one person, approved by another.

An approval has an end. After it nothing automatic is created from the version or sent with it.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.db.transaction import atomic

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.statements import execute
from rooftree.ledger.write_events import write_event
from rooftree.org import staff_notices
from rooftree.org.models import User
from rooftree.outreach.models import ContentVersion
from rooftree.routing.permissions import ROLES_BY_PERMISSION

APPROVE_PERMISSION = "approve_wording"  # key of `routing.permissions.ROLES_BY_PERMISSION`
MAX_APPROVAL = timedelta(days=365)  # longest approval (docs/rules/content.md)
MAX_REASON_LENGTH = 300  # characters
_MUTEX = 7_202  # advisory lock id, held by every change of a version


class CannotDecideVersion(Exception):
    """The version can't be proposed, decided or restored. The text can be shown to staff."""


class UnfitVersion(CannotDecideVersion):
    """The content has to be fixed first; `problems` are sentences for staff."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


type Check[E] = Callable[[E], Sequence[str]]


def prepare_first_version[E: ContentVersion](draft: E, *, is_approved: bool, at: datetime) -> E:
    """Fill in a default as version 1 and return it.

    It waits for somebody to read and approve it, or is approved from `at` for MAX_APPROVAL.
    """
    draft.version, draft.summary, draft.written_at = 1, "Default", at
    if is_approved:
        draft.decided_at = draft.from_at = at
        draft.approved_until = at + MAX_APPROVAL
    return draft


def waiting_defaults[E: ContentVersion](kind: type[E]) -> "QuerySet[E]":
    """Return the defaults that nobody here has approved or refused yet."""
    return kind._default_manager.filter(written_by=None, decided_at=None)


def propose_version[E: ContentVersion](
    draft: E, *, by: User, summary: str, check: Check[E], at: datetime
) -> E:  # fmt: skip
    """Send a draft for approval, as the next version of its place.

    Raises `UnfitVersion`, or `CannotDecideVersion` without a summary or while another version
    waits for approval.
    """
    if not (summary := _clean_line(summary)):
        raise CannotDecideVersion("Say what changed and why. The version history shows it.")
    _raise_if_unfit(draft, check)
    with atomic():
        _lock_versions()
        others = versions_of_place(draft)
        if waiting := others.filter(decided_at=None).first():
            raise CannotDecideVersion(f"v{waiting.version} waits for approval. Withdraw it first.")
        draft.id = uuid7_at(at)  # type: ignore[attr-defined]
        draft.version, draft.summary = _next_version_number(others), summary
        draft.written_by, draft.written_at = by, at
        draft.save(force_insert=True)
        _write_event("proposed", draft, by, at)
        _notify_users(
            approvers(), draft, f"{by.name} asks you to approve {draft}: {summary}", by, at
        )
    return draft


def approve_version[E: ContentVersion](
    version: E,
    *,
    by: User,
    until: datetime,
    check: Check[E],
    at: datetime,
    self_approved: bool = False,
) -> E:
    """Put a version into use until its approval ends, and end the live version.

    Safe to repeat. Raises `CannotDecideVersion` and `UnfitVersion`.

    Args:
        self_approved: the author confirms that no one else here can approve. It is stored with
            the version for good, and refused, also by the database, if it isn't true.
    """
    if not at < until <= at + MAX_APPROVAL:
        raise CannotDecideVersion("Choose an end date within the next 12 months.")
    with atomic():
        _lock_versions()
        locked = _reload_locked(version)
        if locked.decided_at is not None:
            return _accept_repeat_decision(locked, by, is_approved=True)
        is_own = locked.written_by == by
        if is_own and not (self_approved and is_only_approver(by)):
            raise CannotDecideVersion("Someone other than its author has to approve it.")
        _raise_if_unfit(locked, check)
        _end_live_version(locked, at)
        locked.decided_by, locked.decided_at, locked.is_alone = by, at, is_own
        locked.from_at, locked.approved_until = at, until
        locked.save(
            update_fields=["decided_by", "decided_at", "is_alone", "from_at", "approved_until"]
        )
        _write_event("approved", locked, by, at, until=until, is_alone=is_own or None)
        _notify_users([locked.written_by], locked, f"{by.name} approved {locked}.", by, at)
    return locked


def refuse_version[E: ContentVersion](version: E, *, by: User, reason: str, at: datetime) -> E:
    """Refuse a version for good, with a reason. Its author withdraws it the same way."""
    if not (reason := _clean_line(reason)):
        raise CannotDecideVersion("Enter a reason. The author will see it.")
    with atomic():
        _lock_versions()
        locked = _reload_locked(version)
        if locked.decided_at is not None:
            return _accept_repeat_decision(locked, by, is_approved=False)
        locked.decided_by, locked.decided_at, locked.refusal = by, at, reason
        locked.save(update_fields=["decided_by", "decided_at", "refusal"])
        _write_event("refused", locked, by, at)
        _notify_users([locked.written_by], locked, f"{by.name} refused {locked}: {reason}", by, at)
    return locked


def withdraw_version[E: ContentVersion](version: E, *, by: User, reason: str, at: datetime) -> E:
    """Stop using a version at once, also for queued messages; nothing replaces it."""
    if not (reason := _clean_line(reason)):
        raise CannotDecideVersion("Enter a reason. It is kept with the version.")
    with atomic():
        _lock_versions()
        locked = _reload_locked(version)
        if locked.from_at is None or not locked.is_approved(at):
            raise CannotDecideVersion("This version has no approval in force.")
        locked.until_at, locked.approved_until = locked.until_at or at, at
        locked.end_reason = reason
        locked.save(update_fields=["until_at", "approved_until", "end_reason"])
        _write_event("withdrawn", locked, by, at)
    return locked


def restore_version[E: ContentVersion](version: E, *, by: User, check: Check[E], at: datetime) -> E:
    """Use an earlier version again, as the next version, under its original approval.

    Raises `CannotDecideVersion` if that approval is over, `UnfitVersion` if today's rules
    forbid the content.
    """
    with atomic():
        _lock_versions()
        locked = _reload_locked(version)
        if locked.state == "live" and locked.is_approved(at):
            return locked
        if locked.from_at is None or not locked.is_approved(at):
            raise CannotDecideVersion(
                f"The approval of v{locked.version} is over. Send it for approval."
            )
        if locked.is_alone and not is_only_approver(by):
            raise CannotDecideVersion("Its author approved it alone. Send it for approval.")
        _raise_if_unfit(locked, check)
        _end_live_version(locked, at)
        restored = copy_as_draft(locked)
        restored.id = uuid7_at(at)  # type: ignore[attr-defined]
        restored.version = _next_version_number(versions_of_place(locked))
        restored.summary = f"Back to v{locked.version}, by {by.name}"[:MAX_REASON_LENGTH]
        restored.from_at, restored.approved_until = at, locked.approved_until
        for name in ("written_by_id", "written_at", "decided_by_id", "decided_at", "is_alone"):
            setattr(restored, name, getattr(locked, name))
        restored.save(force_insert=True)
        _write_event("put_back", restored, by, at, of=locked.pk)
    return restored


def copy_as_draft[E: ContentVersion](version: E) -> E:
    """Return an unsaved draft with the same place and content."""
    approval_columns = {
        field.attname for field in ContentVersion._meta.get_fields() if hasattr(field, "attname")
    }
    content = {
        field.attname: getattr(version, field.attname)
        for field in version._meta.concrete_fields
        if field.attname not in approval_columns and not field.primary_key
    }
    return type(version)(**content)


def versions_of_place[E: ContentVersion](version: E) -> "QuerySet[E]":
    """Return all versions of the same place, newest first."""
    place = {name: getattr(version, name) for name in version.PLACE_COLUMNS}
    return type(version)._default_manager.filter(**place).order_by("-version")


def in_use_filter(at: datetime) -> Q:
    """Return a filter for the versions in use at `at`, approved or not."""
    return Q(from_at__lte=at) & (Q(until_at=None) | Q(until_at__gt=at))


def approvers() -> "QuerySet[User]":
    """Return the users who can approve, by name."""
    return User.objects.with_role(*ROLES_BY_PERMISSION[APPROVE_PERMISSION]).order_by("name", "pk")


def is_only_approver(user: User) -> bool:
    """Return True if no one else can approve. Then the author can, and the page shows it."""
    return list(approvers().values_list("pk", flat=True)) == [user.pk]


def content_hash(version: ContentVersion) -> str:
    """Return the SHA-256 of the content."""
    return hashlib.sha256(version.content_text.encode()).hexdigest()


def _lock_versions() -> None:
    execute("select pg_advisory_xact_lock(%s)", [_MUTEX])


def _reload_locked[E: ContentVersion](version: E) -> E:
    return type(version)._default_manager.select_for_update().get(pk=version.pk)


def _next_version_number(others: "QuerySet[Any]") -> int:
    newest = others.first()
    return newest.version + 1 if newest else 1


def _raise_if_unfit[E: ContentVersion](version: E, check: Check[E]) -> None:
    if problems := check(version):
        raise UnfitVersion(problems)


def _end_live_version(version: ContentVersion, at: datetime) -> None:
    versions_of_place(version).filter(from_at__isnull=False, until_at=None).update(until_at=at)


def _accept_repeat_decision[E: ContentVersion](version: E, by: User, *, is_approved: bool) -> E:
    """Return a version the same user decided this way before; raise if someone else did."""
    if version.decided_by == by and (version.from_at is not None) == is_approved:
        return version
    raise CannotDecideVersion("Someone already decided this.")


def _write_event(event: str, version: ContentVersion, by: User, at: datetime, **more: Any) -> None:
    noun = type(version)._meta.db_table
    write_event(
        f"outreach.{noun}.{event}",
        at=at,
        actor=f"user:{by.pk}",
        edition=version.pk,
        version=version.version,
        place="/".join(
            getattr(version, name) for name in version.PLACE_COLUMNS if getattr(version, name)
        ),
        sha256=content_hash(version),
        **more,
    )


def _notify_users(
    users: Iterable[User | None], version: ContentVersion, text: str, by: User, at: datetime
) -> None:  # fmt: skip
    """Notify users about a version, except the user who acted."""
    link, cause = (
        f"{version.PAGE_PATH}editions/{version.pk}/",
        f"edition:{version.pk}:{version.state}",
    )
    staff_notices.save_notices(
        [
            staff_notices.build_notice(
                user_id=user.pk, kind="edition", cause=cause, text=text, link=link, at=at
            )
            for user in users
            if user and user != by
        ]
    )


def _clean_line(typed: str) -> str:
    return " ".join(typed.replace("\x00", "").split())[:MAX_REASON_LENGTH]
