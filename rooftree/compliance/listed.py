"""What the do-not-call lists we hold say of one number: two reads by key, whatever they list."""

from dataclasses import dataclass
from datetime import date

from django.db import connection

# The lists that cover an American number (E.164), which {number} is SQL for, and if it is on each.
SAID = """
select a.registry, a.dated, coalesce(get_bit(b.bits, right({number}, 4)::int), 0) = 1 as is_listed
  from dnc_area a
  left join dnc_block b on b.id = a.registry || ':' || substr({number}, 3, 6)
 where a.area in ('', substr({number}, 3, 3))
"""
SAYS = SAID.format(number="%(number)s") + "order by a.registry = 'US' desc, a.registry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One list that covers the number."""

    registry: str
    dated: date
    is_listed: bool


def says(number: str) -> list[Said]:
    """They are the lists that cover an American number (E.164); of others there are none."""
    if not (number.startswith("+1") and len(number) == 12 and number[1:].isdecimal()):
        return []
    with connection.cursor() as cursor:
        cursor.execute(SAYS, {"number": number})
        rows = cursor.fetchall()
    return [Said(registry=one, dated=dated, is_listed=is_on) for one, dated, is_on in rows]
