"""Accepting a lead, durable: verified, masked, stored, nudged, answered; against one raw insert.

Both are serve_command by granian and the same front, one process, and measured in turns.
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
    "rounds": (2, "turns that the two take"),
    "connections": (8, "connections that post at once"),
}


def main() -> None:
    """Measure floor and product in turns, then the product at half of what it takes."""
    asked = parse_options(__doc__, **SIZES)
    ports = find_free_port(), find_free_port()
    with open_installation() as here:
        import baseline_app
        import lender_setup

        lender_setup.create_company()
        lender_setup.create_zillow_source()
        with psycopg.connect(here.address, autocommit=True) as connection:
            connection.execute(baseline_app.CREATE_TABLE)
        bare = PostTarget(port=ports[0], path="/insert", body=lender_setup.zillow_post)
        ours = PostTarget(
            port=ports[1],
            path=f"/in/zillow/{lender_setup.PATH_TOKEN}",
            body=lender_setup.zillow_post,
        )
        report_results(asked, "accept", **_measure(here, asked, bare, ours))


def _measure(here: Installation, asked: Any, bare: PostTarget, ours: PostTarget) -> dict[str, Any]:
    with (
        here.process(serve_command("baseline_app", bare.port)) as bare_web,
        here.process(rooftree_command("web"), PORT=str(ours.port)) as our_web,
    ):
        for port in (bare.port, ours.port):
            wait_for_url(f"http://127.0.0.1:{port}/readyz")
        many = {"connections": asked.connections, "seconds": asked.seconds}
        for target in (bare, ours):
            post_closed_loop(target, **many | {"seconds": 1})
        turns = [
            (
                _measure_full_load(bare, bare_web.pid, here.database_pid, many),
                _measure_full_load(ours, our_web.pid, here.database_pid, many),
            )
            for _ in range(asked.rounds)
        ]
        floor, best = (max(side, key=lambda one: one["per_s"]) for side in zip(*turns, strict=True))
        half = post_at_pace(ours, pace=best["per_s"] / 2, **many)
    ratios = [round(mine["per_s"] / bare["per_s"], 2) for bare, mine in turns]
    return {
        "ratio_to_floor": max(ratios),
        "ratios": ratios,
        "floor_at_full_load": floor,
        "accepted_at_full_load": best,
        "accepted_at_half_load": half,
    }


def _measure_full_load(
    target: PostTarget, web: int, database: int, many: dict[str, int]
) -> dict[str, Any]:
    """One turn, with the processor time of a post: the web server's, and the database's."""
    before = cpu_seconds(web), cpu_seconds(database)
    found = post_closed_loop(target, **many)
    used = cpu_seconds(web) - before[0], cpu_seconds(database) - before[1]
    names = ("web_cpu_ms", "database_cpu_ms")
    return found | {
        name: round(one / found["posts"] * 1e3, 2) for name, one in zip(names, used, strict=True)
    }


if __name__ == "__main__":
    main()
