"""Reading deliveries: what one good case of each adapter costs, beside JSON of as many bytes.

Processor time of one thread; no database. The cases are those of the suite.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from measurements import parse_options, report_results
from temp_installation import ROOT

SIZES = {"turns": (200, "times each case is read")}
CASES = ROOT / "tests" / "capture" / "deliveries"


def main() -> None:
    """Read every source's first good case again and again."""
    asked = parse_options(__doc__, **SIZES)
    import os
    import sys

    os.environ |= {"ROOFTREE_ENV": "demo", "DJANGO_SETTINGS_MODULE": "rooftree.settings"}
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from rooftree.capture.sources import SOURCES
    from rooftree_casebook.delivery_cases import load_case

    found: dict[str, dict[str, float]] = {}
    for folder in sorted(CASES.iterdir()):
        case = next(iter(sorted(folder.glob("good_*"))), None)
        if case is None or folder.name not in SOURCES:
            continue
        read, incoming = SOURCES[folder.name].read, load_case(case)
        told = json.dumps([incoming.body.decode("latin-1")])
        floor = _cpu_ms(partial(json.loads, told), asked.turns)
        took = _cpu_ms(partial(_read_copy, read, incoming), asked.turns)
        found[folder.name] = {
            "ms": round(took, 3), "floors": round(took / floor), "bytes": len(incoming.body),
        }  # fmt: skip
    report_results(asked, "parse", slowest_ms=max(one["ms"] for one in found.values()), **found)


def _read_copy(read: Callable[[Any], object], incoming: Any) -> None:
    read(replace(incoming))  # a copy remembers nothing of the last turn


def _cpu_ms(act: Callable[[], object], turns: int) -> float:
    act()
    began = time.process_time()
    for _ in range(turns):
        act()
    return (time.process_time() - began) / turns * 1e3


if __name__ == "__main__":
    main()
