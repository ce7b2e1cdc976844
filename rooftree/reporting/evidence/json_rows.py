"""Turn rows of the database into the JSON values of an evidence file."""

import base64
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model

type Json = dict[str, Any]


def export_rows(found: Iterable[Model], *order: str) -> list[Json]:
    """Give every column of the rows, as JSON values, in order."""
    rows = [
        export_row(one, [field.attname for field in one._meta.concrete_fields]) for one in found
    ]
    return sorted(rows, key=lambda one: [*(str(one[name] or "") for name in order), one["id"]])


def export_row(one: Model, names: Sequence[str]) -> Json:
    """Give the named columns of a row, as JSON values."""
    return {name: to_json_value(getattr(one, name)) for name in names}


def to_json_value(value: Any) -> Any:
    """Give a column's value as JSON holds it; times in UTC, bytes in base 64."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return value
