"""What the do-not-call lists say of one number: those we hold, and what a vendor answered.

Two reads by key for ours, whatever they list, and one for the newest answer about it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from django.db import connection

# The lists that cover an American number (E.164), which {number} is SQL for, and if it is on each.
LIST_STATUS_SQL = """
select a.registry, a.dated, coalesce(get_bit(b.bits, right({number}, 4)::int), 0) = 1 as is_listed,
       '' as by
  from dnc_area a
  left join dnc_block b on b.id = a.registry || ':' || substr({number}, 3, 6)
 where a.area in ('', substr({number}, 3, 3))
union all
select r.registry, q.answered_at::date, r.registry = any(q.listed), q.service
  from (select answered_at, listed, covers, service from number_question
         where number = {number} and kind = 'lists' and answered_at is not null
         order by answered_at desc limit 1) q
 cross join unnest(q.covers) r(registry)
"""
ONE_NUMBER_SQL = f"""
select * from ({LIST_STATUS_SQL.format(number="%(number)s")}) said
 order by registry = 'US' desc, registry, dated desc
"""  # noqa: S608
MANY_NUMBERS_SQL = f"""
select asked.number, said.registry, said.dated, said.is_listed, said.by
  from unnest(%(numbers)s::text[]) asked(number)
 cross join lateral ({LIST_STATUS_SQL.format(number="asked.number")}) said
"""  # noqa: S608


class ListCopy(Protocol):
    """What one copy of a list says of a number."""

    @property
    def registry(self) -> str: ...
    @property
    def dated(self) -> date: ...
    @property
    def is_listed(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStatus:
    """One list that covers the number."""

    registry: str
    dated: date
    is_listed: bool
    vendor: str = ""  # the vendor that says so; "": our own copy


def look_up_number(number: str) -> list[ListStatus]:
    """They are the lists that cover an American number (E.164); of others there are none."""
    if not _is_american(number):
        return []
    with connection.cursor() as cursor:
        cursor.execute(ONE_NUMBER_SQL, {"number": number})
        rows = cursor.fetchall()
    return [
        ListStatus(registry=one, dated=dated, is_listed=is_on, vendor=by)
        for one, dated, is_on, by in rows
    ]


def look_up_numbers(numbers: Iterable[str]) -> dict[str, dict[str, ListStatus]]:
    """By number, the copy that counts of each list that covers it; others are left out."""
    copies: dict[str, list[ListStatus]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            MANY_NUMBERS_SQL, {"numbers": [number for number in numbers if _is_american(number)]}
        )
        for number, registry, dated, is_on, by in cursor:
            said = ListStatus(registry=registry, dated=dated, is_listed=is_on, vendor=by)
            copies.setdefault(number, []).append(said)
    return {number: newest_copies(said) for number, said in copies.items()}


def newest_copies[One: ListCopy](copies: Iterable[One]) -> dict[str, One]:
    """Of each list the copy that counts: the newest, and of one day the one that lists it."""
    in_order = sorted(copies, key=lambda one: (one.dated, one.is_listed))
    return {one.registry: one for one in in_order}


def _is_american(number: str) -> bool:
    return number.startswith("+1") and len(number) == 12 and number[1:].isdecimal()
