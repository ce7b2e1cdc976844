"""The fields of a loan scenario that staff can edit on a lead, and where each is stored.

A value is in the interchange form of the canonical lead: cents, percent, true or false, text.
Some fields have a column of the lead beside their place in `lead.details`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from rooftree.leads.vocabulary import (
    Amortization,
    CreditBand,
    Employment,
    LoanType,
    PropertyType,
    PropertyUse,
    Purpose,
    Timeline,
)

PURCHASE_PURPOSES = frozenset({"purchase", "construction"})
SPEAKERS = {  # whose word an edit is
    "borrower": "The borrower",
    "co_borrower": "The co-borrower",
    "agent": "The agent",
    "document": "A document",
    "staff": "Me, correcting it",
}
Value = str | int | float | bool | None


class FieldKind(StrEnum):
    """How a field is typed and shown."""

    MONEY = "money"
    PERCENT = "percent"
    CHOICE = "choice"
    TEXT = "text"
    ZIP = "zip"
    STATE = "state"
    YES_NO = "yes_no"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioField:
    """One field: its label, kind, path in `lead.details` and column of the lead, if any."""

    key: str
    label: str
    kind: FieldKind
    path: tuple[str, ...]
    column: str = ""
    choices: type[StrEnum] | None = None
    is_main: bool = True  # shown even while unknown; others are behind "More"
    max_length: int = 120


def _money(
    key: str, label: str, *path: str, column: str = "", is_main: bool = True
) -> ScenarioField:
    return ScenarioField(
        key=key, label=label, kind=FieldKind.MONEY, path=path, column=column, is_main=is_main
    )


def _choice(
    key: str, label: str, choices: type[StrEnum], *path: str, column: str = "", is_main: bool = True
) -> ScenarioField:
    return ScenarioField(
        key=key, label=label, kind=FieldKind.CHOICE, path=path, column=column, choices=choices,
        is_main=is_main,
    )  # fmt: skip


def _text(
    key: str,
    label: str,
    *path: str,
    column: str = "",
    kind: FieldKind = FieldKind.TEXT,
    is_main: bool = True,
    max_length: int = 120,
) -> ScenarioField:
    return ScenarioField(
        key=key, label=label, kind=kind, path=path, column=column, is_main=is_main,
        max_length=max_length,
    )  # fmt: skip


def _yes_no(key: str, label: str, *path: str) -> ScenarioField:
    return ScenarioField(key=key, label=label, kind=FieldKind.YES_NO, path=path, is_main=False)


FIELDS: Mapping[str, ScenarioField] = {
    field.key: field
    for field in (
        _choice("purpose", "Purpose", Purpose, "loan", "purpose", column="purpose"),
        # The path depends on the purpose: `value_path`.
        _money("value", "Home value", "property", "estimated_value_cents", column="value_cents"),
        _money(
            "down_payment",
            "Down payment",
            "loan",
            "down_payment_cents",
            column="down_payment_cents",
        ),
        _money("amount", "Loan amount", "loan", "amount_cents", column="amount_cents"),
        _choice("credit", "Credit, stated", CreditBand, "credit", "band", column="credit_band"),
        _choice("use", "Occupancy", PropertyUse, "property", "use", column="property_use"),
        _choice(
            "property_type", "Property type", PropertyType, "property", "type",
            column="property_type",
        ),
        _text("street", "Street", "property", "line1", column="property_street", max_length=200),
        _text("city", "City", "property", "city", column="property_city"),
        _text(
            "state", "Property state", "property", "state",
            column="property_state", kind=FieldKind.STATE, max_length=2,
        ),
        _text(
            "zip", "ZIP code", "property", "zip",
            column="property_zip", kind=FieldKind.ZIP, max_length=5,
        ),
        _choice("timeline", "Timeline", Timeline, "timeline", column="timeline"),
        _choice("loan_type", "Loan type", LoanType, "loan", "type", column="loan_type"),
        _money("income", "Annual income, stated", "income", "annual_cents"),
        _money("debts", "Monthly debts", "income", "monthly_debts_cents", is_main=False),
        _money("assets", "Assets", "income", "assets_cents", is_main=False),
        _choice(
            "employment", "Employment", Employment, "income", "employment", is_main=False
        ),
        _money(
            "cash_out", "Cash out", "loan", "cash_out_cents",
            column="cash_out_cents", is_main=False,
        ),
        _money("balance", "Current balance", "loan", "current_balance_cents", is_main=False),
        ScenarioField(
            key="current_rate", label="Current rate", kind=FieldKind.PERCENT,
            path=("loan", "current_rate_pct"), column="current_rate_pct", is_main=False,
        ),
        _money("payment", "Current payment", "loan", "current_payment_cents", is_main=False),
        _text("closed_on", "Closed with us on", "loan", "closed_on", is_main=False, max_length=10),
        _choice(
            "amortization", "Fixed or ARM", Amortization, "loan", "amortization", is_main=False
        ),
        _text("county", "County", "property", "county", is_main=False),
        _yes_no("first_time_buyer", "First-time buyer", "first_time_buyer"),
        _yes_no("found_home", "Found a home", "found_home"),
        _yes_no("signed_contract", "Under contract", "signed_contract"),
        _yes_no("military", "Military service", "military"),
        _text("agent_name", "Agent", "agent", "name", is_main=False),
        _text("agent_company", "Agent’s company", "agent", "company", is_main=False),
        _text("agent_phone", "Agent’s phone", "agent", "e164", is_main=False),
        _text("agent_email", "Agent’s email", "agent", "email", is_main=False, max_length=200),
        _text("referred_by", "Referred by", "referral", "name", is_main=False),
    )
}  # fmt: skip


def is_purchase(purpose: str) -> bool:
    """Return True if the loan buys or builds a home."""
    return purpose in PURCHASE_PURPOSES


def value_path(purpose: str) -> tuple[str, ...]:
    """Return where the value of the home belongs: a price if it is bought, else an estimate."""
    return ("property", "purchase_price_cents" if is_purchase(purpose) else "estimated_value_cents")


def read_value(field: ScenarioField, details: Mapping[str, Any]) -> Value:
    """Return what a canonical record says about a field, None if it says nothing."""
    if field.key == "value":
        home = _as_mapping(details.get("property"))
        return home.get("purchase_price_cents") or home.get("estimated_value_cents")
    value: Any = details
    for name in field.path:
        value = _as_mapping(value).get(name)
    return None if isinstance(value, dict | list) else value


def write_value(
    field: ScenarioField, details: Mapping[str, Any], value: Value, *, purpose: str
) -> dict[str, Any]:
    """Return a copy of a canonical record with a field set, or without it if `value` is None."""
    path = value_path(purpose) if field.key == "value" else field.path
    changed = dict(details)
    if field.key == "value":
        home = _as_mapping(details.get("property"))
        changed["property"] = {
            name: part
            for name, part in home.items()
            if name not in ("purchase_price_cents", "estimated_value_cents")
        }
    if len(path) == 1:
        return _without_empty({**changed, path[0]: value})
    part = {**_as_mapping(changed.get(path[0])), path[1]: value}
    if field.key == "credit":
        part["basis"] = None if value is None else "self_reported"
    return _without_empty({**changed, path[0]: _without_empty(part)})


def column_value(field: ScenarioField, value: Value) -> object:
    """Return a value in the form of the field's column of the lead."""
    if field.kind is FieldKind.MONEY:
        return value
    if field.kind is FieldKind.PERCENT:
        return None if value is None else Decimal(str(value))
    return "" if value is None else value


