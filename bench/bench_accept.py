"""Accepting a lead, durable: verified, masked, stored, nudged, answered; against one raw insert.

Both are served by granian and the same front, one process, and measured in turns.
"""

from typing import Any

import psycopg
from readings import options, say
from scratch import Installation, free_port, open_installation, python, rooftree, wait_for
from traffic import Target, closed_loop, paced

SIZES = {
    "seconds": (5, "seconds of each measurement"),
    "rounds": (2, "turns that the two take"),
    "connections": (8, "connections that post at once"),
}


def main() -> None:
    """Measure floor and product in turns, then the product at half of what it takes."""
    asked = options(__doc__, **SIZES)
    ports = free_port(), free_port()
    with open_installation() as here:
        import company
        import floor

        company.found()
        company.zillow()
        with psycopg.connect(here.address, autocommit=True) as connection:
            connection.execute(floor.TABLE)
        bare = Target(port=ports[0], path="/insert", body=company.zillow_post)
        ours = Target(
            port=ports[1], path=f"/in/zillow/{company.PATH_TOKEN}", body=company.zillow_post
        )
        say(asked, "accept", **_measure(here, asked, bare, ours))


def _measure(here: Installation, asked: Any, bare: Target, ours: Target) -> dict[str, Any]:
    with (
        here.process(_floor(bare.port), DJANGO_SETTINGS_MODULE=""),
        here.process(rooftree("web"), PORT=str(ours.port)),
    ):
        for port in (bare.port, ours.port):
            wait_for(f"http://127.0.0.1:{port}/readyz")
        warm = {"connections": asked.connections, "seconds": 1}
        closed_loop(bare, **warm)
        closed_loop(ours, **warm)
        many = {"connections": asked.connections, "seconds": asked.seconds}
        found = [
            (closed_loop(bare, **many), closed_loop(ours, **many)) for _ in range(asked.rounds)
        ]
        floor_rate = max(one["per_s"] for one, _ in found)
        best = max((one for _, one in found), key=lambda one: one["per_s"])
        half = paced(ours, pace=best["per_s"] / 2, **many)
        ratios = [round(mine["per_s"] / floor["per_s"], 2) for floor, mine in found]
    return {
        "ratio_to_floor": max(ratios),
        "ratios": ratios,
        "floor_per_s": floor_rate,
        "accepted_at_full_load": best,
        "accepted_at_half_load": half,
    }


def _floor(port: int) -> list[str]:
    return python(
        "-m", "granian", "floor:application", "--interface", "asgi", "--host", "127.0.0.1",
        "--port", str(port), "--workers", "1", "--no-ws", "--log-level", "warning",
    )  # fmt: skip


if __name__ == "__main__":
    main()
