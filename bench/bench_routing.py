"""A routing decision: read, choose, lock and recheck the officers, and store it with its inputs.

Each lead is offered as in production, in a committed transaction.
"""

import time
from dataclasses import replace
from statistics import median
from typing import Any

from measurements import latency_summary, parse_options, report_results
from temp_installation import open_installation

SIZES = {
    "officers": (1_000, "loan officers"),
    "rules": (200, "rules, of which only the last matches"),
    "leads": (100, "leads to offer"),
}
WARMUP_LEADS = 5  # leads offered before measuring


def main() -> None:
    """Publish rules, offer leads one by one, and time the decision and its pure part."""
    options = parse_options(__doc__, **SIZES)
    with open_installation():
        import lender_setup

        lender_setup.create_company(officers=options.officers)
        leads = _create_leads(lender_setup, options.leads)
        _publish_rules(lender_setup, options.rules)
        offered, chosen, floor = _measure(lender_setup, leads)
    report_results(
        options,
        "routing",
        decision=latency_summary(offered),
        of_it_choosing=latency_summary(chosen),
        floor_one_committed_row=latency_summary(floor),
        ratio_to_floor_p50=round(median(offered) / median(floor), 1),
    )


def _create_leads(lender_setup: Any, number: int) -> list:
    import people_loader

    from rooftree.leads.models import Lead

    people_loader.load_people(
        number + WARMUP_LEADS, lender_setup.create_website_source(), are_owned=False
    )
    people_loader.vacuum_database()
    return list(Lead.objects.values_list("pk", flat=True))


def _publish_rules(lender_setup: Any, number: int) -> None:
    """Publish rules with different amounts, and a last one that matches everything."""
    from rooftree.routing import rule_sets
    from rooftree.routing.routing_rules import Criteria, Rule

    narrow = [
        Rule(
            name=f"Rule {n}",
            criteria=Criteria(
                sources=("our-site",), states=("CA", "FL", "TX"), amount_below_cents=100 + n
            ),
        )
        for n in range(number - 1)
    ]
    everyone = replace(rule_sets.DEFAULT_RULES[0], name="Everyone else")
    rule_sets.publish_rules([*narrow, everyone], by=None, at=lender_setup.NOON)


def _measure(lender_setup: Any, leads: list) -> tuple[list[float], list[float], list[float]]:
    from django.db import connection

    from rooftree.routing import assign_leads, assignment_batch

    offered, chosen, floor = [], [], []
    choose = assignment_batch.choose_officer

    def timed_choose(*args: Any, **kwargs: Any) -> Any:
        started_at = time.perf_counter()
        try:
            return choose(*args, **kwargs)
        finally:
            chosen.append(time.perf_counter() - started_at)

    assignment_batch.choose_officer = timed_choose
    with connection.cursor() as cursor:
        cursor.execute("create table floor_row (id bigserial primary key, words text)")
    for lead_id in leads:
        started_at = time.perf_counter()
        result = assign_leads.assign_to_best_officer(lead_id=lead_id, at=lender_setup.NOON)
        offered.append(time.perf_counter() - started_at)
        if not isinstance(result, assign_leads.Assignment):
            raise RuntimeError(f"No officer for a lead: {result.sentence}")
        started_at = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute("insert into floor_row (words) values ('one')")
        floor.append(time.perf_counter() - started_at)
    return offered[WARMUP_LEADS:], chosen[WARMUP_LEADS:], floor[WARMUP_LEADS:]


if __name__ == "__main__":
    main()
