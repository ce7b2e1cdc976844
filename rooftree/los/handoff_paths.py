"""Which places a hand-off can have at all: a mapping that reads another place reads nothing."""

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
    """Whether every step of the path has a name that the hand-off knows."""
    steps = [name for name, _ in PATH_STEP.findall(path)]
    if len(steps) == 1 and steps[0] in PLAIN_KEYS:
        return True
    here: Any = CanonicalLead if steps[0] == "canonical" else HANDOFF_PARTS.get(steps[0])
    for name in steps[1:]:
        if here is None or not is_dataclass(here):
            return here is dict  # what is kept as the vendor sent it has any name
        if name not in {field.name for field in fields(here)}:
            return False
        here = _inner_type(get_type_hints(here)[name])
    return here is not None


def _inner_type(hint: Any) -> Any:
    """The dataclass, or plain type, within `X | None` and `tuple[X, ...]`."""
    if get_origin(hint) in (Union, types.UnionType, tuple):
        return next(
            (_inner_type(argument) for argument in get_args(hint) if argument is not type(None)),
            None,
        )
    return get_origin(hint) or hint
