"""What an adapter remarks while it reads: warnings, and vendor keys it has no place for."""

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
    """The margin of one reading."""

    warnings: set[str] = field(default_factory=set)
    extras: dict[str, str] = field(default_factory=dict)
    theirs: dict[str, str] = field(default_factory=dict)  # our field: what the vendor calls it

    def warn(self, code: str) -> None:
        self.warnings.add(clean_text(code))

    def warn_of_secrets(self, secrets: frozenset[SensitiveKind]) -> None:
        """Numbers that may not be kept were found."""
        self.warnings |= {_SECRET_WARNINGS[kind] for kind in secrets}

    def keep(self, key: str, value: Any) -> None:
        """Keep a value as text under the vendor's own key; nothing for an empty one."""
        self._add_extra(self.theirs.get(key, key), value)

    def keep_unread(self, fields: "Fields") -> None:
        """Keep every plain value of an object that nobody has asked for."""
        self.keep_extras(fields.unread())

    def keep_extras(self, unread: Iterable[tuple[str, Any]]) -> None:
        """Keep what stands in a vendor's own places."""
        for key, value in unread:
            self._add_extra(key, value)

    def _add_extra(self, key: str, value: Any) -> None:
        """A birthday is let go of: nobody may be treated worse for an age (12 CFR 1002.4(a))."""
        if _BIRTHDAY_KEYS.intersection((_plain_key(key), _plain_key(key.rpartition(".")[2]))):
            if as_text(value).strip():
                self.warn("dob_discarded")
            return
        text, secrets = redact_numbers(clean_text(as_text(value), keep_lines=True))
        self.warn_of_secrets(secrets)
        if text and len(self.extras) < _MAX_EXTRAS:
            self.extras.setdefault(clean_text(key)[:_MAX_KEY_LENGTH], text[:_MAX_VALUE_LENGTH])


class Fields(dict[str, Any]):
    """One vendor object that remembers which keys were read."""

    def __init__(self, found: Any = None) -> None:
        super().__init__(found if isinstance(found, dict) else {})
        self._read: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self._read.add(key)
        return super().get(key, default)

    def part(self, key: str) -> "Fields":
        """The object under `key`; an empty one when something else stands there."""
        return Fields(self.get(key))

    def parts(self, key: str) -> list["Fields"]:
        """The objects of the list under `key`; none when something else stands there."""
        listed = self.get(key)
        return [Fields(one) for one in listed] if isinstance(listed, list) else []

    def first(self, *keys: str) -> Any:
        """The first of the keys' values that is not empty."""
        values = [self.get(key) for key in keys]
        return next((value for value in values if value not in (None, "")), None)

    def unread(self) -> list[tuple[str, Any]]:
        return [(key, value) for key, value in self.items() if key not in self._read]


def as_text(value: Any) -> str:
    """It is a vendor's plain value as text: "" for null and for anything nested."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(filter(None, map(as_text, value[:50]))) if _is_flat(value) else ""
    if isinstance(value, int | float | Decimal):
        return str(value)
    return ""


def _plain_key(key: str) -> str:
    return re.sub(r"[\W_]+", "", key.lower())


def _is_flat(values: list[Any]) -> bool:
    return not any(isinstance(value, list | dict) for value in values)
