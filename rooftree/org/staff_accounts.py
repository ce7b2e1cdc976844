"""Staff accounts: add users and officers, change roles, deactivate users."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.transaction import atomic

from rooftree.core.user_errors import UserError
from rooftree.core.uuid7 import uuid7_at
from rooftree.db import trigger_clock
from rooftree.ledger.write_events import write_event
from rooftree.org import (
    officer_availability,
    role_combinations,
    staff_sessions,
    working_hours,
)
from rooftree.org.models import PARTNER, ROLES, ApiKey, Branch, LoanOfficer, User

NO_OFFICER_ROLE = "not a loan officer now"  # after "Not taking leads"


class StaffChangeError(UserError):
    """A change of staff is invalid."""


def add_user(
    *, email: str, name: str, roles: Sequence[str], branch: Branch | None, by: User | None,
    at: datetime,
) -> User:  # fmt: skip
    """Add a user, who can't sign in until a password or passkey is set.

    Args:
        roles: the primary role first.
        branch: None is the whole company.
        by: None when the installation creates its first administrator.

    Raises `StaffChangeError`.
    """
    roles = _validate_roles(roles)
    return _create_user(User(email=email, name=name, roles=roles, branch=branch), by, at)


def add_partner_user(*, email: str, name: str, by: User, at: datetime) -> User:
    """Add an account for a partner, who isn't staff. Raises `StaffChangeError`."""
    return _create_user(User(email=email, name=name, roles=[PARTNER]), by, at)


def _create_user(user: User, by: User | None, at: datetime) -> User:
    user.email, user.name = user.email.strip().lower(), user.name.strip()
    try:
        validate_email(user.email)
    except ValidationError as error:
        raise StaffChangeError("This isn't a valid email address.") from error
    if not user.name:
        raise StaffChangeError("Enter a name.")
    if User.objects.filter(email__iexact=user.email).exists():
        raise StaffChangeError("A user with this email address already exists.")
    with atomic():
        user.id = uuid7_at(at)
        user.set_unusable_password()
        user.save(force_insert=True)
        write_event(
            "org.user.added", at=at, actor=_actor_name(by), user_id=user.pk, roles=user.roles
        )
    return user


def add_officer(
    *, user: User, nmls_id: str, phone: str, by: User | None, at: datetime,
    details: Mapping[str, Any] | None = None,
) -> LoanOfficer:  # fmt: skip
    """Make a user a loan officer of the user's branch, or of the one in `details`.

    Args:
        phone: E.164, the number that rings.
        details: other columns: branch, languages, products, hours, zone, caps... Without
            `sponsored_from_date`, sponsorship starts today.

    Raises `StaffChangeError`, or `InvalidHours` for invalid hours.
    """
    columns = dict(details or {})
    if not nmls_id.isdecimal():
        raise StaffChangeError("An NMLS ID is a number.")
    if LoanOfficer.objects.filter(nmls_id=nmls_id).exists():
        raise StaffChangeError("Another loan officer has this NMLS ID.")
    branch: Branch | None = columns.pop("branch", None) or user.branch
    if branch is None:
        raise StaffChangeError("A loan officer needs a branch. Give the user a branch first.")
    working_hours.check_hours(columns.get("hours", {}))
    zone = columns.setdefault("zone", branch.zone)
    columns.setdefault("sponsored_from_date", working_hours.local_date(zone, at))
    with atomic():
        officer = LoanOfficer.objects.create(
            id=uuid7_at(at), user=user, branch=branch, nmls_id=nmls_id, phone=phone, **columns
        )
        write_event(
            "org.officer.added",
            at=at,
            actor=_actor_name(by),
            officer_id=officer.pk,
            user_id=user.pk,
            nmls_id=nmls_id,
            sponsored_from_date=str(columns["sponsored_from_date"]),
        )
    return officer


def change_roles(*, user_id: UUID | str, roles: Sequence[str], by: User, at: datetime) -> None:
    """Change a user's roles, the primary one first, and sign the user out everywhere.

    Who is no longer a loan officer gets no new leads, and keeps theirs until they are reassigned.

    Raises `StaffChangeError` for roles that can't be combined, for a user who takes compliance by
    themself, and when no administrator would be left.
    """
    roles = _validate_roles(roles)
    with atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        if user.roles == roles:
            return
        if user.is_partner:
            raise StaffChangeError(
                "A partner account can't become a staff account. Add a new user."
            )
        if user.pk == by.pk and "compliance" in {*roles} - {*user.roles}:
            raise StaffChangeError("Another administrator has to give you the compliance role.")
        if "administrator" not in roles:
            _require_other_administrator(user)
        User.objects.filter(pk=user.pk).update(roles=roles)
        _switch_officer(user, is_officer="officer" in roles, by=by, at=at)
        write_event(
            "org.user.role_changed",
            at=at,
            actor=_actor_name(by),
            user_id=user.pk,
            was=user.roles,
            roles=roles,
        )
        staff_sessions.end_all_sessions(user.pk, reason="role", at=at)


def _switch_officer(user: User, *, is_officer: bool, by: User, at: datetime) -> None:
    """Pause the loan officer who loses the role, and resume the one who gets it back."""
    officer = LoanOfficer.objects.filter(user=user, terminated_at=None).first()
    if officer is None or user.has_role("officer") == is_officer:
        return
    if not is_officer:
        officer_availability.pause_officer(
            officer_id=officer.pk, by=by, at=at, reason=NO_OFFICER_ROLE
        )
    elif officer.pause_reason == NO_OFFICER_ROLE:
        officer_availability.resume_officer(officer_id=officer.pk, by=by, at=at)


def deactivate_user(*, user_id: UUID | str, by: User, at: datetime) -> None:
    """Deactivate a user; the database frees a loan officer's leads in the same transaction.

    Raises `StaffChangeError` when no administrator would be left. Safe to repeat.
    """
    with atomic():
        trigger_clock.set_trigger_time(at)
        user = User.objects.select_for_update().get(pk=user_id)
        if not user.is_active:
            return
        _require_other_administrator(user)
        User.objects.filter(pk=user.pk).update(is_active=False)
        LoanOfficer.objects.filter(user=user, terminated_at=None).update(terminated_at=at)
        ApiKey.objects.filter(user=user, revoked_at=None).update(revoked_at=at)
        write_event("org.user.left", at=at, actor=_actor_name(by), user_id=user.pk)
        staff_sessions.end_all_sessions(user.pk, reason="left", at=at)


def _require_other_administrator(user: User) -> None:
    if not user.has_role("administrator"):
        return
    # Locked, so that two administrators can't demote each other at the same moment.
    others = User.objects.with_role("administrator").select_for_update()
    if not list(others.exclude(pk=user.pk).values_list("pk", flat=True)):
        raise StaffChangeError(
            "There must be at least one administrator. Make another user an administrator first."
        )


def _validate_roles(roles: Sequence[str]) -> list[str]:
    """Return each role once, in their order."""
    if not roles or not set(roles) <= set(ROLES):
        raise StaffChangeError(f"{', '.join(roles) or 'Nothing'} is not a role.")
    if problem := role_combinations.find_conflict(roles):
        raise StaffChangeError(problem)
    return list(dict.fromkeys(roles))


def _actor_name(by: User | None) -> str:
    return f"user:{by.pk}" if by else "system:setup"
