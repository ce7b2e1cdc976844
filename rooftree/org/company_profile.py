"""The company's own facts, as the law, the carriers and every message name it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.db.transaction import atomic

from rooftree.core.phone_numbers import parse_phone_number
from rooftree.core.us_states import STATES
from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write_events import write_event
from rooftree.org import working_hours
from rooftree.org.models import Company, User

COMPANY_KINDS = {"nonbank": "Nonbank lender or broker", "depository": "Bank or credit union"}
EDITABLE_COLUMNS = (
    "legal_name", "brand", "registered_dbas", "kind", "nmls_id", "postal_address", "phone",
    "website", "zone", "hours", "telemarketer_states", "mail_is_authenticated", "alarm_user_id",
)  # fmt: skip
TEXTING_KEYS = ("brand_registered", "attributes", "company_kind", "carrier_policy")
REQUIRED_MESSAGES = {
    "legal_name": "Give the legal name, as NMLS shows it.",
    "brand": "Give the name that messages sign with.",
    "postal_address": "Give the postal address; every marketing e-mail must carry it.",
}


class InvalidCompany(InvalidField):
    """Facts of the company that cannot be."""


def update_company(facts: Mapping[str, Any], *, by: User | None, at: datetime) -> Company:
    """Write down what the company is; the first time makes it.

    Args:
        facts: by column; `texting` holds the keys of TEXTING and is merged into what is known.

    The ledger keeps which facts changed, not their text. Raises `BadCompany`.
    """
    wanted = dict(facts)
    _check_values(wanted)
    with atomic():
        company = Company.objects.select_for_update().first()
        is_new = company is None
        company = company or Company(id=uuid7_at(at))
        changed = _apply_changes(company, wanted)
        if is_new:
            company.save(force_insert=True)
        elif changed:
            fields = {name: getattr(company, name) for name in changed}
            Company.objects.filter(pk=company.pk).update(**fields)
        if changed:
            write_event(
                "org.company.named" if is_new else "org.company.changed",
                at=at,
                actor=f"user:{by.pk}" if by else "system:setup",
                company_id=company.pk,
                changed=changed,
            )
    return company


def _apply_changes(company: Company, wanted: Mapping[str, Any]) -> list[str]:
    changed = []
    for name in EDITABLE_COLUMNS:
        if name in wanted and getattr(company, name) != wanted[name]:
            setattr(company, name, wanted[name])
            changed.append(name)
    if "texting" in wanted:
        merged = {**company.texting, **wanted["texting"]}
        if merged != company.texting:
            company.texting = merged
            changed.append("texting")
    return changed


def _check_values(wanted: dict[str, Any]) -> None:
    for name, said in REQUIRED_MESSAGES.items():
        if name in wanted and not str(wanted[name]).strip():
            raise InvalidCompany(name, said)
    _check_identity(wanted)
    working_hours.check_hours(wanted.get("hours", {}))
    if "phone" in wanted:
        read = parse_phone_number(wanted["phone"])
        if read.e164 is None:
            raise InvalidCompany("phone", "This is no phone number; US numbers have ten digits.")
        wanted["phone"] = read.e164
    unknown = [one for one in wanted.get("telemarketer_states", ()) if one not in STATES]
    if unknown:
        raise InvalidCompany(
            "telemarketer_states", f"{', '.join(unknown)} is not a state; use two letters, as TX."
        )
    if set(wanted.get("texting", {})) - set(TEXTING_KEYS):
        raise InvalidCompany("texting", "Only what the carriers ask of a campaign is kept.")


def _check_identity(wanted: Mapping[str, Any]) -> None:
    if "kind" in wanted and wanted["kind"] not in COMPANY_KINDS:
        raise InvalidCompany("kind", "Say whether the company is a depository.")
    if "nmls_id" in wanted and not str(wanted["nmls_id"]).isdecimal():
        raise InvalidCompany("nmls_id", "An NMLS ID is a number.")
    if "zone" in wanted and wanted["zone"] not in available_timezones():
        raise InvalidCompany("zone", "Choose a time zone.")
    alarm = wanted.get("alarm_user_id")
    if alarm and not User.objects.filter(pk=UUID(str(alarm)), is_active=True).exists():
        raise InvalidCompany("alarm_user_id", "This person no longer works here.")
