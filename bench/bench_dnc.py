"""The do-not-call registry: loading time, stored size, and lookup speed."""

import random
import resource
import tempfile
import time
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path

from measurements import latency_summary, parse_options, report_results
from temp_installation import open_installation

SIZES = {
    "numbers": (
        1_000_000,
        "listed numbers, spread as in the national registry; 100,000,000 take ten minutes",
    ),
    "lookups": (2_000, "numbers to look up, one at a time, over one connection"),
}
LISTED_PER_EXCHANGE = 600  # of ten thousand: 100 million in 170,000 exchanges
RNG = random.Random(1)  # noqa: S311


def main() -> None:
    """Load one invented file of the whole country, then look numbers up."""
    options = parse_options(__doc__, **SIZES)
    at = datetime.now(UTC)
    with open_installation(), tempfile.TemporaryDirectory() as folder:
        from django.db import connection

        from rooftree.compliance.do_not_call.load_list import NATIONAL, ListUpload, load_file

        path = Path(folder) / "national.txt"
        prefixes = _write_registry_file(path, options.numbers)
        with path.open("rb") as file:
            began = time.monotonic()
            loaded = load_file(
                ListUpload(registry=NATIONAL, name=path.name, dated=at.date(), file=file),
                by=None,
                at=at,
            )
            seconds = time.monotonic() - began
        with connection.cursor() as cursor:
            cursor.execute("analyze dnc_block")
            cursor.execute("select pg_total_relation_size('dnc_block')")
            stored = cursor.fetchone()[0]
        spent = [_time_lookup(prefixes) for _ in range(options.lookups)]
        at_once = _lookups_per_second(prefixes, options.lookups)
    report_results(
        options,
        "dnc",
        listed=loaded.numbers,
        load_s=round(seconds, 1),
        numbers_per_s=round(loaded.numbers / seconds),
        peak_memory_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        stored_mb=round(stored / 2**20),
        bytes_a_number=round(stored / loaded.numbers, 2),
        scrubbed_per_s=round(at_once),
        **{f"lookup_{name}": value for name, value in latency_summary(spent).items()},
    )


def _write_registry_file(path: Path, numbers: int) -> list[str]:
    """Write a file in the registry's format; return its exchanges."""
    prefixes, written = [], 0
    with path.open("w") as file:
        for area in range(201, 1000):
            for exchange in range(200, 1000):
                if written >= numbers:
                    return prefixes
                if (area + exchange) % 4:  # not every exchange is in use
                    continue
                prefixes.append(f"{area}{exchange}")
                lines = range(exchange % 16, 10_000, 10_000 // LISTED_PER_EXCHANGE)[
                    : numbers - written
                ]
                file.writelines(f"{area},{exchange}{line:04}\r\n" for line in lines)
                written += len(lines)
    return prefixes


def _time_lookup(prefixes: list[str]) -> float:
    from rooftree.compliance.do_not_call import number_lookup

    number = _random_number(prefixes)
    began = time.perf_counter()
    number_lookup.look_up_number(number)
    return time.perf_counter() - began


def _lookups_per_second(prefixes: list[str], count: int) -> float:
    """Return lookups per second, a hundred in one statement, as an import does them."""
    from rooftree.compliance.do_not_call import number_lookup

    numbers = [_random_number(prefixes) for _ in range(count)]
    began = time.perf_counter()
    for batch in batched(numbers, 100):
        number_lookup.look_up_numbers(batch)
    return count / (time.perf_counter() - began)


def _random_number(prefixes: list[str]) -> str:
    return f"+1{RNG.choice(prefixes)}{RNG.randrange(10_000):04}"


if __name__ == "__main__":
    main()
