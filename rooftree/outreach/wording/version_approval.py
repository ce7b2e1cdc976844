"""Editions of what borrowers are sent: proposed by one person, approved by another, kept.

What is approved says until when. After that nothing automatic is made of it or sent with it.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.transaction import atomic

from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write_events import write_event
from rooftree.org import staff_notices
from rooftree.org.models import User
from rooftree.outreach.models import ContentVersion
from rooftree.routing.permissions import ROLES_BY_PERMISSION

APPROVE_PERMISSION = "approve_wording"  # of `routing.visible.MAY`
MAX_APPROVAL = timedelta(days=365)  # of an approval (docs/rules/content.md)
MAX_REASON_LENGTH = 300  # characters
_MUTEX = 7_202  # advisory lock of every change of an edition


class CannotDecideVersion(Exception):
    """The edition cannot be proposed, decided or put back. The text is fit to show."""


class UnfitVersion(CannotDecideVersion):
    """What it says must be written anew first; `problems` are sentences."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


type Check[E] = Callable[[E], Sequence[str]]


def prepare_first_version[E: ContentVersion](draft: E, *, at: datetime) -> E:
    """The first edition of its place, which comes with the program: approved for the longest."""
    draft.version, draft.summary = 1, "What a company starts with"
    draft.written_at = draft.decided_at = draft.from_at = at
    draft.approved_until = at + MAX_APPROVAL
    return draft


def propose_version[E: ContentVersion](
    draft: E, *, by: User, summary: str, check: Check[E], at: datetime
) -> E:  # fmt: skip
    """Send what somebody wrote for approval, as the next edition of its place.

    Raises `NotFit`, or `CannotDecide` without a summary and while another one waits.
    """
    if not (summary := _clean_line(summary)):
        raise CannotDecideVersion("Say what changed and why; the history shows it.")
    _raise_if_unfit(draft, check)
    with atomic():
        _lock_versions()
        others = versions_of_place(draft)
        if waiting := others.filter(decided_at=None).first():
            raise CannotDecideVersion(f"v{waiting.version} waits for approval; take it back first.")
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
    edition: E, *, by: User, until: datetime, check: Check[E], at: datetime, self_approved: bool = False
) -> E:  # fmt: skip
    """Use an edition from now on, until its approval ends; the one before it ends now.

    Args:
        alone: the author says that nobody else here may approve. It stands beside the
            edition for good, and is refused, also by the database, when it is not so.

    Approving twice is no error. Raises `CannotDecide` and `NotFit`.
    """
    if not at < until <= at + MAX_APPROVAL:
        raise CannotDecideVersion("An approval ends within 12 months, on a day to come.")
    with atomic():
        _lock_versions()
        one = _reload_locked(edition)
        if one.decided_at is not None:
            return _accept_repeat_decision(one, by, is_approved=True)
        is_own = one.written_by == by
        if is_own and not (self_approved and is_only_approver(by)):
            raise CannotDecideVersion("Somebody else than its author must approve it.")
        _raise_if_unfit(one, check)
        _end_live_version(one, at)
        one.decided_by, one.decided_at, one.is_alone = by, at, is_own
        one.from_at, one.approved_until = at, until
        _save_columns(one, "decided_by", "decided_at", "is_alone", "from_at", "approved_until")
        _write_event("approved", one, by, at, until=until, is_alone=is_own or None)
        _notify_users([one.written_by], one, f"{by.name} approved {one}.", by, at)
    return one


def refuse_version[E: ContentVersion](edition: E, *, by: User, reason: str, at: datetime) -> E:
    """It is never used; the reason stands beside it. Its author takes it back the same way."""
    if not (reason := _clean_line(reason)):
        raise CannotDecideVersion("Say why: the author reads it.")
    with atomic():
        _lock_versions()
        one = _reload_locked(edition)
        if one.decided_at is not None:
            return _accept_repeat_decision(one, by, is_approved=False)
        one.decided_by, one.decided_at, one.refusal = by, at, reason
        _save_columns(one, "decided_by", "decided_at", "refusal")
        _write_event("refused", one, by, at)
        _notify_users([one.written_by], one, f"{by.name} refused {one}: {reason}", by, at)
    return one


def withdraw_version[E: ContentVersion](edition: E, *, by: User, reason: str, at: datetime) -> E:
    """Stop using an edition at once, also for what is in line; nothing takes its place."""
    if not (reason := _clean_line(reason)):
        raise CannotDecideVersion("Say why: the reason is kept with the edition.")
    with atomic():
        _lock_versions()
        one = _reload_locked(edition)
        if one.from_at is None or not one.is_approved(at):
            raise CannotDecideVersion("Its approval is not in force.")
        one.until_at, one.approved_until = one.until_at or at, at
        one.ended_because = reason
        _save_columns(one, "until_at", "approved_until", "ended_because")
        _write_event("withdrawn", one, by, at)
    return one


