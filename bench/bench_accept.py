"""Accepting a lead durably (verify, mask, store, wake the worker, answer) against one raw insert.

Both are served by granian and the same front in one process, and measured in turns.
"""

from typing import Any

import psycopg
from load_generator import PostTarget, post_at_pace, post_closed_loop
from measurements import cpu_seconds, parse_options, report_results
from temp_installation import (
    Installation,
    find_free_port,
    open_installation,
    rooftree_command,
    serve_command,
    wait_for_url,
)

SIZES = {
    "seconds": (5, "seconds of each measurement"),
    "rounds": (2, "rounds, each with one measurement of both"),
    "connections": (8, "concurrent connections"),
}


def main() -> None:
    """Measure floor and product in turns, then the product at half of its full load."""
    options = parse_options(__doc__, **SIZES)
    ports = find_free_port(), find_free_port()
    with open_installation() as installation:
        import baseline_app
        import lender_setup

        lender_setup.create_company()
        lender_setup.create_zillow_source()
        with psycopg.connect(installation.address, autocommit=True) as connection:
            connection.execute(baseline_app.CREATE_TABLE)
        baseline = PostTarget(port=ports[0], path="/insert", body=lender_setup.zillow_post)
        product = PostTarget(
            port=ports[1],
            path=f"/in/zillow/{lender_setup.PATH_TOKEN}",
            body=lender_setup.zillow_post,
        )
        report_results(options, "accept", **_measure(installation, options, baseline, product))


def _measure(
    installation: Installation, options: Any, baseline: PostTarget, product: PostTarget
) -> dict[str, Any]:
    with (
        installation.process(serve_command("baseline_app", baseline.port)) as baseline_web,
        installation.process(rooftree_command("web"), PORT=str(product.port)) as product_web,
    ):
        for port in (baseline.port, product.port):
            wait_for_url(f"http://127.0.0.1:{port}/readyz")
        load = {"connections": options.connections, "seconds": options.seconds}
        for target in (baseline, product):
            post_closed_loop(target, **load | {"seconds": 1})
        turns = [
            (
                _measure_full_load(baseline, baseline_web.pid, installation.database_pid, load),
                _measure_full_load(product, product_web.pid, installation.database_pid, load),
            )
            for _ in range(options.rounds)
        ]
        floor, best = (
            max(side, key=lambda result: result["per_s"]) for side in zip(*turns, strict=True)
        )
        half = post_at_pace(product, pace=best["per_s"] / 2, **load)
    ratios = [
        round(product_load["per_s"] / baseline["per_s"], 2) for baseline, product_load in turns
    ]
    return {
        "ratio_to_floor": max(ratios),
        "ratios": ratios,
        "floor_at_full_load": floor,
        "accepted_at_full_load": best,
        "accepted_at_half_load": half,
    }


def _measure_full_load(
    target: PostTarget, web: int, database: int, load: dict[str, int]
) -> dict[str, Any]:
    """Measure one round, with web server and database CPU time per post."""
    before = cpu_seconds(web), cpu_seconds(database)
    result = post_closed_loop(target, **load)
    used = cpu_seconds(web) - before[0], cpu_seconds(database) - before[1]
    names = ("web_cpu_ms", "database_cpu_ms")
    return result | {
        name: round(seconds / result["posts"] * 1e3, 2)
        for name, seconds in zip(names, used, strict=True)
    }


if __name__ == "__main__":
    main()
