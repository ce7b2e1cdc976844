"""The pages that staff open most: server time of the whole page, one reader at a time.

Queue, lead, pipeline, team, home and compliance, requested through Django's whole stack, signed in.
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
        officer, boss, reviewer = (
            f"{name}@lindenfield.example" for name in ("lo1", "boss", "compliance")
        )
        _create_reviewer(reviewer)
        requests = {
            "queue": (officer, "/queue/"),
            "lead": (officer, _find_lead_page(officer)),
            "pipeline": (officer, "/pipeline/"),
            "team": (boss, "/team/"),
            "first_screen": (boss, "/home/"),
            "compliance": (reviewer, "/compliance/"),
            "floor_sign_in_page": ("", "/sign-in/"),
        }
        pages = {
            name: _measure_page(email, path, options.asks)
            for name, (email, path) in requests.items()
        }
    floor = pages["floor_sign_in_page"]["p50_ms"]
    for name in requests:
        if not name.startswith("floor"):
            pages[name]["ratio_to_floor_p50"] = round(pages[name]["p50_ms"] / floor, 1)
    report_results(options, "pages", **pages, loading_s=round(loading_s, 1))


def _create_reviewer(email: str) -> None:
    from rooftree.org.models import User

    User.objects.create(email=email, name="Compliance", roles=["compliance"])


def _find_lead_page(email: str) -> str:
    """Return the page of the officer's newest lead."""
    from rooftree.leads.models import Lead

    lead = Lead.objects.filter(officer__user__email=email).latest("last_inquiry_at")
    return f"/leads/{lead.pk}/"


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
