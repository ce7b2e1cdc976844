"""Invented do-not-call registries: the same share of the demo's numbers every day."""

import io
from collections.abc import Iterator
from datetime import datetime

from rooftree.compliance.do_not_call.load_list import NATIONAL, ListUpload, load_file
from rooftree.compliance.gate.rulebook import STATES_WITH_OWN_DNC_LIST
from rooftree.core.area_codes_and_zones import AREA_CODES
from rooftree.money.company_day import company_day
from rooftree_demo import demo_staff

LINE_NUMBERS = range(10_000)  # of exchange 555, which has all numbers of the demo
LISTED_ONE_IN = {NATIONAL: 5}  # one in five numbers is on the national registry
STATE_LIST_ONE_IN = 11  # and one in eleven on a state's own list


def load_todays_lists(*, at: datetime) -> None:
    """Load today's copy of the national registry and of each required state list."""
    today = company_day(at)
    for registry in (NATIONAL, *sorted(STATES_WITH_OWN_DNC_LIST & set(demo_staff.LICENSED_STATES))):
        upload = ListUpload(
            registry=registry,
            name=f"{today}_{registry}.txt",
            dated=today,
            file=io.BytesIO("".join(_registry_lines(registry)).encode()),
        )
        load_file(upload, by=None, at=at)


def _registry_lines(registry: str) -> Iterator[str]:
    one_in = LISTED_ONE_IN.get(registry, STATE_LIST_ONE_IN)
    states = demo_staff.LICENSED_STATES if registry == NATIONAL else (registry,)
    for area in sorted(area for area, row in AREA_CODES.items() if row.state in states):
        for line in LINE_NUMBERS:
            if (line * 7919 + int(area) * 104_729) % one_in == 0:
                yield f"{area},555{line:04}\n"
