"""The queue and the first screen: time on the server for the whole page, one reader at a time.

Both are asked for through Django's whole stack, signed in, as the front asks.
"""

import time
from collections.abc import Callable
from typing import Any

from measurements import latency_summary, parse_options, report_results
from temp_installation import open_installation

SIZES = {
    "leads": (1_000, "leads on file"),
    "officers": (40, "loan officers who have them"),
    "asks": (60, "times each page is asked for"),
}


def main() -> None:
    """Load leads, sum them up, and ask for the pages."""
    asked = parse_options(__doc__, **SIZES)
    with open_installation():
        import lender_setup
        import people_loader

        lender_setup.create_company(officers=asked.officers)
        began = time.perf_counter()
        people_loader.load_people(asked.leads, lender_setup.create_website_source())
        people_loader.load_rollups()
        people_loader.vacuum_database()
        loaded = time.perf_counter() - began
        found = {
            "queue": _measure_page("lo1@lindenfield.example", "/queue/", asked.asks),
            "first_screen": _measure_page("boss@lindenfield.example", "/home/", asked.asks),
            "floor_sign_in_page": _measure_page("", "/sign-in/", asked.asks),
        }
    for page in ("queue", "first_screen"):
        found[page]["ratio_to_floor_p50"] = round(
            found[page]["p50_ms"] / found["floor_sign_in_page"]["p50_ms"], 1
        )
    report_results(asked, "pages", **found, loading_s=round(loaded, 1))


def _measure_page(email: str, path: str, times: int) -> dict[str, Any]:
    from django.test import Client

    from rooftree.org.models import User

    client = Client(headers={"host": "127.0.0.1"})
    if email:
        client.force_login(User.objects.get(email=email))
    for _ in range(5):
        answer = client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}.")
    statements = _count_statements(lambda: client.get(path))
    took = []
    for _ in range(times):
        began = time.perf_counter()
        answer = client.get(path)
        took.append(time.perf_counter() - began)
    return {
        **latency_summary(took),
        "kb": round(len(answer.content) / 1e3, 1),
        "statements": statements,
    }


def _count_statements(ask: Callable[[], object]) -> int:
    from django.db import connection

    asked = []

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        ask()
    return len(asked)


if __name__ == "__main__":
    main()
