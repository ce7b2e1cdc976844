"""Warnings and unmapped vendor values that an adapter collects while it reads."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from rooftree.core.masking import SensitiveKind, redact_numbers
from rooftree.core.person_names import clean_text

_MAX_EXTRAS = 100  # the canonical record's limits on extras
_MAX_VALUE_LENGTH = 1_000
_MAX_KEY_LENGTH = 200
_BIRTHDAY_KEYS = frozenset(
    {"dob", "dateofbirth", "birthdate", "birthday", "dobmm", "dobdd", "dobyyyy"}
)
_SECRET_WARNINGS = {
    SensitiveKind.SSN: "ssn_discarded",
    SensitiveKind.CARD: "card_number_redacted",
    SensitiveKind.ACCOUNT: "account_number_redacted",
}


@dataclass(slots=True)
class ReadingNotes:
    """Warnings and extras of one reading."""

    warnings: set[str] = field(default_factory=set)
    extras: dict[str, str] = field(default_factory=dict)
    # our field: the vendor's name for it
    vendor_names: dict[str, str] = field(default_factory=dict)

    def warn(self, code: str) -> None:
        """Add a warning code."""
        self.warnings.add(clean_text(code))

    def warn_of_secrets(self, secrets: frozenset[SensitiveKind]) -> None:
        """Warn that numbers we must not store were found."""
        self.warnings |= {_SECRET_WARNINGS[kind] for kind in secrets}

    def keep_extra(self, key: str, value: Any) -> None:
        """Store a value as text under the vendor's own key; skip an empty one."""
        self._add_extra(self.vendor_names.get(key, key), value)

    def keep_unread(self, fields: "Fields") -> None:
        """Store every plain value of an object that was not read."""
        self.keep_extras(fields.unread_items())

    def keep_extras(self, unread: Iterable[tuple[str, Any]]) -> None:
        """Store values under the vendor's own keys."""
        for key, value in unread:
            self._add_extra(key, value)

    def _add_extra(self, key: str, value: Any) -> None:
        """Store one extra; drop a birth date: age must not affect credit (12 CFR 1002.4(a))."""
        if _BIRTHDAY_KEYS.intersection((_plain_key(key), _plain_key(key.rpartition(".")[2]))):
            if as_text(value).strip():
                self.warn("dob_discarded")
            return
        text, secrets = redact_numbers(clean_text(as_text(value), keep_lines=True))
        self.warn_of_secrets(secrets)
        if text and len(self.extras) < _MAX_EXTRAS:
            self.extras.setdefault(clean_text(key)[:_MAX_KEY_LENGTH], text[:_MAX_VALUE_LENGTH])


class Fields(dict[str, Any]):
    """A vendor object that remembers which keys were read."""

    def __init__(self, value: Any = None) -> None:
        super().__init__(value if isinstance(value, dict) else {})
        self._read: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value and mark its key as read."""
        self._read.add(key)
        return super().get(key, default)

    def nested(self, key: str) -> "Fields":
        """Return the object under `key`; an empty one for any other value."""
        return Fields(self.get(key))

    def nested_list(self, key: str) -> list["Fields"]:
        """Return the objects of the list under `key`; [] for any other value."""
        items = self.get(key)
        return [Fields(item) for item in items] if isinstance(items, list) else []

    def first_value(self, *keys: str) -> Any:
        """Return the first non-empty value of the keys, or None."""
        values = [self.get(key) for key in keys]
        return next((value for value in values if value not in (None, "")), None)

    def unread_items(self) -> list[tuple[str, Any]]:
        """Return the keys and values that were not read."""
        return [(key, value) for key, value in self.items() if key not in self._read]


def as_text(value: Any) -> str:
    """Return a vendor's plain value as text: "" for null and for anything nested."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        is_flat = not any(isinstance(item, list | dict) for item in value)
        return ", ".join(filter(None, map(as_text, value[:50]))) if is_flat else ""
    if isinstance(value, int | float | Decimal):
        return str(value)
    return ""


def _plain_key(key: str) -> str:
    return re.sub(r"[\W_]+", "", key.lower())
