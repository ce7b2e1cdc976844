"""The paths a hand-off can have; a mapping that reads any other path reads nothing."""

import types
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from rooftree.leads.canonical import CanonicalLead
from rooftree.los.handoff_record import HANDOFF_PARTS
from rooftree.los.json_paths import PATH_STEP

PLAIN_KEYS = {"lead_id", "created_at"}


@cache
def is_handoff_path(path: str) -> bool:
    """Return True if a hand-off can have every step of the path."""
    steps = [name for name, _ in PATH_STEP.findall(path)]
    if len(steps) == 1 and steps[0] in PLAIN_KEYS:
        return True
    part_type: Any = CanonicalLead if steps[0] == "canonical" else HANDOFF_PARTS.get(steps[0])
    for name in steps[1:]:
        if part_type is None or not is_dataclass(part_type):
            return part_type is dict  # data kept as the vendor sent it can have any key
        if name not in {field.name for field in fields(part_type)}:
            return False
        part_type = _inner_type(get_type_hints(part_type)[name])
    return part_type is not None


def _inner_type(hint: Any) -> Any:
    """Return the dataclass, or plain type, within `X | None` and `tuple[X, ...]`."""
    if get_origin(hint) in (Union, types.UnionType, tuple):
        return next(
            (_inner_type(argument) for argument in get_args(hint) if argument is not type(None)),
            None,
        )
    return get_origin(hint) or hint
