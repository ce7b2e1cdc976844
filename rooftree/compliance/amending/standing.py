"""The changes of rules that were approved, read with whatever statement is under way.

They are part of statements that are made anyway, so that a decision costs none for them, and
every process sees one from the moment that it is approved.
"""

import json
from datetime import date
from functools import lru_cache

from django.db import connection
from django.db.models import TextField
from django.db.models.expressions import RawSQL

from rooftree.compliance import law
from rooftree.compliance.facts import Amendment
from rooftree.compliance.law import Changes
from rooftree.compliance.rulebook import STATES

# All of them as one text, in order; it stands in brackets wherever a statement wants it.
STANDING = """
(select coalesce(json_agg(json_build_object(
            'number', c.number, 'place', c.place, 'item', c.item, 'value', c.value,
            'from_date', c.from_date, 'cite', c.cite,
            'until_date', (select w.from_date from rule_change w
                            where w.withdraws_id = c.id and w.approved_at is not null)
        ) order by c.number), '[]')::text
   from rule_change c
  where c.approved_at is not null and c.withdraws_id is null)
"""


def column() -> RawSQL:
    """The text as a column of a query of Django's."""
    return RawSQL(STANDING, [], output_field=TextField())  # noqa: S611  no value goes into it


def now() -> Changes:
    """Those that were approved until now, for a page."""
    with connection.cursor() as cursor:
        cursor.execute(f"select {STANDING}")
        return changes(cursor.fetchone()[0])


def number(name: str, day: date) -> int:
    """A federal or house number of `rulebook.NUMBERS` as it is on a day, for a page."""
    return law.number_on(name, day, now())


def states_with(switch: str, day: date) -> list[str]:
    """The states where a switch is on, on a day of theirs."""
    changes = now()
    return sorted(code for code in STATES if switch in law.state_on(code, day, changes).flags)


@lru_cache(maxsize=64)
def changes(text: str) -> Changes:
    """The changes in the text that `STANDING` gives."""
    return tuple(
        Amendment(
            **one | {"from_date": _day(one["from_date"]), "until_date": _day(one["until_date"])}
        )
        for one in json.loads(text)
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
