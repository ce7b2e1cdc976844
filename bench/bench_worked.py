"""Fully worked leads a second: stored, matched, decided, sent, routed, scored.

Deliveries wait in line; one worker process takes them up. Half of the leads prove
consent and get a text and an e-mail; the others get the e-mail alone.
"""

import time
from typing import Any

import psycopg
from measurements import cpu_seconds, parse_options, report_results
from temp_installation import Installation, open_installation, python_command

SIZES = {
    "leads": (200, "deliveries that wait in line"),
    "people": (1_000, "people on file before"),
    "officers": (40, "loan officers"),
    "consent": (50, "percent of leads that prove consent to texts"),
    "threads": (6, "tasks at once in the worker"),
}
FLOOR_ROWS = 500
POLL_SECONDS = 0.5  # seconds between two looks at how far it is
MAX_SECONDS = 1800  # seconds that a run may take
# Worked: every message of the lead was decided and handed over or settled, and an officer has it.
SELECT_WORKED = """
select count(*) filter (where l.created_at = %(at)s),
       count(*) filter (where l.scored_at is not null and l.promise_at is not null
                          and exists (select 1 from offer f where f.lead_id = l.id)
                          and exists (select 1 from message m where m.lead_id = l.id)
                          and not exists (select 1 from message m where m.lead_id = l.id
                                           and m.state in ('waiting', 'claimed')))
  from lead l where l.created_at = %(at)s
"""


def main() -> None:
    """Load, line up, work, and compare with one-row inserts on the same database."""
    asked = parse_options(__doc__, **SIZES)
    with open_installation(ROOFTREE_THREADS_NOW=str(asked.threads)) as here:
        _queue_deliveries(asked)
        floor = baseline_inserts_per_second(here.address)
        found = _run_worker(here, asked.leads)
    found["floor_inserts_per_s"] = round(floor, 1)
    found["inserts_a_lead_costs"] = round(floor / found["leads_per_s"], 1)
    report_results(asked, "worked", **found)


def _queue_deliveries(asked: Any) -> None:
    import lender_setup
    import people_loader

    lender_setup.create_company(officers=asked.officers)
    site, zillow = lender_setup.create_website_source(), lender_setup.create_zillow_source()
    people_loader.load_people(asked.people, site)
    people_loader.vacuum_database()
    for n in range(asked.leads):
        has_consent = n * 37 % 100 < asked.consent
        body = lender_setup.form_post(n) if has_consent else lender_setup.zillow_post(n)
        lender_setup.store_delivery(site if has_consent else zillow, body)


def _run_worker(here: Installation, leads: int) -> dict[str, Any]:
    from lender_setup import NOON

    with (
        psycopg.connect(here.address, autocommit=True) as watcher,
        here.process(python_command("bench/fixed_clock.py")) as worker,
    ):
        stored = worked = 0
        while not stored:
            time.sleep(0.02)
            stored, worked = watcher.execute(SELECT_WORKED, {"at": NOON}).fetchone()
        started, used, server = time.perf_counter(), cpu_seconds(worker.pid), _database_cpu(here)
        first = worked
        while worked < leads:
            if time.perf_counter() - started > MAX_SECONDS:
                raise TimeoutError(f"Only {worked} of {leads} leads were worked.")
            time.sleep(POLL_SECONDS)
            stored, worked = watcher.execute(SELECT_WORKED, {"at": NOON}).fetchone()
        seconds = time.perf_counter() - started
        done = leads - first
        sent = watcher.execute(
            "select medium, state, count(*) from message group by 1, 2 order by 1, 2"
        ).fetchall()
        return {
            "leads_per_s": round(done / seconds, 1),
            "worker_cpu_ms_a_lead": round((cpu_seconds(worker.pid) - used) / done * 1e3, 1),
            "database_cpu_ms_a_lead": round((_database_cpu(here) - server) / done * 1e3, 1),
            "messages": {f"{medium} {state}": n for medium, state, n in sent},
        }


def _database_cpu(here: Installation) -> float:
    return cpu_seconds(here.database_pid)


def baseline_inserts_per_second(address: str) -> float:
    """One-row inserts a second on this database, each committed before the next."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("create table floor_row (id bigserial primary key, words jsonb)")
        started = time.perf_counter()
        for n in range(FLOOR_ROWS):
            connection.execute(
                "insert into floor_row (words) values (jsonb_build_object('n', %s::int))", [n]
            )
        rate = FLOOR_ROWS / (time.perf_counter() - started)
        connection.execute("drop table floor_row")
    return rate


if __name__ == "__main__":
    main()
