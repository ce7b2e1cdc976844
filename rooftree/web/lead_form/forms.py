"""The questions of the public form as the page shows them, and the checks of their answers."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from rooftree.capture.own_form.form_design import FormDesign
from rooftree.capture.own_form.form_questions import REQUIRED
from rooftree.core.email_addresses import parse_email_address
from rooftree.core.phone_numbers import parse_phone_number
from rooftree.core.us_states import STATES

MONEY_PATTERN = re.compile(r"\$?\s{0,3}\d[\d,. ]{0,14}[kKmM]?")
PERCENT_PATTERN = re.compile(r"\d{1,2}([.,]\d{1,2})?\s*%")
# Each is for one kind of borrower.
BUYER_FIELDS, OWNER_FIELDS = ("down_payment",), ("loan_amount", "current_balance")
WIDGET_KINDS = {
    "loan_purpose": "tiles",
    "property_state": "select",
    "credit": "select",
    "timeline": "select",
    "language": "select",
    "message": "area",
    "property_type": "select",
    "property_use": "select",
    "first_time_buyer": "select",
    "found_home": "select",
    "working_with_agent": "select",
    "military": "select",
    "contact_time": "select",
}
YES_NO_QUESTIONS = frozenset({"first_time_buyer", "found_home", "working_with_agent", "military"})
LENGTHS = {"message": 2000, "email": 254, "first_name": 80, "last_name": 80}
# Input attributes: type, autocomplete, inputmode.
INPUT_ATTRIBUTES = {
    "property_zip": ("text", "postal-code", "numeric"),
    "property_value": ("text", "off", "decimal"),
    "down_payment": ("text", "off", "text"),
    "loan_amount": ("text", "off", "decimal"),
    "current_balance": ("text", "off", "decimal"),
    "first_name": ("text", "given-name", "text"),
    "last_name": ("text", "family-name", "text"),
    "email": ("email", "email", "email"),
    "phone": ("tel", "tel", "tel"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question with its typed value, as the page shows it."""

    name: str
    kind: str  # input, select, tiles or area
    label: str
    hint: str
    value: str
    error: str  # "" if there is none
    required_message: str  # shown if left empty; "" if optional
    options: tuple[tuple[str, str], ...]
    input: tuple[str, str, str]
    max_length: int


class LeadForm(forms.Form):
    """The typed answers; errors are full sentences in the page's language."""

    def __init__(
        self,
        data: Any,
        words: dict[str, Any],
        *,
        design: FormDesign,
        lending_states: Collection[str] = (),
    ) -> None:
        """Create the form.

        Args:
            words: the page's words in its language; `code` is the language.
            lending_states: the states it offers; all states if empty.
        """
        super().__init__(data)
        self.design = design
        self.translations = (
            words
            | design.words(words["code"])
            | {
                "property_state": {
                    code: name
                    for code, name in sorted(STATES.items(), key=lambda state: state[1])
                    if code in lending_states or not lending_states
                }
            }
        )
        words = self.translations
        for name in design.questions:
            field = _build_field(name, words)
            field.error_messages = _SingleMessage(words["errors"][name])  # type: ignore[assignment]
            self.fields[name] = field
        self.fields["consent"] = forms.BooleanField(required=False)

    def clean_property_zip(self) -> str:
        """Check a ZIP code; cut ZIP+4 to five digits."""
        return self._match_pattern("property_zip", r"(\d{5})(?:[- ]?\d{4})?")

    def clean_property_value(self) -> str:
        """Check an amount in dollars."""
        return self._match_pattern("property_value", MONEY_PATTERN)

    def clean_down_payment(self) -> str:
        """Check an amount in dollars or a percentage."""
        return self._match_pattern(
            "down_payment", f"{MONEY_PATTERN.pattern}|{PERCENT_PATTERN.pattern}", whole=True
        )

    def clean_loan_amount(self) -> str:
        """Check an amount in dollars."""
        return self._match_pattern("loan_amount", MONEY_PATTERN)

    def clean_current_balance(self) -> str:
        """Check an amount in dollars."""
        return self._match_pattern("current_balance", MONEY_PATTERN)

    def clean_email(self) -> str:
        """Check that the email address is valid."""
        typed: str = self.cleaned_data["email"]
        if typed and parse_email_address(typed) is None:
            raise ValidationError(self.translations["errors"]["email"])
        return typed

    def clean_phone(self) -> str:
        """Check that the phone number is valid."""
        typed: str = self.cleaned_data["phone"]
        if typed and not parse_phone_number(typed).is_valid:
            raise ValidationError(self.translations["errors"]["phone"])
        return typed

    def clean(self) -> dict[str, Any]:
        """Require an email or phone; keep the buyer's or the owner's amounts, not both."""
        answers: dict[str, Any] = super().clean() or {}
        errors = self.translations["errors"]
        if not {"email", "phone"} & self.errors.keys():
            if not answers.get("email") and not answers.get("phone"):
                self.add_error("email", errors["reach"])
            elif answers.get("consent") and not answers.get("phone"):
                self.add_error("phone", errors["consent_phone"])
        is_purchase = answers.get("loan_purpose") == "purchase"
        left_out = OWNER_FIELDS if is_purchase else BUYER_FIELDS
        return {name: answer for name, answer in answers.items() if name not in left_out}

    def question_steps(self) -> list[list[Question]]:
        """Return the questions by step, with typed values and errors."""
        return [[self._build_question(name) for name in step] for step in self.design.steps]

    def _match_pattern(self, name: str, pattern: Any, *, whole: bool = False) -> str:
        typed: str = self.cleaned_data[name]
        match = re.fullmatch(pattern, typed)
        if typed and match is None:
            raise ValidationError(self.translations["errors"][name])
        return match[1] if match and match.re.groups and not whole else typed

    def _build_question(self, name: str) -> Question:
        words = self.translations
        typed = str(self.data.get(name, "")) if self.is_bound else ""
        errors = self.errors.get(name) if self.is_bound else None
        return Question(
            name=name,
            kind=WIDGET_KINDS.get(name, "input"),
            label=words["labels"][name],
            hint=words["hints"][name],
            value=typed[:2100] or (words["code"] if name == "language" else ""),
            error=str(errors[0]) if errors else "",
            required_message=words["errors"][name] if name in REQUIRED else "",
            options=_field_options(name, words),
            input=INPUT_ATTRIBUTES.get(name, ("text", "off", "text")),
            max_length=LENGTHS.get(name, 40),
        )


class _SingleMessage(dict[str, str]):
    """One sentence for every error code of a field."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = _PlainMessage(sentence)

    def __contains__(self, code: object) -> bool:
        return True

    def __getitem__(self, code: str) -> str:
        return self.sentence


class _PlainMessage(str):
    """A message that Django's % formatting leaves alone, because ours can hold percent signs."""

    def __mod__(self, _: object) -> str:
        return str(self)


def _build_field(name: str, words: dict[str, Any]) -> forms.Field:
    is_required = name in REQUIRED
    if WIDGET_KINDS.get(name) in ("select", "tiles"):
        return forms.ChoiceField(choices=_field_options(name, words), required=is_required)
    return forms.CharField(required=is_required, max_length=LENGTHS.get(name, 40))


def _field_options(name: str, words: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    if name not in WIDGET_KINDS:
        return ()
    return tuple(words.get("yes_no" if name in YES_NO_QUESTIONS else name, {}).items())
