"""What proof costs: appending to the ledger, sealing it, and the evidence file of one borrower."""

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from readings import options, say
from scratch import open_installation

SIZES = {
    "events": (20_000, "entries to append, a dozen in a transaction, as a lead's are"),
    "people": (20_000, "people on file beside the borrower"),
    "entries": (300, "of the entries that are about the borrower"),
    "writers": (4, "threads that append at once, after one alone did"),
}
DOZEN = 12


def main() -> None:
    """Append alone and at once, seal, publish a head, then make and check an evidence file."""
    asked = options(__doc__, **SIZES)
    with open_installation():
        from company import NOON, arrive, form_post, found, number_of, website
        from django.db import connection
        from stock import people_on_file

        from rooftree.flow import moment
        from rooftree.leads.models import Person
        from rooftree.ledger.models import Event
        from rooftree.reporting import heads
        from rooftree.tasks.drain import drain

        found(officers=3, branches=1)
        source = website()
        people_on_file(asked.people, source, are_owned=False)
        borrower = asked.people + 1
        with moment.at(NOON):
            arrive(source, form_post(borrower))
            drain(by=NOON)
        ben = Person.objects.get(phones__e164=number_of(borrower))
        with connection.cursor() as cursor:
            cursor.execute("create table floor (id uuid, kind text, data jsonb, at timestamptz)")
        floor = _rate(asked.events, lambda: _plain(NOON))
        alone = _rate(asked.events, lambda: _append(NOON, None))
        at_once = _at_once(asked.events, asked.writers, lambda: _append(NOON, None))
        for _ in range(asked.entries // DOZEN):
            _append(NOON, ben.pk)
        waiting = Event.objects.filter(sequence=None).count()
        sealing = _spent(lambda: _seal_all(NOON))
        publishing = _spent(lambda: heads.publish(at=NOON))
        making, checking, size = _evidence(ben, NOON)
    say(
        asked,
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


def _append(at: Any, person: Any) -> None:
    from rooftree.ledger import write

    write.write_all(
        write.event("bench.thing.happened", at=at, person_id=person, number=n) for n in range(DOZEN)
    )


def _plain(at: Any) -> None:
    """The floor: the same dozen rows into a table without an index, a rule or a trigger."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "insert into floor select gen_random_uuid(), 'bench.thing.happened', "
            "jsonb_build_object('number', n), %s from generate_series(1, %s) n",
            [at, DOZEN],
        )


def _rate(events: int, act: Callable[[], None]) -> float:
    turns = max(1, events // DOZEN)
    return turns * DOZEN / _spent(lambda: [act() for _ in range(turns)])


def _at_once(events: int, writers: int, act: Callable[[], None]) -> float:
    """Events a second of several threads together, each with a connection of its own."""
    turns = max(1, events // DOZEN // writers)

    def work() -> None:
        from django.db import connection

        for _ in range(turns):
            act()
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(writers)]

    def run() -> None:
        for one in threads:
            one.start()
        for one in threads:
            one.join()

    return turns * DOZEN * writers / _spent(run)


def _seal_all(at: Any) -> None:
    from rooftree.ledger import seal

    while (head := seal.seal(at=at)) is not None and head.sealed:
        pass


def _evidence(borrower: Any, at: Any) -> tuple[float, float, int]:
    """Seconds to make the file and to check it, and its bytes."""
    from rooftree.compliance.evidence_check import problems
    from rooftree.reporting.evidence_file import make

    number = borrower.phones.get().e164
    began = time.perf_counter()
    body = make(number, actor="system:bench", at=at)
    making = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "evidence.zip"
        path.write_bytes(body)
        checking = _spent(lambda: _must_hold(problems(path)))
    return making, checking, len(body)


def _must_hold(found: list[str]) -> None:
    if found:
        raise SystemExit(f"the file does not hold: {found[:3]}")


def _spent(act: Callable[[], Any]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
