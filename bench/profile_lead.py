"""The profile of a worked lead: CPU time by package, and queries by statement.

Not a benchmark, because profiling slows the code: it shows where to look.
"""

import cProfile
import pstats
import time
from collections import Counter

from django.db import connection
from measurements import parse_options
from temp_installation import ROOT, open_installation

SIZES = {
    "leads": (40, "leads to work"),
    "people": (1_000, "people already on file"),
    "rows": (45, "functions to list"),
}


def main() -> None:
    """Work leads in this process, in one thread, under the profiler."""
    options = parse_options(__doc__, **SIZES)
    with open_installation():
        import lender_setup
        import people_loader

        from rooftree.flow import clock
        from rooftree.tasks.drain_queue import run_queued_tasks

        lender_setup.create_company()
        site = lender_setup.create_website_source()
        people_loader.load_people(options.people, site)
        _work_leads(lender_setup, site, range(1_000_000, 1_000_005), clock, run_queued_tasks)
        queries: Counter[str] = Counter()
        with connection.execute_wrapper(_count_queries(queries)):
            _work_leads(lender_setup, site, range(1_000_010, 1_000_011), clock, run_queued_tasks)
        used = time.process_time()
        _work_leads(
            lender_setup, site, range(2_000_000, 2_000_000 + options.leads), clock, run_queued_tasks
        )
        used = time.process_time() - used
        profile = cProfile.Profile()
        profile.enable()
        _work_leads(lender_setup, site, range(options.leads), clock, run_queued_tasks)
        profile.disable()
    print(f"{used / options.leads * 1e3:.1f} ms of CPU time per lead (one thread, no profiler)")  # noqa: T201
    print(f"{queries.total()} statements for one lead:")  # noqa: T201
    for statement, number in queries.most_common():
        print(f"  {number:3} {statement}")  # noqa: T201
    stats = pstats.Stats(profile)
    print("by package:")  # noqa: T201
    for package, seconds in _time_by_package(stats).most_common(14):
        print(f"  {seconds / options.leads * 1e3:6.1f} ms a lead  {package}")  # noqa: T201
    stats.sort_stats("tottime").print_stats(options.rows)
    stats.sort_stats("cumtime").print_stats(str(ROOT / "rooftree"), options.rows)


def _time_by_package(stats: pstats.Stats) -> Counter[str]:
    """Sum the own time of functions by package; built-in functions count for their callers."""
    spent: Counter[str] = Counter()
    for (file, _, _), (_, _, own, _, callers) in stats.stats.items():
        if file != "~":
            spent[_package_of(file)] += own
            continue
        for (caller, _, _), (_, _, part, _) in callers.items():
            spent[_package_of(caller)] += part
    return spent


def _package_of(file: str) -> str:
    parts = file.split("/")
    if "site-packages" in parts:
        return "/".join(parts[parts.index("site-packages") + 1 :][:3]).removesuffix(".py")
    return "/".join(parts[parts.index("rooftree") :][:2]) if "rooftree" in parts else "Python"


def _work_leads(lender_setup, source, numbers, moment, drain) -> None:
    for n in numbers:
        lender_setup.store_delivery(source, lender_setup.form_post(n))
    with moment.freeze(lender_setup.NOON):
        drain(by=lender_setup.NOON)


def _count_queries(queries: Counter[str]):
    def counted(execute, sql, params, many, context):
        words = sql.split()
        queries[
            " ".join(
                words[: 2 if words[0].lower() in ("insert", "update") else 1] + _table_name(words)
            )
        ] += 1
        return execute(sql, params, many, context)

    return counted


def _table_name(words: list[str]) -> list[str]:
    named = [
        b for a, b in zip(words, words[1:], strict=False) if a.lower() in ("from", "into", "update")
    ]
    return named[:1]


if __name__ == "__main__":
    main()
