"""Do-not-call registries of a country that is made up: some of its numbers, the same every day."""

import io
from collections.abc import Iterator
from datetime import datetime

from rooftree.compliance.load_dnc import NATIONAL, Upload, load
from rooftree.compliance.rulebook import SEPARATE_LISTS
from rooftree.core.zones import AREA_CODES
from rooftree.money.company_day import company_day
from rooftree_demo import staff

LINES = range(10_000)  # of exchange 555, where everybody here has their number
ONE_IN = {NATIONAL: 5}  # so many numbers are listed; a state's own list is thinner
THIN = 11


def bring_up_to_date(*, at: datetime) -> None:
    """Load today's copy of the national registry and of each state's list that is asked."""
    today = company_day(at)
    for registry in (NATIONAL, *sorted(SEPARATE_LISTS & set(staff.STATES))):
        upload = Upload(
            registry=registry,
            name=f"{today}_{registry}.txt",
            dated=today,
            file=io.BytesIO("".join(_lines(registry)).encode()),
        )
        load(upload, by=None, at=at)


def _lines(registry: str) -> Iterator[str]:
    one_in = ONE_IN.get(registry, THIN)
    wanted = staff.STATES if registry == NATIONAL else (registry,)
    for area in sorted(area for area, state in AREA_CODES.items() if state in wanted):
        for line in LINES:
            if (line * 7919 + int(area) * 104_729) % one_in == 0:
                yield f"{area},555{line:04}\n"
