"""The questions of the public form, in their order, and what a usable answer to each is.

Of the six items that make an application (12 CFR 1026.2(a)(3)(ii)) the form asks for
three: name, value and amount. It must never ask for all six.
"""

import re
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from rooftree.core.email_addresses import parse_email_address
from rooftree.core.phone_numbers import parse_phone_number
from rooftree.core.us_states import STATES

MONEY_PATTERN = re.compile(r"\$?\s*\d[\d,. ]{0,14}[kKmM]?")
PERCENT_PATTERN = re.compile(r"\d{1,2}([.,]\d{1,2})?\s*%")
REQUIRED = frozenset({"loan_purpose", "property_state", "first_name", "last_name"})
BUYER_FIELD, OWNER_FIELD = "down_payment", "loan_amount"  # asked of one kind only
FORM_STEPS = (
    ("loan_purpose", "property_state", "property_zip"),
    ("first_name", "last_name", "email", "phone", "language"),
    ("property_value", "down_payment", "loan_amount", "credit", "timeline", "message"),
)
FIELD_NAMES = tuple(name for step in FORM_STEPS for name in step)
WIDGET_KINDS = {
    "loan_purpose": "tiles",
    "property_state": "select",
    "credit": "select",
    "timeline": "select",
    "language": "select",
    "message": "area",
}
LENGTHS = {"message": 2000, "email": 254, "first_name": 80, "last_name": 80}
# Attributes of an input: its type, what the browser may fill in, the keyboard of a phone.
INPUT_ATTRIBUTES = {
    "property_zip": ("text", "postal-code", "numeric"),
    "property_value": ("text", "off", "decimal"),
    "down_payment": ("text", "off", "text"),
    "loan_amount": ("text", "off", "decimal"),
    "first_name": ("text", "given-name", "text"),
    "last_name": ("text", "family-name", "text"),
    "email": ("email", "email", "email"),
    "phone": ("tel", "tel", "tel"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question as the page shows it."""

    name: str
    kind: str  # input, select, tiles or area
    label: str
    hint: str
    value: str
    error: str  # "" when there is none
    required_message: str  # what the page says when it is left empty; "" when it may be
    options: tuple[tuple[str, str], ...]
    input: tuple[str, str, str]
    max_length: int


class LeadForm(forms.Form):
    """What a visitor typed. Errors are whole sentences in the page's language."""

    def __init__(self, data: Any, words: dict[str, Any]) -> None:
        super().__init__(data)
        self.translations = words
        for name in FIELD_NAMES:
            field = _build_field(name, words)
            field.error_messages = _SingleMessage(words["errors"][name])
            self.fields[name] = field
        self.fields["consent"] = forms.BooleanField(required=False)

    def clean_property_zip(self) -> str:
        """Five digits; four more are cut off."""
        return self._match_pattern("property_zip", r"(\d{5})(?:[- ]?\d{4})?")

    def clean_property_value(self) -> str:
        """An amount of dollars."""
        return self._match_pattern("property_value", MONEY_PATTERN)

    def clean_down_payment(self) -> str:
        """An amount of dollars, or a percentage."""
        return self._match_pattern(
            "down_payment", f"{MONEY_PATTERN.pattern}|{PERCENT_PATTERN.pattern}", whole=True
        )

    def clean_loan_amount(self) -> str:
        """An amount of dollars."""
        return self._match_pattern("loan_amount", MONEY_PATTERN)

    def clean_email(self) -> str:
        """An address that can exist."""
        written: str = self.cleaned_data["email"]
        if written and parse_email_address(written) is None:
            raise ValidationError(self.translations["errors"]["email"])
        return written

    def clean_phone(self) -> str:
        """A number that can exist."""
        written: str = self.cleaned_data["phone"]
        if written and not parse_phone_number(written).is_valid:
            raise ValidationError(self.translations["errors"]["phone"])
        return written

    def clean(self) -> dict[str, Any]:
        """One way to answer is needed; a buyer's and an owner's figure are not both kept."""
        found: dict[str, Any] = super().clean() or {}
        errors = self.translations["errors"]
        if not {"email", "phone"} & self.errors.keys():
            if not found.get("email") and not found.get("phone"):
                self.add_error("email", errors["reach"])
            elif found.get("consent") and not found.get("phone"):
                self.add_error("phone", errors["consent_phone"])
        is_purchase = found.get("loan_purpose") == "purchase"
        found.pop(OWNER_FIELD if is_purchase else BUYER_FIELD, None)
        return found

    def question_steps(self) -> list[list[Question]]:
        """The questions by step, with what was typed and what is wrong with it."""
        return [[self._build_question(name) for name in step] for step in FORM_STEPS]

    def _match_pattern(self, name: str, pattern: Any, *, whole: bool = False) -> str:
        written: str = self.cleaned_data[name]
        found = re.fullmatch(pattern, written)
        if written and found is None:
            raise ValidationError(self.translations["errors"][name])
        return found[1] if found and found.re.groups and not whole else written

    def _build_question(self, name: str) -> Question:
        words = self.translations
        typed = str(self.data.get(name, "")) if self.is_bound else ""
        errors = self.errors.get(name) if self.is_bound else None
        return Question(
            name=name,
            kind=WIDGET_KINDS.get(name, "input"),
            label=words["labels"][name],
            hint=words["hints"].get(name, ""),
            value=typed[:2100] or (words["code"] if name == "language" else ""),
            error=errors[0] if errors else "",
            required_message=words["errors"][name] if name in REQUIRED else "",
            options=_field_options(name, words),
            input=INPUT_ATTRIBUTES.get(name, ("text", "off", "text")),
            max_length=LENGTHS.get(name, 40),
        )


class _SingleMessage(dict[str, str]):
    """One sentence for whatever is wrong with a field."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = _PlainMessage(sentence)

    def __contains__(self, code: object) -> bool:
        return True

    def __getitem__(self, code: str) -> str:
        return self.sentence


class _PlainMessage(str):
    """Django fills figures into some messages; ours may hold a bare percent sign."""

    def __mod__(self, _: object) -> str:
        return str(self)


def _build_field(name: str, words: dict[str, Any]) -> forms.Field:
    needed = name in REQUIRED
    if WIDGET_KINDS.get(name) in ("select", "tiles"):
        return forms.ChoiceField(choices=_field_options(name, words), required=needed)
    return forms.CharField(required=needed, max_length=LENGTHS.get(name, 40))


def _field_options(name: str, words: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    if name == "property_state":
        return tuple(sorted(STATES.items(), key=lambda one: one[1]))
    return tuple(words.get(name, {}).items()) if name in WIDGET_KINDS else ()
