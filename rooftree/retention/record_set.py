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
    made: str  # its column of when a row came to be; no clock begins before
    record: str  # the class it is shown under
    since: str
    people: str
    goes: tuple[str, ...]
    which: str = "true"
    theirs: str = "false"
    remains: str = "true"
