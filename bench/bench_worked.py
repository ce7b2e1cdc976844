"""Fully worked leads a second: stored, matched, decided, sent, routed, scored.

Deliveries wait in line; one worker process takes them up. Half of the leads prove
consent and get a text and an e-mail; the others get the e-mail alone.
"""

import time
from typing import Any

import psycopg
from readings import cpu_seconds, options, say
from scratch import Installation, open_installation, python

SIZES = {
    "leads": (200, "deliveries that wait in line"),
    "people": (1_000, "people on file before"),
    "officers": (40, "loan officers"),
    "consent": (50, "percent of leads that prove consent to texts"),
    "threads": (6, "tasks at once in the worker"),
}
FLOOR_ROWS = 500
POLL = 0.5  # seconds between two looks at how far it is
LONGEST = 1800  # seconds that a run may take
# Worked: every message of the lead was decided and handed over or settled, and an officer has it.
WORKED = """
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
    asked = options(__doc__, **SIZES)
    with open_installation(ROOFTREE_THREADS_NOW=str(asked.threads)) as here:
        _line_up(asked)
        floor = floor_of(here.address)
        found = _work(here, asked.leads)
    found["floor_inserts_per_s"] = round(floor, 1)
    found["inserts_a_lead_costs"] = round(floor / found["leads_per_s"], 1)
    say(asked, "worked", **found)


def _line_up(asked: Any) -> None:
    import company
    import stock

    company.found(officers=asked.officers)
    site, zillow = company.website(), company.zillow()
    stock.people_on_file(asked.people, site)
    stock.settle_down()
    for n in range(asked.leads):
        has_consent = n * 37 % 100 < asked.consent
        body = company.form_post(n) if has_consent else company.zillow_post(n)
        company.arrive(site if has_consent else zillow, body)


def _work(here: Installation, leads: int) -> dict[str, Any]:
    from company import NOON

    with (
        psycopg.connect(here.address, autocommit=True) as watcher,
        here.process(python("bench/noon.py")) as worker,
    ):
        stored = worked = 0
        while not stored:
            time.sleep(0.02)
            stored, worked = watcher.execute(WORKED, {"at": NOON}).fetchone()
        started, used, server = time.perf_counter(), cpu_seconds(worker.pid), _cpu(here)
        first = worked
        while worked < leads:
            if time.perf_counter() - started > LONGEST:
                raise TimeoutError(f"Only {worked} of {leads} leads were worked.")
            time.sleep(POLL)
            stored, worked = watcher.execute(WORKED, {"at": NOON}).fetchone()
        seconds = time.perf_counter() - started
        done = leads - first
        sent = watcher.execute(
            "select medium, state, count(*) from message group by 1, 2 order by 1, 2"
        ).fetchall()
        return {
            "leads_per_s": round(done / seconds, 1),
            "worker_cpu_ms_a_lead": round((cpu_seconds(worker.pid) - used) / done * 1e3, 1),
            "database_cpu_ms_a_lead": round((_cpu(here) - server) / done * 1e3, 1),
            "messages": {f"{medium} {state}": n for medium, state, n in sent},
        }


def _cpu(here: Installation) -> float:
    return cpu_seconds(here.database_pid)


def floor_of(address: str) -> float:
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
