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
from rooftree.ledger.write import write
from rooftree.org import notices
from rooftree.org.models import User
from rooftree.outreach.models import Edition
from rooftree.routing.visible import MAY

APPROVE = "approve_wording"  # of `routing.visible.MAY`
LONGEST = timedelta(days=365)  # of an approval (docs/rules/content.md)
REASON = 300  # characters
_MUTEX = 7_202  # advisory lock of every change of an edition


class CannotDecide(Exception):
    """The edition cannot be proposed, decided or put back. The text is fit to show."""


class NotFit(CannotDecide):
    """What it says must be written anew first; `problems` are sentences."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


type Check[E] = Callable[[E], Sequence[str]]


def started[E: Edition](draft: E, *, at: datetime) -> E:
    """The first edition of its place, which comes with the program: approved for the longest."""
    draft.version, draft.summary = 1, "What a company starts with"
    draft.written_at = draft.decided_at = draft.from_at = at
    draft.approved_until = at + LONGEST
    return draft


def propose[E: Edition](
    draft: E, *, by: User, summary: str, check: Check[E], at: datetime
) -> E:  # fmt: skip
    """Send what somebody wrote for approval, as the next edition of its place.

    Raises `NotFit`, or `CannotDecide` without a summary and while another one waits.
    """
    if not (summary := _line(summary)):
        raise CannotDecide("Say what changed and why; the history shows it.")
    _must_fit(draft, check)
    with atomic():
        _hold()
        others = of_place(draft)
        if waiting := others.filter(decided_at=None).first():
            raise CannotDecide(f"v{waiting.version} waits for approval; take it back first.")
        draft.id = uuid7_at(at)  # type: ignore[attr-defined]
        draft.version, draft.summary = _next(others), summary
        draft.written_by, draft.written_at = by, at
        draft.save(force_insert=True)
        _note("proposed", draft, by, at)
        _tell(approvers(), draft, f"{by.name} asks you to approve {draft}: {summary}", by, at)
    return draft


def approve[E: Edition](
    edition: E, *, by: User, until: datetime, check: Check[E], at: datetime, alone: bool = False
) -> E:  # fmt: skip
    """Use an edition from now on, until its approval ends; the one before it ends now.

    Args:
        alone: the author says that nobody else here may approve. It stands beside the
            edition for good, and is refused, also by the database, when it is not so.

    Approving twice is no error. Raises `CannotDecide` and `NotFit`.
    """
    if not at < until <= at + LONGEST:
        raise CannotDecide("An approval ends within 12 months, on a day to come.")
    with atomic():
        _hold()
        one = _again(edition)
        if one.decided_at is not None:
            return _decided_so(one, by, is_approved=True)
        is_own = one.written_by == by
        if is_own and not (alone and is_only_approver(by)):
            raise CannotDecide("Somebody else than its author must approve it.")
        _must_fit(one, check)
        _end_live(one, at)
        one.decided_by, one.decided_at, one.is_alone = by, at, is_own
        one.from_at, one.approved_until = at, until
        _save(one, "decided_by", "decided_at", "is_alone", "from_at", "approved_until")
        _note("approved", one, by, at, until=until, is_alone=is_own or None)
        _tell([one.written_by], one, f"{by.name} approved {one}.", by, at)
    return one


def refuse[E: Edition](edition: E, *, by: User, reason: str, at: datetime) -> E:
    """It is never used; the reason stands beside it. Its author takes it back the same way."""
    if not (reason := _line(reason)):
        raise CannotDecide("Say why: the author reads it.")
    with atomic():
        _hold()
        one = _again(edition)
        if one.decided_at is not None:
            return _decided_so(one, by, is_approved=False)
        one.decided_by, one.decided_at, one.refusal = by, at, reason
        _save(one, "decided_by", "decided_at", "refusal")
        _note("refused", one, by, at)
        _tell([one.written_by], one, f"{by.name} refused {one}: {reason}", by, at)
    return one


def withdraw[E: Edition](edition: E, *, by: User, reason: str, at: datetime) -> E:
    """Stop using an edition at once, also for what is in line; nothing takes its place."""
    if not (reason := _line(reason)):
        raise CannotDecide("Say why: the reason is kept with the edition.")
    with atomic():
        _hold()
        one = _again(edition)
        if one.from_at is None or not one.is_approved(at):
            raise CannotDecide("Its approval is not in force.")
        one.until_at, one.approved_until = one.until_at or at, at
        one.ended_because = reason
        _save(one, "until_at", "approved_until", "ended_because")
        _note("withdrawn", one, by, at)
    return one


def put_back[E: Edition](edition: E, *, by: User, check: Check[E], at: datetime) -> E:
    """Use an earlier edition anew: as the next one, under the approval it has.

    Raises `CannotDecide` when that approval is over, and `NotFit` when rules of today forbid it.
    """
    with atomic():
        _hold()
        one = _again(edition)
        if one.state == "live" and one.is_approved(at):
            return one
        if one.from_at is None or not one.is_approved(at):
            raise CannotDecide(f"The approval of v{one.version} is over; send it for approval.")
        if one.is_alone and not is_only_approver(by):
            raise CannotDecide("Its author approved it alone; send it for approval.")
        _must_fit(one, check)
        _end_live(one, at)
        made = copied(one)
        made.id, made.version = uuid7_at(at), _next(of_place(one))  # type: ignore[attr-defined]
        made.summary, made.from_at = f"Back to v{one.version}, by {by.name}"[:REASON], at
        made.approved_until = one.approved_until
        for name in ("written_by_id", "written_at", "decided_by_id", "decided_at", "is_alone"):
            setattr(made, name, getattr(one, name))
        made.save(force_insert=True)
        _note("put_back", made, by, at, of=one.pk)
    return made


def copied[E: Edition](one: E) -> E:
    """A draft that says the same of the same place."""
    left = {field.attname for field in Edition._meta.get_fields() if hasattr(field, "attname")}
    said = {
        field.attname: getattr(one, field.attname)
        for field in one._meta.concrete_fields
        if field.attname not in left and not field.primary_key
    }
    return type(one)(**said)


def of_place[E: Edition](one: E) -> "QuerySet[E]":
    """Every edition of the same place, the newest first."""
    place = {name: getattr(one, name) for name in one.PLACE}
    return type(one)._default_manager.filter(**place).order_by("-version")


def used_at(at: datetime) -> Q:
    """The editions that were the ones in use at a moment, whatever their approval."""
    return Q(from_at__lte=at) & (Q(until_at=None) | Q(until_at__gt=at))


def approvers() -> "QuerySet[User]":
    """Everybody who may approve, by name."""
    return User.objects.filter(is_active=True, role__in=MAY[APPROVE]).order_by("name", "pk")


def is_only_approver(user: User) -> bool:
    """Whether nobody else here may approve; then the author may, and it is shown."""
    return list(approvers().values_list("pk", flat=True)) == [user.pk]


def sha256(edition: Edition) -> str:
    """Of all that it says."""
    return hashlib.sha256(edition.says.encode()).hexdigest()


def _hold() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_MUTEX])


def _again[E: Edition](edition: E) -> E:
    return type(edition)._default_manager.select_for_update().get(pk=edition.pk)


def _next(others: "QuerySet[Any]") -> int:
    newest = others.first()
    return newest.version + 1 if newest else 1


def _must_fit[E: Edition](edition: E, check: Check[E]) -> None:
    if problems := check(edition):
        raise NotFit(problems)


def _end_live(one: Edition, at: datetime) -> None:
    of_place(one).filter(from_at__isnull=False, until_at=None).update(until_at=at)


def _decided_so[E: Edition](one: E, by: User, *, is_approved: bool) -> E:
    """The same press again; of two people who decide at once the second hears of the first."""
    if one.decided_by == by and (one.from_at is not None) == is_approved:
        return one
    raise CannotDecide("Somebody has decided about it already.")


def _save(one: Edition, *names: str) -> None:
    """Change columns of a row that this transaction holds."""
    one.save(update_fields=[*names])


def _note(what: str, one: Edition, by: User, at: datetime, **more: Any) -> None:
    noun = type(one)._meta.db_table
    write(
        f"outreach.{noun}.{what}",
        at=at,
        actor=f"user:{by.pk}",
        edition=one.pk,
        version=one.version,
        place="/".join(getattr(one, name) for name in one.PLACE if getattr(one, name)),
        sha256=sha256(one),
        **more,
    )


def _tell(
    users: Iterable[User | None], one: Edition, text: str, by: User, at: datetime
) -> None:  # fmt: skip
    """Leave a notice with those it concerns, but not with whoever did it."""
    link, cause = f"{one.PAGE}editions/{one.pk}/", f"edition:{one.pk}:{one.state}"
    told = [user for user in users if user and user != by]
    notices.tell_all(
        [
            notices.made(user_id=user.pk, kind="edition", cause=cause, text=text, link=link, at=at)
            for user in told
        ]
    )


def _line(typed: str) -> str:
    return " ".join(typed.replace("\x00", "").split())[:REASON]
