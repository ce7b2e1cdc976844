"""Forms of staff pages: labels over controls, errors as sentences, nothing typed is lost."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from zoneinfo import available_timezones

from django import forms

from rooftree.core.money_amounts import AmountKind, parse_amount
from rooftree.core.us_states import STATES
from rooftree.core.user_errors import UserError

ZONES = {
    "America/New_York": "Eastern",
    "America/Chicago": "Central",
    "America/Denver": "Mountain",
    "America/Phoenix": "Arizona",
    "America/Los_Angeles": "Pacific",
    "America/Anchorage": "Alaska",
    "Pacific/Honolulu": "Hawaii",
    "America/Puerto_Rico": "Atlantic",
    "Pacific/Guam": "Chamorro",
}
SECRET_ON_FILE_HINT = (
    "On file; leave it empty to keep it"  # what stands beside a secret that is there
)
Choices = Iterable[tuple[str, str]]


class StaffForm(forms.Form):
    """The base of them: our classes on the controls, our words for what is missing."""

    FIELDSETS: tuple[tuple[str, tuple[str, ...]], ...] = ()  # a heading and the fields under it

    def __init__(self, *args: Any, extra_fields: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        """`more` are fields that only this one of its kind has."""
        super().__init__(*args, auto_id=kwargs.pop("auto_id", "%s"), **kwargs)
        self.fields |= extra_fields or {}
        self.label_suffix = ""
        for field in self.fields.values():
            if not isinstance(field.widget, PLAIN_WIDGETS):
                field.widget.attrs.setdefault("class", "input")
            field.error_messages["required"] = f"Give {_lowercase_first(field.label)}."

    @property
    def sections(self) -> list[dict[str, Any]]:
        """The fields in their parts; the first wrong one gets the focus."""
        wrong = next((bound for bound in self if bound.errors), None)
        if wrong:
            wrong.field.widget.attrs["autofocus"] = True
        parts = self.FIELDSETS or (("", tuple(self.fields)),)
        return [
            {"title": title, "fields": [self[name] for name in names if name in self.fields]}
            for title, names in parts
            if any(name in self.fields for name in names)
        ]

    def submit(self, act: Callable[[dict[str, Any]], Any]) -> bool:
        """Do `act` with what was typed; False with the sentences at the fields when it cannot be.

        What `act` gives back is kept as `made`.
        """
        if not self.is_valid():
            return False
        try:
            self.result = act(dict(self.cleaned_data))
        except UserError as problem:
            self.show_refusal(problem.field, str(problem))
            return False
        return True

    def show_refusal(self, field: str, text: str) -> None:
        """Show a refusal of the domain at the field it is about, else above them all."""
        self.add_error(field if field in self.fields else None, text)


PLAIN_WIDGETS = (
    forms.CheckboxInput,
    forms.CheckboxSelectMultiple,
    forms.RadioSelect,
    forms.HiddenInput,
)


def text_field(
    label: str, hint: str = "", *, required: bool = True, **more: Any
) -> forms.CharField:
    """One line of text."""
    attrs = more.pop("attrs", {})
    return forms.CharField(
        label=label,
        help_text=hint,
        required=required,
        max_length=more.pop("longest", 200),
        widget=forms.TextInput(attrs={"autocomplete": "off", **attrs}),
        **more,
    )


def textarea_field(
    label: str, hint: str = "", *, required: bool = False, rows: int = 3
) -> forms.CharField:
    """Text of several lines."""
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, help_text=hint, required=required, widget=widget)


def secret_field(label: str, hint: str = "", *, required: bool = False) -> forms.CharField:
    """Something that is written and never shown again."""
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=True)
    return forms.CharField(
        label=label, help_text=hint, required=required, widget=widget, strip=False
    )


def choice_field(label: str, choices: Choices, hint: str = "", *, required: bool = True) -> Any:
    """One of a few."""
    listed = list(choices)
    return forms.ChoiceField(
        label=label,
        help_text=hint,
        choices=listed,
        required=required,
        error_messages={"invalid_choice": "This is no longer there; choose another."},
    )


def checkboxes_field(label: str, choices: Choices, hint: str = "") -> Any:
    """Any number of a few, as boxes."""
    return forms.MultipleChoiceField(
        label=label,
        help_text=hint,
        choices=list(choices),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "One of these is no longer there."},
    )


def checkbox_field(label: str, hint: str = "") -> forms.BooleanField:
    """A box that may be ticked."""
    return forms.BooleanField(label=label, help_text=hint, required=False)


def date_field(label: str, hint: str = "", *, required: bool = True) -> forms.DateField:
    """A calendar day."""
    return forms.DateField(
        label=label,
        help_text=hint,
        required=required,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write the day as 2026-11-30."},
    )


def integer_field(
    label: str, hint: str = "", *, min_value: int, max_value: int, required: bool = True
) -> Any:
    """A whole number within bounds."""
    said = f"A whole number from {min_value:,} to {max_value:,}."
    return forms.IntegerField(
        label=label,
        help_text=hint,
        required=required,
        min_value=min_value,
        max_value=max_value,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), said),
    )


def percent_field(label: str, hint: str = "", *, decimal_places: int = 2, required: bool = False) -> Any:
    """A percentage, exact."""
    said = "Write a percentage from 0 to 100, as 1.25."
    return forms.DecimalField(
        label=label,
        help_text=hint,
        required=required,
        min_value=0,
        max_value=100,
        decimal_places=decimal_places,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value", "max_decimal_places", "max_digits"), said
        ),
    )


class DollarsField(forms.CharField):
    """An amount as people write it, kept in cents."""

    def __init__(self, label: str, hint: str = "") -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(label=label, help_text=hint, required=False, widget=widget)

    def prepare_value(self, value: Any) -> Any:
        """Cents as dollars; what was typed stays as it was."""
        if isinstance(value, int):
            return f"{value // 100:,}" if value % 100 == 0 else f"{value / 100:,.2f}"
        return value

    def clean(self, value: Any) -> int | None:
        """Cents, or None when nothing was typed."""
        typed = super().clean(value)
        if not typed:
            return None
        read = parse_amount(typed)
        if read is None or read.kind is not AmountKind.EXACT:
            raise forms.ValidationError("Write an amount in dollars, as 412,000.")
        return read.cents


class StatesField(forms.CharField):
    """States by their letters, as `TX, FL`."""

    def __init__(self, label: str, hint: str = "Two letters each, as TX, FL") -> None:
        widget = forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"})
        super().__init__(label=label, help_text=hint, required=False, widget=widget)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> tuple[str, ...]:
        """Codes in the order typed, each once."""
        typed = super().clean(value).upper().replace(",", " ").replace(";", " ").split()
        unknown = [one for one in typed if one not in STATES]
        if unknown:
            raise forms.ValidationError(
                f"{', '.join(unknown)} is not a state; use two letters, as TX."
            )
        return tuple(dict.fromkeys(typed))


class LinesField(forms.CharField):
    """One value a line."""

    def __init__(self, label: str, hint: str = "One a line") -> None:
        widget = forms.Textarea(attrs={"rows": 2})
        super().__init__(label=label, help_text=hint, required=False, widget=widget)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> list[str]:
        """The lines that say something."""
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]


def zone_field(label: str = "Time zone", hint: str = "") -> Any:
    """A US time zone."""
    assert set(ZONES) <= available_timezones()
    return choice_field(label, ZONES.items(), hint)


def row_choices(rows: Iterable[Any], nobody: str = "") -> list[tuple[str, str]]:
    """Rows with a key and a name as choices; `nobody` is said for none of them."""
    listed = [(str(row.pk), str(row)) for row in rows]
    return [("", nobody), *listed] if nobody else listed


def _lowercase_first(label: Any) -> str:
    said = str(label)
    return said if said[:2].isupper() else f"{said[:1].lower()}{said[1:]}"
