"""The cost of proof: appending to the ledger, sealing it, and one borrower's evidence file."""

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measurements import parse_options, report_results
from temp_installation import open_installation

SIZES = {
    "events": (20_000, "entries to append, a dozen per transaction, as for a lead"),
    "people": (20_000, "other people on file"),
    "entries": (300, "entries about the borrower"),
    "writers": (4, "concurrent writers, measured after a single one"),
}
EVENTS_PER_BATCH = 12


def main() -> None:
    """Append with one and several writers, seal, publish, then build and check an evidence file."""
    options = parse_options(__doc__, **SIZES)
    with open_installation():
        from django.db import connection
        from lender_setup import (
            NOON,
            borrower_number,
            create_company,
            create_website_source,
            form_post,
            store_delivery,
        )
        from people_loader import load_people

        from rooftree.flow import clock
        from rooftree.leads.models import Person
        from rooftree.ledger.models import Event
        from rooftree.reporting.evidence import ledger_checkpoints
        from rooftree.tasks.drain_queue import run_queued_tasks

        create_company(officers=3, branches=1)
        source = create_website_source()
        load_people(options.people, source, are_owned=False)
        borrower = options.people + 1
        with clock.freeze(NOON):
            store_delivery(source, form_post(borrower))
            run_queued_tasks(by=NOON)
        ben = Person.objects.get(phones__e164=borrower_number(borrower))
        with connection.cursor() as cursor:
            cursor.execute("create table floor (id uuid, kind text, data jsonb, at timestamptz)")
        floor = _events_per_second(options.events, lambda: _insert_plain_rows(NOON))
        alone = _events_per_second(options.events, lambda: _append_events(NOON, None))
        at_once = _concurrent_rate(
            options.events, options.writers, lambda: _append_events(NOON, None)
        )
        for _ in range(options.entries // EVENTS_PER_BATCH):
            _append_events(NOON, ben.pk)
        waiting = Event.objects.filter(sequence=None).count()
        sealing = _time_call(lambda: _seal_ledger(NOON))
        publishing = _time_call(lambda: ledger_checkpoints.publish_head(at=NOON))
        making, checking, size = _measure_evidence(ben, NOON)
    report_results(
        options,
        "proof",
        append_per_s=round(alone),
        floor_inserts_per_s=round(floor),
        ratio_to_floor=round(alone / floor, 2),
        at_once_to_alone=round(at_once / alone, 2),
        links_sealed_per_s=round(waiting / sealing),
        head_s=round(publishing, 2),
        evidence_s=round(making, 2),
        verify_s=round(checking, 2),
        evidence_kb=round(size / 1024),
    )


def _append_events(at: Any, person: Any) -> None:
    from rooftree.ledger import write_events

    write_events.write_events(
        write_events.build_event("bench.thing.happened", at=at, person_id=person, number=n)
        for n in range(EVENTS_PER_BATCH)
    )


def _insert_plain_rows(at: Any) -> None:
    """Insert the same dozen rows into a table without index, rule or trigger, as the floor."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "insert into floor select gen_random_uuid(), 'bench.thing.happened', "
            "jsonb_build_object('number', n), %s from generate_series(1, %s) n",
            [at, EVENTS_PER_BATCH],
        )


def _events_per_second(events: int, act: Callable[[], None]) -> float:
    turns = max(1, events // EVENTS_PER_BATCH)
    return turns * EVENTS_PER_BATCH / _time_call(lambda: [act() for _ in range(turns)])


def _concurrent_rate(events: int, writers: int, act: Callable[[], None]) -> float:
    """Return events per second of several threads together, each with its own connection."""
    turns = max(1, events // EVENTS_PER_BATCH // writers)

    def work() -> None:
        from django.db import connection

        for _ in range(turns):
            act()
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(writers)]

    def run() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return turns * EVENTS_PER_BATCH * writers / _time_call(run)


def _seal_ledger(at: Any) -> None:
    from rooftree.ledger import seal

    while (head := seal.seal_events(at=at)) is not None and head.sealed_count:
        pass


def _measure_evidence(borrower: Any, at: Any) -> tuple[float, float, int]:
    """Return the seconds to build the file and to check it, and its size in bytes."""
    from rooftree.compliance.evidence.evidence_file_check import find_problems
    from rooftree.reporting.evidence.evidence_archive import build_archive

    number = borrower.phones.get().e164
    began = time.perf_counter()
    body = build_archive(number, actor="system:bench", at=at)
    making = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "evidence.zip"
        path.write_bytes(body)
        checking = _time_call(lambda: _check_problems(find_problems(path)))
    return making, checking, len(body)


def _check_problems(problems: list[str]) -> None:
    if problems:
        raise SystemExit(f"The evidence file has problems: {problems[:3]}")


def _time_call(act: Callable[[], Any]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
