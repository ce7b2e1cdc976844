"""The hand-off object: the complete input of a request to an LOS."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class MalformedHandoff(ValueError):
    """The hand-off object breaks its contract. The text names the place."""


class LosFormat(StrEnum):
    """The formats a hand-off can be turned into."""

    ENCOMPASS = "encompass"
    LENDINGPAD = "lendingpad"
    LQB = "lqb"
    BYTE = "byte"
    CALYX = "calyx"
    MISMO = "mismo"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffOfficer:
    """The licensed officer the loan is made for."""

    first_name: str
    last_name: str
    email: str
    nmls_id: str
    phone: str | None = None  # E.164
    los_user: str | None = None  # the officer's user name in that LOS


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffBranch:
    """The officer's branch."""

    name: str
    nmls_id: str | None = None
    los_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffCompany:
    """The company that originates."""

    legal_name: str
    nmls_id: str
    kind: str  # lender or broker


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffConnection:
    """The LOS, and the place in it, where the loan is created."""

    los: str
    environment: str  # production or test
    system_name: str
    system_version: str
    instance: str | None = None
    folder: str | None = None
    template: str | None = None
    template_type: str | None = None
    lead_id_field: str | None = None
    contact_id: str | None = None
    company_id: str | None = None
    branch_id: str | None = None
    campaign_id: str | None = None
    organization_code: str | None = None
    channel: int | str | None = None
    mismo_in_create: bool | None = None
    rate_term_value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerAnswers:
    """The officer's answers that no canonical field holds. A closed list, on purpose."""

    own_or_rent: str | None = None
    joint_intent: bool | None = None
    marital_status: str | None = None
    los_purpose: str | None = None
    construction_kind: str | None = None
    refinance_primary_purpose: str | None = None
    mortgage_type: str | None = None
    lien_position: str | None = None
    amortization_type: str | None = None
    attachment: str | None = None
    project_structure: str | None = None
    application_taken_method: str | None = None
    language_refused: bool | None = None
    armed_forces_service: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffRecord:
    """One lead on its way to an LOS."""

    lead_id: UUID
    created_at: datetime
    canonical: Mapping[str, Any]
    officer: HandoffOfficer
    branch: HandoffBranch
    company: HandoffCompany
    connection: HandoffConnection
    answers: OfficerAnswers


ALLOWED_VALUES = {
    "company.kind": ("lender", "broker"),
    "connection.los": tuple(LosFormat),
    "connection.environment": ("production", "test"),
    "connection.rate_term_value": ("NoCashOut", "LimitedCashOut"),
    "answers.own_or_rent": ("own", "rent", "rent_free"),
    "answers.marital_status": ("married", "separated", "unmarried"),
    "answers.los_purpose": ("purchase", "refinance_rate_term", "refinance_cash_out"),
    "answers.construction_kind": ("only", "to_permanent"),
    "answers.refinance_primary_purpose": (
        "debt_consolidation",
        "home_improvement",
        "interest_rate_reduction",
        "cash",
        "other",
    ),
    "answers.mortgage_type": ("conventional", "fha", "va", "usda"),
    "answers.lien_position": ("first", "second"),
    "answers.amortization_type": ("fixed", "arm"),
    "answers.attachment": ("attached", "detached"),
    "answers.project_structure": ("none", "pud", "condominium"),
    "answers.application_taken_method": ("internet", "telephone", "mail", "face_to_face"),
}
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
DIGITS = re.compile(r"[0-9]+")
VALUE_PATTERNS = {
    "officer.phone": re.compile(r"\+[1-9][0-9]{6,14}"),
    "officer.nmls_id": DIGITS,
    "branch.nmls_id": DIGITS,
    "company.nmls_id": DIGITS,
    "connection.contact_id": GUID,
    "connection.company_id": GUID,
    "connection.branch_id": GUID,
    "connection.campaign_id": GUID,
}
FIELD_TYPES: dict[object, tuple[type, ...]] = {
    str: (str,),
    str | None: (str,),
    bool | None: (bool,),
    int | str | None: (int, str),
}
HANDOFF_PARTS = {
    "officer": HandoffOfficer,
    "branch": HandoffBranch,
    "company": HandoffCompany,
    "connection": HandoffConnection,
    "answers": OfficerAnswers,
}


