"""Staff: who joins, what they may do, who leaves."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.transaction import atomic

from rooftree.core.user_errors import UserError
from rooftree.core.uuid7 import uuid7_at
from rooftree.db import trigger_clock
from rooftree.ledger.write_events import write_event
from rooftree.org import staff_sessions, working_hours
from rooftree.org.models import PARTNER, ROLES, ApiKey, Branch, LoanOfficer, User


class StaffChangeError(UserError):
    """A change of staff that cannot be."""


def add_user(
    *, email: str, name: str, role: str, branch: Branch | None, by: User | None, at: datetime
) -> User:
    """A new member of staff, who cannot sign in until a password or passkey is set.

    Args:
        branch: None is the whole company.
        by: None when the installation makes its first administrator.

    Raises `CannotChange`.
    """
    _check_role(role)
    return _create_user(User(email=email, name=name, role=role, branch=branch), by, at)


def add_partner_user(*, email: str, name: str, by: User, at: datetime) -> User:
    """An account for a partner, no member of staff. Raises `CannotChange`."""
    return _create_user(User(email=email, name=name, role=PARTNER), by, at)


def _create_user(user: User, by: User | None, at: datetime) -> User:
    user.email, user.name = user.email.strip().lower(), user.name.strip()
    _check_email(user.email)
    if not user.name:
        raise StaffChangeError("Give a name.")
    if User.objects.filter(email__iexact=user.email).exists():
        raise StaffChangeError("Somebody has this e-mail address already.")
    with atomic():
        user.id = uuid7_at(at)
        user.set_unusable_password()
        user.save(force_insert=True)
        write_event("org.user.added", at=at, actor=_actor_name(by), user_id=user.pk, role=user.role)
    return user


def add_officer(
    *, user: User, nmls_id: str, phone: str, by: User | None, at: datetime,
    details: Mapping[str, Any] | None = None,
) -> LoanOfficer:  # fmt: skip
    """Make a user a loan officer of the user's branch, sponsored from today unless said.

    Args:
        phone: E.164, the one that rings.
        details: other columns: languages, products, hours, zone, caps...

    Raises `CannotChange`; `hours.BadHours` for hours that make no sense.
    """
    more = dict(details or {})
    if not nmls_id.isdecimal():
        raise StaffChangeError("An NMLS ID is a number.")
    if LoanOfficer.objects.filter(nmls_id=nmls_id).exists():
        raise StaffChangeError("Another loan officer has this NMLS ID.")
    if user.branch is None:
        raise StaffChangeError("A loan officer works in a branch; give the user one first.")
    working_hours.check_hours(more.get("hours", {}))
    zone = more.setdefault("zone", user.branch.zone)
    more.setdefault("sponsored_from_date", working_hours.local_date(zone, at))
    with atomic():
        officer = LoanOfficer.objects.create(
            id=uuid7_at(at), user=user, branch=user.branch, nmls_id=nmls_id, phone=phone, **more
        )
        write_event(
            "org.officer.added",
            at=at,
            actor=_actor_name(by),
            officer_id=officer.pk,
            user_id=user.pk,
            nmls_id=nmls_id,
            sponsored_from_date=_iso(more["sponsored_from_date"]),
        )
    return officer


def change_role(*, user_id: UUID | str, role: str, by: User, at: datetime) -> None:
    """Give a user another role; they sign in anew with it.

    Raises `CannotChange` when no administrator would be left.
    """
    _check_role(role)
    with atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        if user.role == role:
            return
        if user.is_partner:
            raise StaffChangeError(
                "A partner does not become a member of staff; add a new account."
            )
        _require_other_administrator(user)
        User.objects.filter(pk=user.pk).update(role=role)
        write_event(
            "org.user.role_changed",
            at=at,
            actor=_actor_name(by),
            user_id=user.pk,
            was=user.role,
            role=role,
        )
        staff_sessions.end_all_sessions(user.pk, reason="role", at=at)


def deactivate_user(*, user_id: UUID | str, by: User, at: datetime) -> None:
    """A user can no longer sign in; a loan officer's leads are freed by the database at once.

    Raises `CannotChange` when no administrator would be left. Safe to repeat.
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
    if user.role != "administrator":
        return
    # Locked, so that two administrators cannot demote each other in the same instant.
    others = User.objects.select_for_update().filter(role="administrator", is_active=True)
    if not list(others.exclude(pk=user.pk).values_list("pk", flat=True)):
        raise StaffChangeError("Somebody must stay administrator; name another first.")


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise StaffChangeError(f"{role} is not a role.")


def _check_email(address: str) -> None:
    try:
        validate_email(address)
    except ValidationError as error:
        raise StaffChangeError("This is not an e-mail address.") from error


def _iso(day: date | str) -> str:
    return str(day)


def _actor_name(by: User | None) -> str:
    return f"user:{by.pk}" if by else "system:setup"
