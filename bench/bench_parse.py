"""Parsing deliveries: the CPU time of one good case per adapter, against JSON of the same size.

One thread, no database. The cases are those of the test suite.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from measurements import parse_options, report_results
from temp_installation import ROOT

SIZES = {"turns": (200, "times each case is parsed")}
CASES = ROOT / "tests" / "capture" / "deliveries"


def main() -> None:
    """Parse every source's first good case many times."""
    options = parse_options(__doc__, **SIZES)
    import os
    import sys

    os.environ |= {"ROOFTREE_ENV": "demo", "DJANGO_SETTINGS_MODULE": "rooftree.settings"}
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from rooftree.capture.sources import SOURCES
    from rooftree_casebook.delivery_cases import load_case

    results: dict[str, dict[str, float]] = {}
    for folder in sorted(CASES.iterdir()):
        case = next(iter(sorted(folder.glob("good_*"))), None)
        if case is None or folder.name not in SOURCES:
            continue
        read, incoming = SOURCES[folder.name].read, load_case(case)
        json_text = json.dumps([incoming.body.decode("latin-1")])
        floor = _cpu_ms(partial(json.loads, json_text), options.turns)
        milliseconds = _cpu_ms(partial(_read_copy, read, incoming), options.turns)
        results[folder.name] = {
            "ms": round(milliseconds, 3),
            "floors": round(milliseconds / floor),
            "bytes": len(incoming.body),
        }
    report_results(
        options, "parse", slowest_ms=max(result["ms"] for result in results.values()), **results
    )


def _read_copy(read: Callable[[Any], object], incoming: Any) -> None:
    read(replace(incoming))  # a copy has no cached values


def _cpu_ms(act: Callable[[], object], turns: int) -> float:
    act()
    started_at = time.process_time()
    for _ in range(turns):
        act()
    return (time.process_time() - started_at) / turns * 1e3


if __name__ == "__main__":
    main()
