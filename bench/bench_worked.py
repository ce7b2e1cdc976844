"""Fully worked leads per second: stored, matched, decided, sent, routed, scored.

Deliveries are queued; one worker process works them. Half of the leads prove consent
and get a text and an email; the others get only the email.
"""

import time
from typing import Any

import psycopg
from measurements import cpu_seconds, parse_options, report_results
from temp_installation import Installation, open_installation, python_command

SIZES = {
    "leads": (200, "queued deliveries"),
    "people": (1_000, "people already on file"),
    "officers": (40, "loan officers"),
    "consent": (50, "percent of leads that prove consent to texts"),
    "threads": (6, "concurrent tasks in the worker"),
}
FLOOR_ROWS = 500
POLL_SECONDS = 0.5  # seconds between two progress checks
MAX_SECONDS = 1800  # time limit of a run
# Worked: all messages of the lead are decided and sent or settled, and it has an offer.
SELECT_WORKED = """
select count(*) filter (where l.created_at = %(at)s),
       count(*) filter (where l.scored_at is not null and l.response_due_at is not null
                          and exists (select 1 from offer f where f.lead_id = l.id)
                          and exists (select 1 from message m where m.lead_id = l.id)
                          and not exists (select 1 from message m where m.lead_id = l.id
                                           and m.state in ('waiting', 'claimed')))
  from lead l where l.created_at = %(at)s
"""


def main() -> None:
    """Load people, queue and work deliveries, and compare with one-row inserts."""
    options = parse_options(__doc__, **SIZES)
    with open_installation(ROOFTREE_THREADS_NOW=str(options.threads)) as installation:
        _queue_deliveries(options)
        floor = baseline_inserts_per_second(installation.address)
        results = _run_worker(installation, options.leads)
    results["floor_inserts_per_s"] = round(floor, 1)
    results["inserts_a_lead_costs"] = round(floor / results["leads_per_s"], 1)
    report_results(options, "worked", **results)


def _queue_deliveries(options: Any) -> None:
    import lender_setup
    import people_loader

    lender_setup.create_company(officers=options.officers)
    site, zillow = lender_setup.create_website_source(), lender_setup.create_zillow_source()
    people_loader.load_people(options.people, site)
    people_loader.vacuum_database()
    for n in range(options.leads):
        has_consent = n * 37 % 100 < options.consent
        body = lender_setup.form_post(n) if has_consent else lender_setup.zillow_post(n)
        lender_setup.store_delivery(site if has_consent else zillow, body)


def _run_worker(installation: Installation, leads: int) -> dict[str, Any]:
    from lender_setup import NOON

    with (
        psycopg.connect(installation.address, autocommit=True) as watcher,
        installation.process(python_command("bench/fixed_clock.py")) as worker,
    ):
        stored = worked = 0
        while not stored:
            time.sleep(0.02)
            stored, worked = watcher.execute(SELECT_WORKED, {"at": NOON}).fetchone()
        started, used, server = (
            time.perf_counter(),
            cpu_seconds(worker.pid),
            _database_cpu(installation),
        )
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
            "database_cpu_ms_a_lead": round((_database_cpu(installation) - server) / done * 1e3, 1),
            "messages": {f"{medium} {state}": n for medium, state, n in sent},
        }


def _database_cpu(installation: Installation) -> float:
    return cpu_seconds(installation.database_pid)


def baseline_inserts_per_second(address: str) -> float:
    """Return one-row inserts per second on this database, each committed before the next."""
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
