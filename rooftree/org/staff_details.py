"""What is known of staff besides role and employment, kept up to date."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.db.transaction import atomic

from rooftree.core.phones import phone_number
from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write import write
from rooftree.org import hours, moment
from rooftree.org.models import Assistance, Branch, LoanOfficer, User
from rooftree.org.people import CannotChange

OF_USER = ("name", "title", "phone", "branch")
OF_OFFICER = (
    "nmls_id", "languages", "products", "phone", "is_texted", "text_number", "zone", "hours",
    "daily_cap", "open_cap", "backup", "sponsored_from_date",
)  # fmt: skip


def change_user(*, user_id: UUID | str, by: User, at: datetime, **changes: Any) -> User:
    """Correct name, title, phone or branch. A loan officer moves with the user.

    Leads the officer has keep their branch until they change hands. Raises `CannotChange`.
    """
    _only(changes, OF_USER)
    if "name" in changes and not changes["name"].strip():
        raise CannotChange("Give a name.")
    if changes.get("phone"):
        changes["phone"] = e164(changes["phone"])
    with atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        officer = LoanOfficer.objects.filter(user=user).first()
        branch: Branch | None = changes.get("branch", user.branch)
        if officer and branch is None:
            raise CannotChange("A loan officer works in a branch.")
        changed = _differing(user, changes)
        if not changed:
            return user
        User.objects.filter(pk=user.pk).update(**{name: changes[name] for name in changed})
        if officer and "branch" in changed:
            LoanOfficer.objects.filter(pk=officer.pk).update(branch=branch)
        write("org.user.changed", at=at, actor=f"user:{by.pk}", user_id=user.pk, changed=changed)
    return User.objects.get(pk=user.pk)


def change_officer(
    *, officer_id: UUID | str, by: User, at: datetime, changes: Mapping[str, Any]
) -> LoanOfficer:
    """Correct what a loan officer lends, when they work and how much they take.

    Raises `CannotChange`; `hours.BadHours` for hours that make no sense.
    """
    wanted = dict(changes)
    _only(wanted, OF_OFFICER)
    _check_officer(wanted, officer_id)
    with atomic():
        moment.say(at)
        officer = LoanOfficer.objects.select_for_update().get(pk=officer_id)
        changed = _differing(officer, wanted)
        if changed:
            LoanOfficer.objects.filter(pk=officer.pk).update(
                **{name: wanted[name] for name in changed}
            )
            write(
                "org.officer.changed",
                at=at,
                actor=f"user:{by.pk}",
                officer_id=officer.pk,
                changed=changed,
            )
    return LoanOfficer.objects.get(pk=officer.pk)


def set_assisted(
    *, assistant: User, officers: Iterable[LoanOfficer], by: User, at: datetime
) -> None:
    """Whose leads an assistant works, from now on exactly these."""
    wanted = {one.pk: one for one in officers}
    with atomic():
        held = set(
            Assistance.objects.filter(assistant=assistant).values_list("officer_id", flat=True)
        )
        Assistance.objects.filter(assistant=assistant, officer__in=held - wanted.keys()).delete()
        Assistance.objects.bulk_create(
            Assistance(id=uuid7_at(at), assistant=assistant, officer=wanted[key])
            for key in wanted.keys() - held
        )
        if held != wanted.keys():
            write(
                "org.assistant.assigned",
                at=at,
                actor=f"user:{by.pk}",
                user_id=assistant.pk,
                officers=sorted(str(key) for key in wanted),
            )


def e164(typed: str) -> str:
    """A number as typed, as E.164. Raises `CannotChange`."""
    read = phone_number(typed)
    if read.e164 is None:
        raise CannotChange(f"{typed} is no phone number; US numbers have ten digits.")
    return read.e164


def _check_officer(wanted: dict[str, Any], officer_id: UUID | str) -> None:
    if "nmls_id" in wanted:
        if not wanted["nmls_id"].isdecimal():
            raise CannotChange("An NMLS ID is a number.")
        others = LoanOfficer.objects.exclude(pk=officer_id)
        if others.filter(nmls_id=wanted["nmls_id"]).exists():
            raise CannotChange("Another loan officer has this NMLS ID.")
    for name in ("phone", "text_number"):
        if wanted.get(name):
            wanted[name] = e164(wanted[name])
    if "zone" in wanted and wanted["zone"] not in available_timezones():
        raise CannotChange("Choose a time zone.")
    backup = wanted.get("backup")
    if backup and str(backup.pk) == str(officer_id):
        raise CannotChange("Nobody is their own backup.")
    hours.check(wanted.get("hours", {}))


def _differing(row: User | LoanOfficer, changes: Mapping[str, Any]) -> list[str]:
    return [name for name, value in changes.items() if getattr(row, name) != value]


def _only(changes: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    unknown = changes.keys() - set(allowed)
    if unknown:
        raise CannotChange(f"{', '.join(sorted(unknown))} cannot be changed here.")
