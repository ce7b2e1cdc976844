"""Approved rule changes, read as part of statements that run anyway.

A decision needs no extra query for them, and every process sees a change from the moment it is
approved.
"""

import json
from datetime import date
from functools import lru_cache

from django.db.models import TextField
from django.db.models.expressions import RawSQL

from rooftree.compliance.gate import effective_rules
from rooftree.compliance.gate.effective_rules import Changes
from rooftree.compliance.gate.facts import Amendment
from rooftree.compliance.gate.rulebook import STATES
from rooftree.db.statements import query_row

# All approved changes as one JSON text, in order. A scalar subquery for use in other statements.
APPROVED_CHANGES_SQL = """
(select coalesce(json_agg(json_build_object(
            'number', c.number, 'place', c.place, 'item', c.item, 'value', c.value,
            'from_date', c.from_date, 'cite', c.cite,
            'until_date', (select w.from_date from rule_change w
                            where w.withdraws_id = c.id and w.approved_at is not null)
        ) order by c.number), '[]')::text
   from rule_change c
  where c.approved_at is not null and c.withdraws_id is null)
"""


def approved_changes_column() -> RawSQL:
    """Build the JSON text as a column of a Django query."""
    return RawSQL(APPROVED_CHANGES_SQL, [], output_field=TextField())  # noqa: S611  no input


def load_approved_changes() -> Changes:
    """Load the changes approved until now, for a page."""
    return parse_changes(query_row(f"select {APPROVED_CHANGES_SQL}")[0])


def effective_number_on(name: str, day: date) -> int:
    """Return a federal or house number of `rulebook.CHANGEABLE_NUMBERS` on a day, for a page."""
    return effective_rules.effective_number_on(name, day, load_approved_changes())


def states_with_switch(switch: str, day: date) -> list[str]:
    """Return the states where a switch is on, on a local date."""
    changes = load_approved_changes()
    return sorted(
        code
        for code in STATES
        if switch in effective_rules.state_rules_on(code, day, changes).flags
    )


@lru_cache(maxsize=64)
def parse_changes(text: str) -> Changes:
    """Parse the JSON text of `APPROVED_CHANGES_SQL`."""
    return tuple(
        Amendment(
            **row
            | {
                "from_date": _parse_date(row["from_date"]),
                "until_date": _parse_date(row["until_date"]),
            }
        )
        for row in json.loads(text)
    )


def _parse_date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
