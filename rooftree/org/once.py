"""Inserting a row that may be there already, without a savepoint around the attempt."""

from django.db.models import Model


def insert_once(row: Model) -> bool:
    """Insert a row unless a unique constraint holds its like; whether it was inserted.

    Waits for another transaction that is inserting the like of it. In the usual
    case it takes half the statements of `get_or_create`, which first looks and
    then tries inside a savepoint.
    """
    rows = type(row)._default_manager
    rows.bulk_create([row], ignore_conflicts=True)
    return rows.filter(pk=row.pk).exists()
