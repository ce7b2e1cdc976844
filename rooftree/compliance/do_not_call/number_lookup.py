"""Lookup of numbers in the do-not-call lists: our loaded copies and a vendor's newest answer.

One number takes two reads by key for the loaded lists and one for the newest vendor answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from rooftree.compliance.gate.do_not_call_check import newest_copies
from rooftree.db.statements import query_rows

# The lists that cover a US number (E.164; {number} is SQL for it) and its status on each.
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
select * from ({LIST_STATUS_SQL.format(number="%(number)s")}) list_status
 order by registry = 'US' desc, registry, dated desc
"""  # noqa: S608
MANY_NUMBERS_SQL = f"""
select wanted.number, s.registry, s.dated, s.is_listed, s.by
  from unnest(%(numbers)s::text[]) wanted(number)
 cross join lateral ({LIST_STATUS_SQL.format(number="wanted.number")}) s
"""  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStatus:
    """The status of a number on one list that covers it."""

    registry: str
    dated: date
    is_listed: bool
    vendor: str = ""  # the vendor that answered; "" for our own copy


def look_up_number(number: str) -> list[ListStatus]:
    """Return the lists that cover a US number (E.164), with its status; none for other numbers."""
    if not _is_american(number):
        return []
    rows = query_rows(ONE_NUMBER_SQL, {"number": number})
    return [
        ListStatus(registry=registry, dated=dated, is_listed=is_listed, vendor=vendor)
        for registry, dated, is_listed, vendor in rows
    ]


def look_up_numbers(numbers: Iterable[str]) -> dict[str, dict[str, ListStatus]]:
    """Return the valid copy of each list by number; omit numbers that no list covers."""
    copies: dict[str, list[ListStatus]] = {}
    for number, registry, dated, is_listed, vendor in query_rows(
        MANY_NUMBERS_SQL, {"numbers": [number for number in numbers if _is_american(number)]}
    ):
        status = ListStatus(registry=registry, dated=dated, is_listed=is_listed, vendor=vendor)
        copies.setdefault(number, []).append(status)
    return {number: newest_copies(statuses) for number, statuses in copies.items()}


def _is_american(number: str) -> bool:
    return number.startswith("+1") and len(number) == 12 and number[1:].isdecimal()