def parse_handoff(data: object) -> HandoffRecord:
    """Parse a hand-off object. Raises `MalformedHandoff` naming the first error."""
    if not isinstance(data, dict):
        raise MalformedHandoff("the hand-off must be one JSON object")
    keys = [field.name for field in fields(HandoffRecord)]
    _reject_unknown_keys(data, keys, "")
    missing = [key for key in keys if data.get(key) is None]
    if missing:
        raise MalformedHandoff(f"{missing[0]} is missing")
    parts = {name: _parse_part(shape, data[name], name) for name, shape in HANDOFF_PARTS.items()}
    connection = parts["connection"]
    if connection.campaign_id and connection.branch_id:
        raise MalformedHandoff("connection has both branch_id and campaign_id; give one")
    if not isinstance(data["canonical"], dict):
        raise MalformedHandoff("canonical must be an object")
    lead_id = data["lead_id"]
    if not isinstance(lead_id, str) or not GUID.fullmatch(lead_id):
        raise MalformedHandoff("lead_id must be a UUID")
    return HandoffRecord(
        lead_id=UUID(lead_id),
        created_at=_parse_created_at(data["created_at"]),
        canonical=data["canonical"],
        **parts,
    )


def serialize_handoff(handoff: HandoffRecord) -> dict[str, Any]:
    """Return the hand-off as plain JSON; `parse_handoff` turns it back into the same hand-off."""
    data: dict[str, Any] = {
        "lead_id": str(handoff.lead_id),
        "created_at": format_utc(handoff.created_at),
        "canonical": dict(handoff.canonical),
    }
    for name in HANDOFF_PARTS:
        part = getattr(handoff, name)
        data[name] = {field.name: getattr(part, field.name) for field in fields(part)}
    return data


def format_utc(at: datetime) -> str:
    """Format a time as RFC 3339 in UTC with `Z`; a fraction only when there is one."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _parse_part(shape: Any, data: object, name: str) -> Any:
    if not isinstance(data, dict):
        raise MalformedHandoff(f"{name} must be an object")
    _reject_unknown_keys(data, [field.name for field in fields(shape)], f"{name}.")
    values = {}
    for field in fields(shape):
        path, value = f"{name}.{field.name}", data.get(field.name)
        if value is None or (isinstance(value, str) and not value.strip()):
            if field.type is str:
                raise MalformedHandoff(f"{path} is missing")
            continue
        values[field.name] = _check_value(path, value, FIELD_TYPES[field.type])
    return shape(**values)


def _check_value(path: str, value: object, types: tuple[type, ...]) -> object:
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise MalformedHandoff(
            f"{path} must be {' or '.join(allowed.__name__ for allowed in types)}"
        )
    if path in ALLOWED_VALUES and value not in ALLOWED_VALUES[path]:
        raise MalformedHandoff(f"{path} must be one of {', '.join(ALLOWED_VALUES[path])}")
    if path in VALUE_PATTERNS and not VALUE_PATTERNS[path].fullmatch(str(value)):
        raise MalformedHandoff(f"{path} has the wrong form")
    return value


def _reject_unknown_keys(data: Mapping[str, object], allowed: list[str], prefix: str) -> None:
    unknown = sorted(str(key) for key in data if key not in allowed)
    if unknown:
        raise MalformedHandoff(f"unknown key {prefix}{unknown[0]}")


def _parse_created_at(value: object) -> datetime:
    try:
        if not isinstance(value, str) or not value.endswith("Z"):
            raise ValueError(value)
        return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        raise MalformedHandoff("created_at must be RFC 3339 in UTC, ending in Z") from None
