"""Where a value stands in a delivery: `lead.borrower[0].phone`, and nothing cleverer.

A path names keys and places. It is looked up, never run: no call, no attribute, no
wildcard, no way out of the delivery.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

MAX_PATH_LENGTH = 200  # characters
MAX_STEPS = 20
MAX_LEAVES = 500  # of one delivery that are looked at
XML_TEXT_KEY = "#text"  # of an XML element that has attributes, too
_DOTTED = re.compile(r"\w+(\.\w+)+")
_STEP = re.compile(r'\.?(?:([^.\[\]"]+)|\[(\d{1,4})\]|\[\s*"([^"]*)"\s*\]|\[([^\[\]"]+)\])')

type Step = str | int
type Steps = tuple[Step, ...]


class BadPath(Exception):
    """It is no path. The text is fit to show."""


@lru_cache(maxsize=4096)
def parse_path(path: str) -> Steps:
    """They are the keys and places of a path, in order. Raises `BadPath`."""
    written = path.strip()
    if not written:
        raise BadPath("Say where the value stands, such as lead.phone.")
    if len(written) > MAX_PATH_LENGTH:
        raise BadPath(f"A path has at most {MAX_PATH_LENGTH} characters.")
    found: list[Step] = []
    at = 0
    while at < len(written):
        one = _STEP.match(written, at)
        if one is None or (at == 0 and written[0] == "."):
            raise BadPath(f"{written} cannot be read from “{written[at:][:20]}” on; "
                          "write it like lead.borrower[0].phone.")  # fmt: skip
        name = next((part for part in (one[1], one[3], one[4]) if part is not None), None)
        found.append(int(one[2]) if name is None else name.strip())
        at = one.end()
    if len(found) > MAX_STEPS:
        raise BadPath(f"A path has at most {MAX_STEPS} steps.")
    return tuple(found)


def find_value(tree: Any, path: str) -> tuple[Steps, Any]:
    """It is the value at a path and where it really stood; `((), None)` when there is none.

    A key of the whole delivery that is written like the path wins (forms send such
    keys), and a key in the path's own case over one in another. `[0]` of a single thing
    is that thing; a name on a list means its first; the name of the one thing that holds
    all the rest (the root of an XML document) may be left out. Never raises.
    """
    place, value = _find_in_tree(tree, path)
    if not place and isinstance(tree, dict) and len(tree) == 1:
        root, inner = next(iter(tree.items()))
        place, value = _find_in_tree(inner, path) if isinstance(inner, dict) else ((), None)
        place = (root, *place) if place else ()
    return place, value


def _find_in_tree(tree: Any, path: str) -> tuple[Steps, Any]:
    if isinstance(tree, dict) and (key := _find_key(tree, path)) is not None:
        return _resolve_xml_text((key,), tree[key])
    try:
        steps = parse_path(path)
    except BadPath:
        return (), None
    real: list[Step] = []
    for step in steps:
        if isinstance(step, str) and isinstance(tree, list) and tree:
            real, tree = [*real, 0], tree[0]
        if step == 0 and not isinstance(tree, list):
            continue
        place, tree = _take_step(tree, step)
        if tree is None:
            return (), None
        real.append(place)
    return _resolve_xml_text(tuple(real), tree)


def _resolve_xml_text(place: Steps, found: Any) -> tuple[Steps, Any]:
    if isinstance(found, dict) and XML_TEXT_KEY in found:
        return (*place, XML_TEXT_KEY), found[XML_TEXT_KEY]
    return place, found


def _take_step(tree: Any, step: Step) -> tuple[Step, Any]:
    """The key as it is written there, and what stands under it."""
    if isinstance(tree, dict) and isinstance(step, str):
        key = _find_key(tree, step)
        return (step, None) if key is None else (key, tree[key])
    if isinstance(tree, list) and isinstance(step, int):
        return step, tree[step] if step < len(tree) else None
    return step, None


def _find_key(tree: dict[str, Any], name: str) -> str | None:
    if name in tree:
        return name
    wanted = name.lower()
    return next((key for key in tree if key.lower() == wanted), None)


def list_leaves(tree: Any) -> Iterator[tuple[Steps, Any]]:
    """The plain values of a delivery with where each stands; at most `MOST_LEAVES`."""
    waiting: list[tuple[Steps, Any]] = [((), tree)]
    given = 0
    while waiting and given < MAX_LEAVES:
        steps, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [((*steps, str(key)), part) for key, part in reversed(value.items())]
        elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
            inner = list(enumerate(value[:MAX_LEAVES]))
            waiting += [((*steps, nth), part) for nth, part in reversed(inner)]
        else:
            given += 1
            yield steps, value


def format_path(steps: Steps) -> str:
    """The path of these steps; `find` gives the same value for it."""
    if len(steps) == 1 and isinstance(steps[0], str) and _DOTTED.fullmatch(steps[0]):
        return steps[0]  # a key of the whole delivery; forms send `mortgage.loan.amount`
    said = ""
    for step in steps:
        if isinstance(step, int):
            said += f"[{step}]"
        elif re.fullmatch(r'[^.\[\]"]+', step) and step == step.strip():
            said += f".{step}" if said else step
        else:
            said += f'["{step}"]'
    return said
