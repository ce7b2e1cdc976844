"""Details of staff other than role and employment: edit users, officers and assistants."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.db.transaction import atomic

from rooftree.core.phone_numbers import parse_phone_number
from rooftree.core.uuid7 import uuid7_at
from rooftree.db import trigger_clock
from rooftree.ledger.write_events import write_event
from rooftree.org import working_hours
from rooftree.org.models import Assistance, Branch, LoanOfficer, User
from rooftree.org.staff_accounts import StaffChangeError

USER_FIELDS = ("name", "title", "phone", "branch")
OFFICER_FIELDS = (
    "nmls_id", "languages", "products", "phone", "is_texted", "text_number", "zone", "hours",
    "daily_cap", "open_cap", "backup", "sponsored_from_date", "branch",
)  # fmt: skip


def update_user(*, user_id: UUID | str, by: User, at: datetime, **changes: Any) -> User:
    """Edit a user's name, title, phone or branch. A loan officer moves with the user.

    An officer who also has a role for the whole company stays in their branch. The officer's
    leads keep their branch until they are reassigned. Raises `StaffChangeError`.
    """
    _check_allowed(changes, USER_FIELDS)
    if "name" in changes and not changes["name"].strip():
        raise StaffChangeError("Enter a name.")
    if changes.get("phone"):
        changes["phone"] = parse_e164(changes["phone"])
    with atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        officer = LoanOfficer.objects.filter(user=user).first()
        branch: Branch | None = changes.get("branch", user.branch)
        if officer and branch is None and user.is_desk_only:
            raise StaffChangeError("A loan officer needs a branch.")
        changed = _changed_fields(user, changes)
        if not changed:
            return user
        User.objects.filter(pk=user.pk).update(**{name: changes[name] for name in changed})
        if officer and branch and "branch" in changed:
            LoanOfficer.objects.filter(pk=officer.pk).update(branch=branch)
        write_event(
            "org.user.changed", at=at, actor=f"user:{by.pk}", user_id=user.pk, changed=changed
        )
    return User.objects.get(pk=user.pk)


def grant_limit_overrides(*, user_id: UUID | str, is_granted: bool, by: User, at: datetime) -> None:
    """Let a user override the company's own contact limits, or no longer; safe to repeat."""
    users = User.objects.filter(pk=user_id, overrides_limits_from__isnull=is_granted)
    with atomic():
        if users.update(overrides_limits_from=at if is_granted else None):
            write_event(
                "org.user.limits_granted" if is_granted else "org.user.limits_ended",
                at=at,
                actor=f"user:{by.pk}",
                user_id=user_id,
            )


def update_officer(
    *, officer_id: UUID | str, by: User, at: datetime, changes: Mapping[str, Any]
) -> LoanOfficer:
    """Edit a loan officer's products, working hours, limits and other details.

    Raises `StaffChangeError`, or `InvalidHours` for invalid hours.
    """
    values = dict(changes)
    _check_allowed(values, OFFICER_FIELDS)
    _check_officer(values, officer_id)
    with atomic():
        trigger_clock.set_trigger_time(at)
        officer = LoanOfficer.objects.select_for_update().get(pk=officer_id)
        changed = _changed_fields(officer, values)
        if changed:
            LoanOfficer.objects.filter(pk=officer.pk).update(
                **{name: values[name] for name in changed}
            )
            write_event(
                "org.officer.changed",
                at=at,
                actor=f"user:{by.pk}",
                officer_id=officer.pk,
                changed=changed,
            )
    return LoanOfficer.objects.get(pk=officer.pk)


def set_assisted_officers(
    *, assistant: User, officers: Iterable[LoanOfficer], by: User, at: datetime
) -> None:
    """Replace the officers whose leads an assistant works."""
    officer_by_id = {officer.pk: officer for officer in officers}
    with atomic():
        current_ids = set(
            Assistance.objects.filter(assistant=assistant).values_list("officer_id", flat=True)
        )
        Assistance.objects.filter(
            assistant=assistant, officer__in=current_ids - officer_by_id.keys()
        ).delete()
        Assistance.objects.bulk_create(
            Assistance(id=uuid7_at(at), assistant=assistant, officer=officer_by_id[officer_id])
            for officer_id in officer_by_id.keys() - current_ids
        )
        if current_ids != officer_by_id.keys():
            write_event(
                "org.assistant.assigned",
                at=at,
                actor=f"user:{by.pk}",
                user_id=assistant.pk,
                officers=sorted(str(officer_id) for officer_id in officer_by_id),
            )


def parse_e164(typed: str) -> str:
    """Parse a typed number as E.164. Raises `StaffChangeError`."""
    phone = parse_phone_number(typed)
    if phone.e164 is None:
        raise StaffChangeError(f"{typed} isn't a phone number. US numbers have ten digits.")
    return phone.e164


def _check_officer(values: dict[str, Any], officer_id: UUID | str) -> None:
    if "nmls_id" in values:
        if not values["nmls_id"].isdecimal():
            raise StaffChangeError("An NMLS ID is a number.")
        others = LoanOfficer.objects.exclude(pk=officer_id)
        if others.filter(nmls_id=values["nmls_id"]).exists():
            raise StaffChangeError("Another loan officer has this NMLS ID.")
    for name in ("phone", "text_number"):
        if values.get(name):
            values[name] = parse_e164(values[name])
    if "zone" in values and values["zone"] not in available_timezones():
        raise StaffChangeError("Choose a time zone.")
    backup = values.get("backup")
    if backup and str(backup.pk) == str(officer_id):
        raise StaffChangeError("Choose someone else as the backup.")
    working_hours.check_hours(values.get("hours", {}))


def _changed_fields(row: User | LoanOfficer, changes: Mapping[str, Any]) -> list[str]:
    return [name for name, value in changes.items() if getattr(row, name) != value]


def _check_allowed(changes: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    unknown = changes.keys() - set(allowed)
    if unknown:
        raise StaffChangeError(f"{', '.join(sorted(unknown))} can't be changed here.")