def restore_version[E: ContentVersion](edition: E, *, by: User, check: Check[E], at: datetime) -> E:
    """Use an earlier edition anew: as the next one, under the approval it has.

    Raises `CannotDecide` when that approval is over, and `NotFit` when rules of today forbid it.
    """
    with atomic():
        _lock_versions()
        one = _reload_locked(edition)
        if one.state == "live" and one.is_approved(at):
            return one
        if one.from_at is None or not one.is_approved(at):
            raise CannotDecideVersion(
                f"The approval of v{one.version} is over; send it for approval."
            )
        if one.is_alone and not is_only_approver(by):
            raise CannotDecideVersion("Its author approved it alone; send it for approval.")
        _raise_if_unfit(one, check)
        _end_live_version(one, at)
        made = copy_as_draft(one)
        made.id, made.version = uuid7_at(at), _next_version_number(versions_of_place(one))  # type: ignore[attr-defined]
        made.summary, made.from_at = f"Back to v{one.version}, by {by.name}"[:MAX_REASON_LENGTH], at
        made.approved_until = one.approved_until
        for name in ("written_by_id", "written_at", "decided_by_id", "decided_at", "is_alone"):
            setattr(made, name, getattr(one, name))
        made.save(force_insert=True)
        _write_event("put_back", made, by, at, of=one.pk)
    return made


def copy_as_draft[E: ContentVersion](one: E) -> E:
    """A draft that says the same of the same place."""
    left = {
        field.attname for field in ContentVersion._meta.get_fields() if hasattr(field, "attname")
    }
    said = {
        field.attname: getattr(one, field.attname)
        for field in one._meta.concrete_fields
        if field.attname not in left and not field.primary_key
    }
    return type(one)(**said)


def versions_of_place[E: ContentVersion](one: E) -> "QuerySet[E]":
    """Every edition of the same place, the newest first."""
    place = {name: getattr(one, name) for name in one.PLACE_COLUMNS}
    return type(one)._default_manager.filter(**place).order_by("-version")


def in_use_filter(at: datetime) -> Q:
    """The editions that were the ones in use at a moment, whatever their approval."""
    return Q(from_at__lte=at) & (Q(until_at=None) | Q(until_at__gt=at))


def approvers() -> "QuerySet[User]":
    """Everybody who may approve, by name."""
    return User.objects.filter(
        is_active=True, role__in=ROLES_BY_PERMISSION[APPROVE_PERMISSION]
    ).order_by("name", "pk")


def is_only_approver(user: User) -> bool:
    """Whether nobody else here may approve; then the author may, and it is shown."""
    return list(approvers().values_list("pk", flat=True)) == [user.pk]


def content_hash(edition: ContentVersion) -> str:
    """Of all that it says."""
    return hashlib.sha256(edition.content_text.encode()).hexdigest()


def _lock_versions() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_MUTEX])


def _reload_locked[E: ContentVersion](edition: E) -> E:
    return type(edition)._default_manager.select_for_update().get(pk=edition.pk)


def _next_version_number(others: "QuerySet[Any]") -> int:
    newest = others.first()
    return newest.version + 1 if newest else 1


def _raise_if_unfit[E: ContentVersion](edition: E, check: Check[E]) -> None:
    if problems := check(edition):
        raise UnfitVersion(problems)


def _end_live_version(one: ContentVersion, at: datetime) -> None:
    versions_of_place(one).filter(from_at__isnull=False, until_at=None).update(until_at=at)


def _accept_repeat_decision[E: ContentVersion](one: E, by: User, *, is_approved: bool) -> E:
    """The same press again; of two people who decide at once the second hears of the first."""
    if one.decided_by == by and (one.from_at is not None) == is_approved:
        return one
    raise CannotDecideVersion("Somebody has decided about it already.")


def _save_columns(one: ContentVersion, *names: str) -> None:
    """Change columns of a row that this transaction holds."""
    one.save(update_fields=[*names])


def _write_event(what: str, one: ContentVersion, by: User, at: datetime, **more: Any) -> None:
    noun = type(one)._meta.db_table
    write_event(
        f"outreach.{noun}.{what}",
        at=at,
        actor=f"user:{by.pk}",
        edition=one.pk,
        version=one.version,
        place="/".join(getattr(one, name) for name in one.PLACE_COLUMNS if getattr(one, name)),
        sha256=content_hash(one),
        **more,
    )


def _notify_users(
    users: Iterable[User | None], one: ContentVersion, text: str, by: User, at: datetime
) -> None:  # fmt: skip
    """Leave a notice with those it concerns, but not with whoever did it."""
    link, cause = f"{one.PAGE_PATH}editions/{one.pk}/", f"edition:{one.pk}:{one.state}"
    told = [user for user in users if user and user != by]
    staff_notices.save_notices(
        [
            staff_notices.build_notice(
                user_id=user.pk, kind="edition", cause=cause, text=text, link=link, at=at
            )
            for user in told
        ]
    )


def _clean_line(typed: str) -> str:
    return " ".join(typed.replace("\x00", "").split())[:MAX_REASON_LENGTH]
