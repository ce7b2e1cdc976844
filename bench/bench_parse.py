"""Reading deliveries: what one good case of each adapter costs, beside JSON of as many bytes.

Processor time of one thread; no database. The cases are those of the suite.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from readings import options, say
from scratch import ROOT

SIZES = {"turns": (200, "times each case is read")}
CASES = ROOT / "tests" / "capture" / "deliveries"


def main() -> None:
    """Read every source's first good case again and again."""
    asked = options(__doc__, **SIZES)
    import os
    import sys

    os.environ |= {"ROOFTREE_ENV": "demo", "DJANGO_SETTINGS_MODULE": "rooftree.settings"}
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from rooftree.capture.casefile import incoming_of
    from rooftree.capture.sources import SOURCES

    found: dict[str, dict[str, float]] = {}
    for folder in sorted(CASES.iterdir()):
        case = next(iter(sorted(folder.glob("good_*"))), None)
        if case is None or folder.name not in SOURCES:
            continue
        read, incoming = SOURCES[folder.name].read, incoming_of(case)
        told = json.dumps([incoming.body.decode("latin-1")])
        floor = _ms(partial(json.loads, told), asked.turns)
        took = _ms(partial(_read_afresh, read, incoming), asked.turns)
        found[folder.name] = {
            "ms": round(took, 3), "floors": round(took / floor), "bytes": len(incoming.body),
        }  # fmt: skip
    say(asked, "parse", slowest_ms=max(one["ms"] for one in found.values()), **found)


def _read_afresh(read: Callable[[Any], object], incoming: Any) -> None:
    read(replace(incoming))  # a copy remembers nothing of the last turn


def _ms(act: Callable[[], object], turns: int) -> float:
    act()
    began = time.process_time()
    for _ in range(turns):
        act()
    return (time.process_time() - began) / turns * 1e3


if __name__ == "__main__":
    main()
