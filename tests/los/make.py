"""Sample hand-offs for the LOS tests."""

import copy
import json
from pathlib import Path
from typing import Any
from uuid import UUID

from rooftree.los.handoff_record import HandoffRecord, parse_handoff

SAMPLES = Path(__file__).parent / "samples"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def handoff_json(los: str = "encompass", name: str = "purchase", **changes: Any) -> dict[str, Any]:
    """Return a hand-off as JSON; in the names of `changes` two underscores stand for a dot."""
    data = copy.deepcopy(sample(f"handoff_{name}.json"))
    data["connection"] = sample("connections.json")[los]
    for path, value in changes.items():
        *steps, last = path.split("__")
        part = data
        for step in steps:
            part = part.setdefault(step, {})
        part[last] = value
    return data


def handoff(los: str = "encompass", name: str = "purchase", **changes: Any) -> HandoffRecord:
    return parse_handoff(handoff_json(los, name, **changes))


def lead(number: int) -> str:
    return str(UUID(int=0x0192F3C07A1170008000000000000000 + number))
