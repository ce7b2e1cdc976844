"""The loan scenario in words: labels of its choices, values as text, and who said what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from rooftree.core.money_amounts import format_cents
from rooftree.core.us_states import STATES
from rooftree.leads import scenario_fields
from rooftree.leads.models import Lead, LeadEdit, Touch
from rooftree.leads.scenario_fields import FIELDS, FieldKind, ScenarioField, Value

PURPOSE_LABELS = {
    "purchase": "Purchase",
    "refinance_rate_term": "Rate-term refi",
    "refinance_cash_out": "Cash-out refi",
    "refinance": "Refinance",
    "home_equity_loan": "Home equity loan",
    "home_equity": "Home equity",
    "heloc": "HELOC",
    "construction": "Construction loan",
    "renovation": "Renovation loan",
    "reverse": "Reverse mortgage",
    "other": "Other loan",
}
CHOICE_LABELS: Mapping[str, Mapping[str, str]] = {
    "purpose": PURPOSE_LABELS,
    "loan_type": {
        "conventional": "Conventional",
        "fha": "FHA",
        "va": "VA",
        "usda": "USDA",
        "jumbo": "Jumbo",
        "non_qm": "Non-QM",
        "other": "Other",
    },
    "credit": {
        "excellent": "Excellent",
        "good": "Good",
        "fair": "Fair",
        "poor": "Poor",
        "no_history": "No credit history",
    },
    "use": {
        "primary": "Primary residence",
        "second_home": "Second home",
        "investment": "Investment",
    },
    "property_type": {
        "single_family": "Single family",
        "townhouse": "Townhouse",
        "condo": "Condo",
        "condo_low_rise": "Condo, low-rise",
        "condo_high_rise": "Condo, high-rise",
        "coop": "Co-op",
        "multi_2_4": "2–4 units",
        "multi_5_plus": "5 or more units",
        "manufactured": "Manufactured",
        "modular": "Modular",
        "land": "Land",
        "other": "Other",
    },
    "timeline": {
        "asap": "As soon as possible",
        "0_30_days": "Within 30 days",
        "31_60_days": "31–60 days",
        "61_90_days": "61–90 days",
        "3_6_months": "3–6 months",
        "6_12_months": "6–12 months",
        "12_plus_months": "Over a year",
        "no_timeframe": "No time frame",
    },
    "employment": {
        "employed": "Employed",
        "self_employed": "Self-employed",
        "retired": "Retired",
        "military": "Military",
        "student": "Student",
        "unemployed": "Not employed",
        "other": "Other",
    },
    "amortization": {
        "fixed": "Fixed",
        "arm": "ARM",
        "interest_only": "Interest-only",
        "other": "Other",
    },
}
SPEAKER_PHRASES = {  # after the name of the person who entered it
    "borrower": "per borrower",
    "co_borrower": "per co-borrower",
    "agent": "per agent",
    "document": "from a document",
    "staff": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One value that somebody stated for a field."""

    value: Value
    source: str  # "Zillow", or "Dana Whitfield, per borrower"
    at: datetime


def field_label(field: ScenarioField, purpose: str) -> str:
    """Return the label of a field; a home that is bought has a price."""
    if field.key == "value" and scenario_fields.is_purchase(purpose):
        return "Purchase price"
    return field.label


def format_value(field: ScenarioField, value: Value) -> str:
    """Format a value for staff; "" if it is unknown."""
    if value is None or value == "":
        return ""
    if field.kind is FieldKind.MONEY and isinstance(value, int):
        return format_cents(value).removesuffix(".00")
    if field.kind is FieldKind.PERCENT:
        return f"{value:.3f}%" if isinstance(value, int | float) else str(value)
    if field.kind is FieldKind.YES_NO:
        return "Yes" if value else "No"
    if field.kind is FieldKind.STATE:
        return STATES.get(str(value), str(value))
    return CHOICE_LABELS.get(field.key, {}).get(str(value), str(value))


def collect_statements(
    lead: Lead, touches: Iterable[Touch], edits: Iterable[LeadEdit]
) -> dict[str, list[Statement]]:
    """Return what was stated for each field, newest first; a value said again counts once.

    Args:
        touches: of the lead, with their sources.
        edits: of the lead, with their users.
    """
    found: list[tuple[str, Statement]] = []
    for touch in touches:
        for key, field in FIELDS.items():
            value = scenario_fields.read_value(field, touch.inquiry)
            if value is not None:
                found.append((key, Statement(value=value, source=touch.source.name, at=touch.at)))
    for edit in edits:
        phrase = SPEAKER_PHRASES[edit.stated_by]
        source = f"{edit.by.name}, {phrase}" if phrase else edit.by.name
        found.append((edit.field, Statement(value=edit.after, source=source, at=edit.at)))
    by_field: dict[str, list[Statement]] = {key: [] for key in FIELDS}
    for key, statement in sorted(found, key=lambda pair: pair[1].at, reverse=True):
        earlier = by_field.get(key)
        if earlier is not None and all(known.value != statement.value for known in earlier):
            earlier.append(statement)
    return by_field


def describe_edit(edit: LeadEdit, purpose: str) -> str:
    """Describe one edit: `Purchase price $450,000 → $458,000`."""
    field = FIELDS[edit.field]
    label = field_label(field, purpose)
    before, after = format_value(field, edit.before), format_value(field, edit.after)
    return f"{label} {before or 'unknown'} → {after or 'unknown'}"
