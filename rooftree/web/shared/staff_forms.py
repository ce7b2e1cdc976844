"""Forms of staff pages: labels above controls, errors as sentences, input kept on errors."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.forms.utils import flatatt
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

from rooftree.core.clock_words import format_clock, parse_clock
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
SECRET_ON_FILE_HINT = "On file. Leave empty to keep it."  # noqa: S105 (a hint, not a secret)
Choices = Iterable[tuple[str, str]]


class StaffForm(forms.Form):
    """The base of staff forms: adds CSS classes and messages for missing values."""

    FIELDSETS: tuple[tuple[str, tuple[str, ...]], ...] = ()  # (heading, names of its fields)
    # Fields that are required depending on other values: they aren't marked as optional.
    CONDITIONALLY_REQUIRED: frozenset[str] = frozenset()

    def __init__(
        self, *args: Any, extra_fields: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """Create the form; `extra_fields` belong to this instance only."""
        kwargs.setdefault("auto_id", "%s")
        super().__init__(*args, **kwargs)
        self.fields |= extra_fields or {}
        self.label_suffix = ""
        for field in self.fields.values():
            if not isinstance(field.widget, PLAIN_WIDGETS):
                field.widget.attrs.setdefault("class", "input")
            field.error_messages["required"] = f"Enter {_lowercase_first(field.label)}."

    @property
    def sections(self) -> list[dict[str, Any]]:
        """The fields by fieldset; the first field with an error gets the focus."""
        invalid = next((bound for bound in self if bound.errors), None)
        if invalid:
            invalid.field.widget.attrs["autofocus"] = True
        parts = self.FIELDSETS or (("", tuple(self.fields)),)
        return [
            {"title": title, "fields": [self[name] for name in names if name in self.fields]}
            for title, names in parts
            if any(name in self.fields for name in names)
        ]

    def submit(self, act: Callable[[dict[str, Any]], Any]) -> bool:
        """Call `act` with the cleaned data; return False with field errors if it can't be done.

        The result of `act` is stored as `result`. A `UserError` becomes an error of its field.
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
        """Add an error to the field it is about, or above all fields if there is none."""
        self.add_error(field if field in self.fields else None, text)

    def set_choices(self, name: str, choices: Choices) -> None:
        """Set the choices of a choice field, for choices that are only known per request."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(choices)


class Select(forms.Select):
    """A select with ungrouped options, which renders without one template for each option."""

    def use_required_attribute(self, initial: Any) -> bool:
        return self.is_required and super().use_required_attribute(initial)

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        choices = tuple((str(key), str(label)) for key, label in self.choices)
        return format_html(
            '<select name="{}"{}>{}\n</select>',
            name,
            flatatt(self.build_attrs(self.attrs, attrs)),
            _render_options(choices, frozenset(self.format_value(value))),
        )


@lru_cache(maxsize=512)  # most selects offer the same choices on every page
def _render_options(choices: tuple[tuple[str, str], ...], chosen: frozenset[str]) -> SafeString:
    """Render the options, escaping even labels that are marked as safe."""
    return format_html_join(
        "",
        '\n  <option value="{}"{}>{}</option>',
        (
            (escape(key), SafeString(" selected" if key in chosen else ""), escape(label))
            for key, label in choices
        ),
    )


PLAIN_WIDGETS = (
    forms.CheckboxInput,
    forms.CheckboxSelectMultiple,
    forms.RadioSelect,
    forms.HiddenInput,
)


def text_field(
    label: str, hint: str = "", *, required: bool = True, **more: Any
) -> forms.CharField:
    """Create a single-line text field."""
    attrs = more.pop("attrs", {})
    return forms.CharField(
        label=label,
        help_text=hint,
        required=required,
        max_length=more.pop("max_length", 200),
        widget=forms.TextInput(attrs={"autocomplete": "off", **attrs}),
        **more,
    )


def textarea_field(
    label: str,
    hint: str = "",
    *,
    required: bool = False,
    rows: int = 3,
    max_length: int | None = None,
) -> forms.CharField:
    """Create a multi-line text field."""
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(
        label=label, help_text=hint, required=required, widget=widget, max_length=max_length
    )


def secret_field(label: str, hint: str = "", *, required: bool = False) -> forms.CharField:
    """Create a field for a secret, which is never shown after saving."""
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=True)
    return forms.CharField(
        label=label, help_text=hint, required=required, widget=widget, strip=False
    )


def choice_field(label: str, choices: Choices, hint: str = "", *, required: bool = True) -> Any:
    """Create a field to choose one option."""
    return forms.ChoiceField(
        label=label,
        help_text=hint,
        choices=list(choices),
        required=required,
        widget=Select,
        error_messages={"invalid_choice": "This option is no longer available. Choose another."},
    )


def checkboxes_field(label: str, choices: Choices, hint: str = "") -> Any:
    """Create a field to choose any number of options, as checkboxes."""
    return forms.MultipleChoiceField(
        label=label,
        help_text=hint,
        choices=list(choices),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "One of these options is no longer available."},
    )


def checkbox_field(label: str, hint: str = "") -> forms.BooleanField:
    """Create a single optional checkbox."""
    return forms.BooleanField(label=label, help_text=hint, required=False)


def date_field(label: str, hint: str = "", *, required: bool = True) -> forms.DateField:
    """Create a date field, of 1900 to 2100."""
    return forms.DateField(
        label=label,
        help_text=hint,
        required=required,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Enter a date, for example 2026-11-30."},
        validators=[MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(2100, 12, 31))],
    )


def integer_field(
    label: str, hint: str = "", *, min_value: int, max_value: int, required: bool = True
) -> Any:
    """Create a whole-number field with bounds, both included."""
    message = f"Enter a whole number from {min_value:,} to {max_value:,}."
    return forms.IntegerField(
        label=label,
        help_text=hint,
        required=required,
        min_value=min_value,
        max_value=max_value,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), message),
    )


def percent_field(
    label: str, hint: str = "", *, decimal_places: int = 2, required: bool = False
) -> Any:
    """Create a field for an exact percentage from 0 to 100, as a Decimal."""
    message = "Enter a percentage from 0 to 100, for example 1.25."
    return forms.DecimalField(
        label=label,
        help_text=hint,
        required=required,
        min_value=0,
        max_value=100,
        decimal_places=decimal_places,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value", "max_decimal_places", "max_digits"), message
        ),
    )


class DollarsField(forms.CharField):
    """A dollar amount as people type it, stored in cents."""

    def __init__(self, label: str, hint: str = "") -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(label=label, help_text=hint, required=False, widget=widget)

    def prepare_value(self, value: Any) -> Any:
        """Format cents as dollars; leave typed text as it is."""
        if isinstance(value, int):
            return f"{value // 100:,}" if value % 100 == 0 else f"{value / 100:,.2f}"
        return value

    def clean(self, value: Any) -> int | None:
        """Return cents, or None when empty."""
        typed = super().clean(value)
        if not typed:
            return None
        amount = parse_amount(typed)
        if amount is None or amount.kind is not AmountKind.EXACT:
            raise forms.ValidationError("Enter an amount in dollars, for example 412,000.")
        return amount.cents


class ClockField(forms.CharField):
    """A time of day as people type it, stored as `HH:MM`."""

    def __init__(self, label: str, hint: str = "", **attrs: str) -> None:
        widget = forms.TextInput(attrs={"autocomplete": "off", **attrs})
        super().__init__(label=label, help_text=hint, required=False, max_length=12, widget=widget)

    def prepare_value(self, value: Any) -> Any:
        """Format a stored time in 12 hours; leave typed text as it is."""
        return format_clock(value) if isinstance(value, str) else value

    def clean(self, value: Any) -> str:
        """Return the time as `HH:MM`; "" when empty."""
        typed = super().clean(value)
        clock = parse_clock(typed) if typed else ""
        if clock is None:
            raise forms.ValidationError("Enter a time, for example 9 AM or 5:30 PM.")
        return clock


class StatesField(forms.CharField):
    """US states by their two-letter codes, as `TX, FL`."""

    def __init__(self, label: str, hint: str = "Two-letter codes, for example TX, FL") -> None:
        widget = forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"})
        super().__init__(label=label, help_text=hint, required=False, widget=widget)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> tuple[str, ...]:
        """Return the codes in the order typed, without repeats."""
        typed = super().clean(value).upper().replace(",", " ").replace(";", " ").split()
        unknown = [code for code in typed if code not in STATES]
        if unknown:
            raise forms.ValidationError(
                f"Unknown state: {', '.join(unknown)}. Use two-letter codes, for example TX."
            )
        return tuple(dict.fromkeys(typed))


class LinesField(forms.CharField):
    """A list of values, one per line."""

    def __init__(self, label: str, hint: str = "One per line") -> None:
        widget = forms.Textarea(attrs={"rows": 2})
        super().__init__(label=label, help_text=hint, required=False, widget=widget)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> list[str]:
        """Return the lines that aren't blank, trimmed."""
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]


def zone_field(label: str = "Time zone", hint: str = "") -> Any:
    """Create a field to choose a US time zone."""
    assert set(ZONES) <= available_timezones()
    return choice_field(label, ZONES.items(), hint)


def row_choices(rows: Iterable[Any], nobody: str = "") -> list[tuple[str, str]]:
    """Return rows as choices; `nobody`, if given, labels an empty choice in front."""
    choices = [(str(row.pk), str(row)) for row in rows]
    return [("", nobody), *choices] if nobody else choices


def _lowercase_first(label: Any) -> str:
    text = str(label)
    return text if text[:2].isupper() else f"{text[:1].lower()}{text[1:]}"