def keep_edited_values(
    edited: list[str], old: Mapping[str, Any], new: Mapping[str, Any], *, purpose: str
) -> dict[str, Any]:
    """Return a new canonical record in which the fields that staff edited keep their values."""
    kept = dict(new)
    for field in (FIELDS[key] for key in edited if key in FIELDS):
        kept = write_value(field, kept, read_value(field, old), purpose=purpose)
    return kept


def derive_amounts(
    changes: Mapping[str, Value], current: Mapping[str, Value], *, purpose: str
) -> dict[str, Value]:
    """Return the amounts of a purchase that follow from an edit, by field.

    Price, down payment and loan amount depend on each other: a new price or down payment
    changes the loan amount, and a new loan amount changes the down payment. Nothing follows for a
    refinance, from an unknown amount, or if the result would be negative.
    """
    if not is_purchase(purpose):
        return {}
    after = {**current, **changes}
    price, down, amount = (after.get(key) for key in ("value", "down_payment", "amount"))
    if not isinstance(price, int):
        return {}
    if "amount" in changes and "down_payment" not in changes:
        derived = {"down_payment": price - amount} if isinstance(amount, int) else {}
    elif {"value", "down_payment"} & changes.keys() and "amount" not in changes:
        derived = {"amount": price - down} if isinstance(down, int) else {}
    else:
        derived = {}
    return {
        key: value for key, value in derived.items() if value >= 0 and value != current.get(key)
    }


def loan_to_value(amount_cents: Value, value_cents: Value) -> Decimal | None:
    """Return the loan-to-value ratio in percent, to a tenth; None without both amounts."""
    if not isinstance(amount_cents, int) or not isinstance(value_cents, int) or value_cents <= 0:
        return None
    return (Decimal(100 * amount_cents) / value_cents).quantize(Decimal("0.1"))


def _as_mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _without_empty(record: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in record.items() if part not in (None, {}, "")}
