"""A routing decision: the officers read, chosen, held and looked at again, stored with its inputs.

Each lead is offered as production offers it, in a transaction that is committed.
"""

import time
from dataclasses import replace
from statistics import median
from typing import Any

from readings import options, say, spread
from scratch import open_installation

SIZES = {
    "officers": (1_000, "loan officers"),
    "rules": (200, "rules before the one that fits"),
    "leads": (100, "leads to offer"),
}
WARM = 5  # leads offered before the first that counts


def main() -> None:
    """Publish rules, offer leads one by one, and time the whole and its pure part."""
    asked = options(__doc__, **SIZES)
    with open_installation():
        import company

        company.found(officers=asked.officers)
        leads = _leads(company, asked.leads)
        _publish(company, asked.rules)
        offered, chosen, floor = _measure(company, leads)
    say(
        asked,
        "routing",
        decision=spread(offered),
        of_it_choosing=spread(chosen),
        floor_one_committed_row=spread(floor),
        ratio_to_floor_p50=round(median(offered) / median(floor), 1),
    )


def _leads(company: Any, number: int) -> list:
    import stock

    from rooftree.leads.models import Lead

    stock.people_on_file(number + WARM, company.website(), are_owned=False)
    stock.settle_down()
    return list(Lead.objects.values_list("pk", flat=True))


def _publish(company: Any, number: int) -> None:
    """Rules that each ask for another amount, and a last one that fits everything."""
    from rooftree.routing import publish
    from rooftree.routing.rules import Criteria, Rule

    narrow = [
        Rule(
            name=f"Rule {n}",
            criteria=Criteria(
                sources=("our-site",), states=("CA", "FL", "TX"), amount_below_cents=100 + n
            ),
        )
        for n in range(number - 1)
    ]
    everyone = replace(publish.STANDING[0], name="Everyone else")
    publish.publish([*narrow, everyone], by=None, at=company.NOON)


def _measure(company: Any, leads: list) -> tuple[list[float], list[float], list[float]]:
    from django.db import connection

    from rooftree.routing import assign, table

    offered, chosen, floor = [], [], []
    choose = table.choose

    def watched(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        try:
            return choose(*args, **kwargs)
        finally:
            chosen.append(time.perf_counter() - began)

    table.choose = watched
    with connection.cursor() as cursor:
        cursor.execute("create table floor_row (id bigserial primary key, words text)")
    for lead_id in leads:
        began = time.perf_counter()
        made = assign.to_best_officer(lead_id=lead_id, at=company.NOON)
        offered.append(time.perf_counter() - began)
        if not isinstance(made, assign.Assigned):
            raise RuntimeError(f"A lead found nobody: {made.sentence}")
        began = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute("insert into floor_row (words) values ('one')")
        floor.append(time.perf_counter() - began)
    return offered[WARM:], chosen[WARM:], floor[WARM:]


if __name__ == "__main__":
    main()
