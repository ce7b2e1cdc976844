"""The hand-off object: everything a request to an LOS is built from, and nothing else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Malformed(ValueError):
    """The hand-off object breaks its contract. The text names the place."""


class Los(StrEnum):
    """The formats a hand-off can be turned into."""

    ENCOMPASS = "encompass"
    LENDINGPAD = "lendingpad"
    LQB = "lqb"
    BYTE = "byte"
    CALYX = "calyx"
    MISMO = "mismo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """The licensed officer the loan is made for."""

    first_name: str
    last_name: str
    email: str
    nmls_id: str
    phone: str | None = None  # E.164
    los_user: str | None = None  # the officer's user name in that LOS


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """The officer's branch."""

    name: str
    nmls_id: str | None = None
    los_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """The company that originates."""

    legal_name: str
    nmls_id: str
    kind: str  # lender or broker


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where in which LOS the loan is to be made."""

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
class Answers:
    """What the officer said that no canonical field holds. A closed list, on purpose."""

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
class Handoff:
    """One lead on its way to an LOS."""

    lead_id: UUID
    created_at: datetime
    canonical: Mapping[str, Any]
    officer: Officer
    branch: Branch
    company: Company
    connection: Connection
    answers: Answers


WORDS = {
    "company.kind": ("lender", "broker"),
    "connection.los": tuple(Los),
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
SHAPES = {
    "officer.phone": re.compile(r"\+[1-9][0-9]{6,14}"),
    "officer.nmls_id": DIGITS,
    "branch.nmls_id": DIGITS,
    "company.nmls_id": DIGITS,
    "connection.contact_id": GUID,
    "connection.company_id": GUID,
    "connection.branch_id": GUID,
    "connection.campaign_id": GUID,
}
KINDS: dict[object, tuple[type, ...]] = {
    str: (str,),
    str | None: (str,),
    bool | None: (bool,),
    int | str | None: (int, str),
}
PARTS = {
    "officer": Officer,
    "branch": Branch,
    "company": Company,
    "connection": Connection,
    "answers": Answers,
}


def from_json(data: object) -> Handoff:
    """Read a hand-off object. Raises `Malformed` naming the first thing that is wrong."""
    if not isinstance(data, dict):
        raise Malformed("the hand-off must be one JSON object")
    keys = [field.name for field in fields(Handoff)]
    _only(data, keys, "")
    missing = [key for key in keys if data.get(key) is None]
    if missing:
        raise Malformed(f"{missing[0]} is missing")
    parts = {name: _part(shape, data[name], name) for name, shape in PARTS.items()}
    connection = parts["connection"]
    if connection.campaign_id and connection.branch_id:
        raise Malformed("connection has both branch_id and campaign_id; give one")
    if not isinstance(data["canonical"], dict):
        raise Malformed("canonical must be an object")
    return Handoff(
        lead_id=_lead_id(data["lead_id"]),
        created_at=_moment(data["created_at"]),
        canonical=data["canonical"],
        **parts,
    )


def to_json(handoff: Handoff) -> dict[str, Any]:
    """The object as plain JSON; `from_json` gives the same hand-off back."""
    made: dict[str, Any] = {
        "lead_id": str(handoff.lead_id),
        "created_at": moment_text(handoff.created_at),
        "canonical": dict(handoff.canonical),
    }
    for name in PARTS:
        part = getattr(handoff, name)
        made[name] = {field.name: getattr(part, field.name) for field in fields(part)}
    return made


def moment_text(at: datetime) -> str:
    """RFC 3339 in UTC with `Z`; a fraction only when there is one."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _part(shape: Any, data: object, name: str) -> Any:
    if not isinstance(data, dict):
        raise Malformed(f"{name} must be an object")
    _only(data, [field.name for field in fields(shape)], f"{name}.")
    given = {}
    for field in fields(shape):
        path, value = f"{name}.{field.name}", data.get(field.name)
        if value is None or (isinstance(value, str) and not value.strip()):
            if field.type is str:
                raise Malformed(f"{path} is missing")
            continue
        given[field.name] = _value(path, value, KINDS[field.type])
    return shape(**given)


def _value(path: str, value: object, kinds: tuple[type, ...]) -> object:
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise Malformed(f"{path} must be {' or '.join(kind.__name__ for kind in kinds)}")
    if path in WORDS and value not in WORDS[path]:
        raise Malformed(f"{path} must be one of {', '.join(WORDS[path])}")
    if path in SHAPES and not SHAPES[path].fullmatch(str(value)):
        raise Malformed(f"{path} has the wrong form")
    return value


def _only(data: Mapping[str, object], allowed: list[str], prefix: str) -> None:
    unknown = sorted(str(key) for key in data if key not in allowed)
    if unknown:
        raise Malformed(f"unknown key {prefix}{unknown[0]}")


def _lead_id(value: object) -> UUID:
    if not isinstance(value, str) or not GUID.fullmatch(value):
        raise Malformed("lead_id must be a UUID")
    return UUID(value)


def _moment(value: object) -> datetime:
    try:
        if not isinstance(value, str) or not value.endswith("Z"):
            raise ValueError(value)
        return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        raise Malformed("created_at must be RFC 3339 in UTC, ending in Z") from None
