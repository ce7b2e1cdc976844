"""The company's own details, as used in licenses, carrier registration and messages."""

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
    "website", "privacy_url", "zone", "hours", "telemarketer_states", "mail_is_authenticated",
    "alarm_user_id",
    "missed_offers_limit", "missed_offers_hours", "missed_offers_off_hours",
)  # fmt: skip
TEXTING_KEYS = ("brand_registered", "attributes", "company_kind", "carrier_policy")
REQUIRED_MESSAGES = {
    "legal_name": "Enter the legal name as NMLS shows it.",
    "brand": "Enter the name that messages are signed with.",
    "postal_address": "Enter the postal address. Every marketing email must include it.",
}


class InvalidCompany(InvalidField):
    """A company detail is invalid."""


def update_company(details: Mapping[str, Any], *, by: User | None, at: datetime) -> Company:
    """Store the company's details; the first call creates the company.

    Args:
        details: by column; `texting` has keys of TEXTING_KEYS and is merged into the stored value.

    The ledger records which details changed, not their text. Raises `InvalidCompany`.
    """
    values = dict(details)
    _check_values(values)
    with atomic():
        company = Company.objects.select_for_update().first()
        is_new = company is None
        company = company or Company(id=uuid7_at(at))
        changed = _apply_changes(company, values)
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


def _apply_changes(company: Company, values: Mapping[str, Any]) -> list[str]:
    changed = []
    for name in EDITABLE_COLUMNS:
        if name in values and getattr(company, name) != values[name]:
            setattr(company, name, values[name])
            changed.append(name)
    if "texting" in values:
        merged = {**company.texting, **values["texting"]}
        if merged != company.texting:
            company.texting = merged
            changed.append("texting")
    return changed


def _check_values(values: dict[str, Any]) -> None:
    for name, message in REQUIRED_MESSAGES.items():
        if name in values and not str(values[name]).strip():
            raise InvalidCompany(name, message)
    _check_identity(values)
    working_hours.check_hours(values.get("hours", {}))
    if "phone" in values:
        phone = parse_phone_number(values["phone"])
        if phone.e164 is None:
            raise InvalidCompany("phone", "This isn't a phone number. US numbers have ten digits.")
        values["phone"] = phone.e164
    if not str(values.get("privacy_url") or "https://").startswith(("https://", "http://")):
        raise InvalidCompany(
            "privacy_url", "Enter an address like https://www.example.com/privacy."
        )
    unknown = [state for state in values.get("telemarketer_states", ()) if state not in STATES]
    if unknown:
        raise InvalidCompany(
            "telemarketer_states",
            f"{', '.join(unknown)} is not a state. Use two-letter codes, such as TX.",
        )
    if set(values.get("texting", {})) - set(TEXTING_KEYS):
        raise InvalidCompany("texting", "Only campaign details for carriers can be stored here.")


def _check_identity(values: Mapping[str, Any]) -> None:
    if "kind" in values and values["kind"] not in COMPANY_KINDS:
        raise InvalidCompany("kind", "Choose whether the company is a depository.")
    if "nmls_id" in values and not str(values["nmls_id"]).isdecimal():
        raise InvalidCompany("nmls_id", "An NMLS ID is a number.")
    if "zone" in values and values["zone"] not in available_timezones():
        raise InvalidCompany("zone", "Choose a time zone.")
    alarm = values.get("alarm_user_id")
    if alarm and not User.objects.filter(pk=UUID(str(alarm)), is_active=True).exists():
        raise InvalidCompany("alarm_user_id", "This person no longer works here.")
