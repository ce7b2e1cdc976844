"""What a holding is: rows that are removed together, with all that hangs on them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSet:
    """Rows of one table, each with all that hangs on it.

    `since` is SQL for a JSON object: every class that keeps the row, and the day that
    class's clock began, null while it has not. `people` is SQL for their ids, `theirs` the
    condition that a row is of those who ask; none where their asking does not reach.
    `remains` is the condition that a removed row still says something.
    """

    name: str
    table: str
    created_column: str  # its column of when a row came to be; no clock begins before
    record_class: str  # the class it is shown under
    clocks_sql: str
    people_sql: str
    removal_statements: tuple[str, ...]
    condition: str = "true"
    requester_condition: str = "false"
    remains_condition: str = "true"
