"""Edits of a lead's loan scenario by staff: each keeps who said what, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from rooftree.core.masking import redact_numbers
from rooftree.core.user_errors import InvalidField, UserError
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads import scenario_fields
from rooftree.leads.models import Lead, LeadEdit
from rooftree.leads.scenario_fields import FIELDS, SPEAKERS, Value
from rooftree.ledger.write_events import write_event

FINAL_STATES = {
    "funded": "This loan has funded. Its data is in the LOS.",
    "retired": "This lead is closed. Reopen it to change its data.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioEdit:
    """An edit as it was stored."""

    lead: Lead  # as it is now
    edits: Sequence[LeadEdit]  # empty if nothing changed
    officer_before: UUID | None

    @property
    def lost_officer(self) -> bool:
        """True if the officer may not have the lead anymore: no license in its new state."""
        return self.officer_before is not None and self.lead.officer_id is None

    def changes(self, *keys: str) -> bool:
        """Return True if one of these fields changed."""
        return any(edit.field in keys for edit in self.edits)


def edit_scenario(
    *, lead_id: UUID, changes: Mapping[str, Value], stated_by: str, by: UUID, at: datetime
) -> ScenarioEdit:
    """Set fields of a lead's loan scenario, and the amounts that follow from them.

    Unchanged values are left out, so a repeated edit stores nothing. A later inquiry doesn't
    overwrite an edited field. Numbers that must not be stored (SSN, card, account) are masked. The
    ledger records the names of the fields, not their values.

    Args:
        changes: values by key of `scenario_fields.FIELDS`, in interchange form; None is unknown.
        stated_by: a key of `SPEAKERS`.

    Raises `UserError`.
    """
    if stated_by not in SPEAKERS:
        raise InvalidField("stated_by", "Choose who said so.")
    with transaction.atomic():
        lead = Lead.objects.select_for_update(of=("self",), no_key=True).get(pk=lead_id)
        if lead.state in FINAL_STATES:
            raise UserError(FINAL_STATES[lead.state])
        officer_before = lead.officer_id
        edits = _build_edits(lead, changes, stated_by=stated_by, by=by, at=at)
        if edits:
            _store_edits(lead, edits)
            write_event(
                "leads.scenario.edited",
                at=at,
                actor=f"user:{by}",
                lead_id=lead.pk,
                person_id=lead.person_id,
                fields=[edit.field for edit in edits],
                stated_by=stated_by,
            )
            lead.refresh_from_db()  # a trigger can end the ownership when the state changes
    return ScenarioEdit(lead=lead, edits=edits, officer_before=officer_before)


def current_values(lead: Lead) -> dict[str, Value]:
    """Return the values of a lead's loan scenario by field; None for unknown ones."""
    values = {key: scenario_fields.read_value(field, lead.details) for key, field in FIELDS.items()}
    for key, field in FIELDS.items():  # what columns say, wins: imports fill only them
        if field.column and values[key] is None:
            stored = getattr(lead, field.column)
            is_unknown = stored is None or stored == ""
            values[key] = None if is_unknown else float(stored) if key == "current_rate" else stored
    return values


def _build_edits(
    lead: Lead, changes: Mapping[str, Value], *, stated_by: str, by: UUID, at: datetime
) -> list[LeadEdit]:
    current = current_values(lead)
    typed = {
        key: redact_numbers(value)[0] if isinstance(value, str) else value
        for key, value in changes.items()
    }
    changed = {key: value for key, value in typed.items() if value != current[key]}
    purpose = str(changed.get("purpose", current["purpose"]) or "")
    changed |= scenario_fields.derive_amounts(changed, current, purpose=purpose)
    return [
        LeadEdit(
            id=uuid7_at(at),
            lead=lead,
            field=key,
            before=current[key],
            after=value,
            stated_by=stated_by,
            by_id=by,
            at=at,
        )
        for key, value in changed.items()
    ]


def _store_edits(lead: Lead, edits: Sequence[LeadEdit]) -> None:
    LeadEdit.objects.bulk_create(edits)
    current = current_values(lead)
    values: dict[str, Value] = {edit.field: edit.after for edit in edits}
    purpose = str(values.get("purpose", lead.purpose) or "")
    if "purpose" in values:  # the value moves between price and estimate
        values.setdefault("value", current["value"])
    details: dict[str, Any] = lead.details
    columns: dict[str, object] = {}
    for key, value in values.items():
        field = FIELDS[key]
        details = scenario_fields.write_value(field, details, value, purpose=purpose)
        if field.column:
            columns[field.column] = scenario_fields.column_value(field, value)
    edited = sorted({*lead.edited_fields, *(edit.field for edit in edits)})
    amounts = current | values
    ratio = scenario_fields.loan_to_value(amounts["amount"], amounts["value"])
    if ratio is not None:
        loan = {**details.get("loan", {}), "ltv_pct": float(ratio), "ltv_source": "derived"}
        details = {**details, "loan": loan}
    Lead.objects.filter(pk=lead.pk).update(details=details, edited_fields=edited, **columns)
