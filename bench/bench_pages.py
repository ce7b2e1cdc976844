"""The queue and the first screen: server time of the whole page, one reader at a time.

Both are requested through Django's whole stack, signed in.
"""

import time
from collections.abc import Callable
from typing import Any

from measurements import latency_summary, parse_options, report_results
from temp_installation import open_installation

SIZES = {
    "leads": (1_000, "leads on file"),
    "officers": (40, "loan officers who own them"),
    "asks": (60, "requests of each page"),
}


def main() -> None:
    """Load leads and rollups, and request the pages."""
    options = parse_options(__doc__, **SIZES)
    with open_installation():
        import lender_setup
        import people_loader

        lender_setup.create_company(officers=options.officers)
        started_at = time.perf_counter()
        people_loader.load_people(options.leads, lender_setup.create_website_source())
        people_loader.load_rollups()
        people_loader.vacuum_database()
        loading_s = time.perf_counter() - started_at
        pages = {
            "queue": _measure_page("lo1@lindenfield.example", "/queue/", options.asks),
            "first_screen": _measure_page("boss@lindenfield.example", "/home/", options.asks),
            "floor_sign_in_page": _measure_page("", "/sign-in/", options.asks),
        }
    for page in ("queue", "first_screen"):
        pages[page]["ratio_to_floor_p50"] = round(
            pages[page]["p50_ms"] / pages["floor_sign_in_page"]["p50_ms"], 1
        )
    report_results(options, "pages", **pages, loading_s=round(loading_s, 1))


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
    durations = []
    for _ in range(times):
        started_at = time.perf_counter()
        answer = client.get(path)
        durations.append(time.perf_counter() - started_at)
    return {
        **latency_summary(durations),
        "kb": round(len(answer.content) / 1e3, 1),
        "statements": statements,
    }


def _count_statements(request: Callable[[], object]) -> int:
    from django.db import connection

    statements = []

    def record(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        statements.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(record):
        request()
    return len(statements)


if __name__ == "__main__":
    main()
