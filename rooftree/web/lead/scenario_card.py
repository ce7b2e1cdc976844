"""The loan scenario card of the lead page: its fields, and who said what."""

from dataclasses import dataclass, replace
from typing import Any

from rooftree.compliance.gate import person_places
from rooftree.core.us_states import STATES
from rooftree.leads import contact_points, scenario_fields, scenario_text, stated_states
from rooftree.leads.edit_scenario import current_values
from rooftree.leads.models import Lead
from rooftree.leads.scenario_fields import FIELDS, Value
from rooftree.leads.scenario_text import Statement

HIDDEN_EXTRAS = ("consent.", "is_unfinished")  # of our own form: proof, not answers
DERIVED_SOURCE = "Price minus down payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioCell:
    """One field as the card shows it."""

    key: str
    label: str
    text: str  # "" if unknown
    source: str  # who said so
    statement: Statement | None
    other_statements: tuple[tuple[str, Statement], ...]  # different values stated earlier


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioCard:
    """The card: the fields that always show, the others, and what the source said besides."""

    cells: list[ScenarioCell]
    more_cells: list[ScenarioCell]
    known_count: int
    loan_to_value: str
    extras: list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChoice:
    """One state offered as a button, with the reason for offering it."""

    code: str
    name: str
    reason: str


def build_scenario_card(lead: Lead) -> ScenarioCard:
    """Build the card; `lead.touches` and `lead.edits` are loaded as the timeline loads them."""
    values = current_values(lead)
    statements = scenario_text.collect_statements(lead, lead.touches.all(), lead.edits.all())
    cells = {key: _build_cell(lead, key, values[key], statements[key]) for key in FIELDS}
    derived = scenario_fields.derive_amounts(
        {"down_payment": values["down_payment"]}, values, purpose=lead.purpose
    )
    if values["amount"] is None and "amount" in derived:
        text = scenario_text.format_value(FIELDS["amount"], derived["amount"])
        cells["amount"] = replace(cells["amount"], text=text, source=DERIVED_SOURCE)
        values["amount"] = derived["amount"]
    ratio = scenario_fields.loan_to_value(values["amount"], values["value"])
    more = [cell for key, cell in cells.items() if not FIELDS[key].is_main]
    return ScenarioCard(
        cells=[cell for key, cell in cells.items() if FIELDS[key].is_main],
        more_cells=sorted(more, key=lambda cell: not cell.text),
        known_count=sum(bool(cell.text) for cell in cells.values()),
        loan_to_value=f"{ratio}%" if ratio is not None else "",
        extras=_list_extras(lead),
    )


def scenario_context(lead: Lead, *, can_edit: bool) -> dict[str, Any]:
    """Return the template context of the card, and of the question for a missing state."""
    return {
        "scenario": build_scenario_card(lead),
        "state_choices": [] if lead.property_state else suggest_states(lead),
        "can_edit": can_edit,
    }


def build_cell(lead: Lead, key: str) -> ScenarioCell:
    """Build the cell of one field."""
    touches = lead.touches.select_related("source")
    edits = lead.edits.select_related("by")
    statements = scenario_text.collect_statements(lead, touches, edits)
    return _build_cell(lead, key, current_values(lead)[key], statements[key])


def suggest_states(lead: Lead) -> list[StateChoice]:
    """Suggest states for a lead without one: as they wrote, of their number, of the licenses."""
    received = [message for message in lead.messages.all() if message.direction == "in"]
    written = {
        stated.code: f"they wrote “{stated.quote}”"
        for message in sorted(received, key=lambda message: message.created_at)
        for stated in stated_states.find_stated_states(message.body)
    }
    phone = next(iter(contact_points.usable_phones(lead.person)), None)
    number = phone.e164 if phone else ""
    by_number = {
        place.state: f"area code {number[2:5]}" for place in person_places.area_code_places(number)
    }
    licensed = sorted({row.state for row in lead.officer.licenses.all()}) if lead.officer else []
    reasons = {**dict.fromkeys(licensed, ""), **by_number, **written}
    order = dict.fromkeys([*written, *by_number, *licensed])
    return [
        StateChoice(code=code, name=STATES[code], reason=reasons[code])
        for code in order
        if code in STATES
    ][:7]


def _build_cell(lead: Lead, key: str, value: Value, stated: list[Statement]) -> ScenarioCell:
    field = FIELDS[key]
    current = next((statement for statement in stated if statement.value == value), None)
    others = tuple(
        (scenario_text.format_value(field, statement.value) or "unknown", statement)
        for statement in stated
        if statement is not current
    )
    return ScenarioCell(
        key=key,
        label=scenario_text.field_label(field, lead.purpose),
        text=scenario_text.format_value(field, value),
        source=current.source if current else "",
        statement=current,
        other_statements=others[:2],
    )


def _list_extras(lead: Lead) -> list[tuple[str, str]]:
    """List the answers of the source that no field holds."""
    extras = lead.details.get("extras") or {}
    return [
        (str(name).replace("_", " ").capitalize(), str(answer)[:200])
        for name, answer in extras.items()
        if not str(name).startswith(HIDDEN_EXTRAS)
    ][:30]
