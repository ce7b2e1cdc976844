"""Export of database rows as JSON values."""

import base64
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model

type Json = dict[str, Any]


def export_rows(instances: Iterable[Model], *order: str) -> list[Json]:
    """Export every column of model instances, sorted by the columns `order` and the id."""
    rows = [
        export_row(instance, [field.attname for field in instance._meta.concrete_fields])
        for instance in instances
    ]
    return sorted(rows, key=lambda row: [*(str(row[name] or "") for name in order), row["id"]])


def export_row(instance: Model, names: Sequence[str]) -> Json:
    """Export the named columns of a model instance."""
    return {name: to_json_value(getattr(instance, name)) for name in names}


def to_json_value(value: Any) -> Any:
    """Convert a column value for JSON: times in UTC (ISO 8601), bytes in base64."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return value
