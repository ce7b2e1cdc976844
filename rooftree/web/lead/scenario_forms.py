"""Forms for a lead's data: one field of the loan scenario, contacts, a co-borrower."""

from collections.abc import Sequence
from typing import Any

from django import forms

from rooftree.capture.intake.staff_contacts import StatedCoBorrower, StatedContacts
from rooftree.core.us_states import STATES
from rooftree.leads.scenario_fields import FIELDS, SPEAKERS, FieldKind, ScenarioField, Value
from rooftree.leads.scenario_text import CHOICE_LABELS, field_label
from rooftree.web.shared.display_formats import LANGUAGE_LABELS
from rooftree.web.shared.staff_forms import (
    DollarsField,
    StaffForm,
    choice_field,
    percent_field,
    text_field,
)

UNKNOWN = ("", "Unknown")
PHONE_KINDS = {"mobile": "Mobile", "home": "Home", "work": "Work", "unknown": "Not sure"}


class ScenarioFieldForm(StaffForm):
    """One field of the loan scenario, and whose word its new value is."""

    CONDITIONALLY_REQUIRED = frozenset({"value"})  # empty means unknown
    stated_by = choice_field("Who said so", SPEAKERS.items())

    def __init__(self, *args: Any, field: ScenarioField, purpose: str, **kwargs: Any) -> None:
        self.scenario_field = field
        value = _value_field(field, field_label(field, purpose))
        super().__init__(*args, extra_fields={"value": value}, **kwargs)
        self.order_fields(["value", "stated_by"])

    def changes(self) -> dict[str, Value]:
        """Return the typed value by the field's key, None if it was left empty."""
        field = self.scenario_field
        return {field.key: _typed_value(field, self.cleaned_data["value"])}


class HandoffFactsForm(StaffForm):
    """The facts of the loan scenario that a hand-off lacks, and whose word they are."""

    stated_by = choice_field("Who said so", SPEAKERS.items())

    def __init__(
        self,
        *args: Any,
        required: Sequence[str],
        optional: Sequence[str],
        purpose: str,
        **kwargs: Any,
    ) -> None:
        self.keys = (*required, *optional)
        self.FIELDSETS = (
            ("The LOS needs", tuple(required)),
            ("Worth asking if you are talking now", tuple(optional)),
            ("", ("stated_by",)),
        )
        self.CONDITIONALLY_REQUIRED = frozenset(self.keys)  # all may stay unknown
        fields = {
            key: _value_field(FIELDS[key], field_label(FIELDS[key], purpose)) for key in self.keys
        }
        super().__init__(*args, extra_fields=fields, **kwargs)

    def changes(self) -> dict[str, Value]:
        """Return what was typed, by the field's key; what was left empty changes nothing."""
        values = {key: _typed_value(FIELDS[key], self.cleaned_data[key]) for key in self.keys}
        return {key: value for key, value in values.items() if value is not None}


class ContactForm(StaffForm):
    """New contact data of the borrower; what is left as it was changes nothing."""

    first_name = text_field("First name", required=False, max_length=80)
    last_name = text_field("Last name", required=False, max_length=80)
    phone = text_field(
        "New phone number",
        "It has no consent: no automatic texts until the borrower agrees to them.",
        required=False,
        max_length=30,
        attrs={"inputmode": "tel"},
    )
    phone_kind = choice_field("Type", PHONE_KINDS.items(), required=False)
    email = text_field(
        "New email",
        "Email goes to this address from now on.",
        required=False,
        max_length=200,
        attrs={"inputmode": "email"},
    )
    language = choice_field("Language", [UNKNOWN, *LANGUAGE_LABELS.items()], required=False)

    def stated_contacts(self, typed: dict[str, Any]) -> StatedContacts:
        """Return what was typed."""
        return StatedContacts(**typed | {"phone_kind": typed["phone_kind"] or "unknown"})


class CoBorrowerForm(StaffForm):
    """A second applicant on the loan."""

    first_name = text_field("First name", max_length=80)
    last_name = text_field("Last name", required=False, max_length=80)
    phone = text_field("Phone", required=False, max_length=30, attrs={"inputmode": "tel"})
    email = text_field("Email", required=False, max_length=200, attrs={"inputmode": "email"})

    def stated_co_borrower(self, typed: dict[str, Any]) -> StatedCoBorrower:
        """Return what was typed."""
        return StatedCoBorrower(**typed)


def initial_value(field: ScenarioField, value: Value) -> object:
    """Return a field's value as its form control shows it."""
    if field.kind is FieldKind.YES_NO:
        return {True: "yes", False: "no"}.get(bool(value), "") if value is not None else ""
    return "" if value is None else value


def _typed_value(field: ScenarioField, typed: Any) -> Value:
    """Return what a control gave as the field's value; None if it was left empty."""
    if typed in ("", None):
        return None
    match field.kind:
        case FieldKind.YES_NO:
            return {"yes": True, "no": False}.get(typed)
        case FieldKind.PERCENT:
            return float(typed)
    value: Value = typed
    return value


def _value_field(field: ScenarioField, label: str) -> Any:
    match field.kind:
        case FieldKind.MONEY:
            return DollarsField(label)
        case FieldKind.PERCENT:
            return percent_field(label, decimal_places=3)
        case FieldKind.CHOICE:
            return choice_field(label, [UNKNOWN, *CHOICE_LABELS[field.key].items()], required=False)
        case FieldKind.STATE:
            return choice_field(label, [UNKNOWN, *STATES.items()], required=False)
        case FieldKind.YES_NO:
            return choice_field(label, [UNKNOWN, ("yes", "Yes"), ("no", "No")], required=False)
        case FieldKind.ZIP:
            return forms.RegexField(
                r"^\d{5}$",
                label=label,
                required=False,
                error_messages={"invalid": "Enter five digits, for example 78745."},
                widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
            )
    return text_field(label, required=False, max_length=field.max_length)
