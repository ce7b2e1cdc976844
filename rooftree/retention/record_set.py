"""The record set: rows of one table that are removed together with their dependents."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSet:
    """The rows of one table, each with its dependents, and the SQL to select and remove them.

    `clocks_sql` is SQL for a JSON object: each class that keeps the row and the start day of its
    clock, null if it has not started. `people_sql` is SQL for the ids of its people.
    `requester_condition` is true for rows of the people in a deletion request; "false" if
    requests don't cover the table. `remains_condition` is true if a removed row still holds data.
    """

    name: str
    table: str
    created_column: str  # the time a row was created; no clock starts earlier
    record_class: str  # the class shown on screen
    clocks_sql: str
    people_sql: str
    removal_statements: tuple[str, ...]
    condition: str = "true"
    requester_condition: str = "false"
    remains_condition: str = "true"
