"""Paths to values in a delivery, such as `lead.borrower[0].phone`.

A path is a list of keys and indexes. It is looked up, never executed: no calls, no
attributes, no wildcards, no access outside the delivery.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

MAX_PATH_LENGTH = 200  # characters
MAX_STEPS = 20
MAX_LEAVES = 500  # examined in one delivery
XML_TEXT_KEY = "#text"  # the text of an XML element that also has attributes
_DOTTED = re.compile(r"\w+(\.\w+)+")
_STEP = re.compile(r'\.?(?:([^.\[\]"]+)|\[(\d{1,4})\]|\[\s*"([^"]*)"\s*\]|\[([^\[\]"]+)\])')

type Step = str | int
type Steps = tuple[Step, ...]


class BadPath(Exception):
    """The text is not a valid path. The message can be shown to staff."""


@lru_cache(maxsize=4096)
def parse_path(path: str) -> Steps:
    """Split a path into its keys and indexes. Raises `BadPath`."""
    text = path.strip()
    if not text:
        raise BadPath("Enter a path, such as lead.phone.")
    if len(text) > MAX_PATH_LENGTH:
        raise BadPath(f"A path can have at most {MAX_PATH_LENGTH} characters.")
    steps: list[Step] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None or (position == 0 and text[0] == "."):
            raise BadPath(f"{text} is not a valid path from “{text[position:][:20]}” on. "
                          "Write it like lead.borrower[0].phone.")  # fmt: skip
        name = next((part for part in (match[1], match[3], match[4]) if part is not None), None)
        steps.append(int(match[2]) if name is None else name.strip())
        position = match.end()
    if len(steps) > MAX_STEPS:
        raise BadPath(f"A path can have at most {MAX_STEPS} steps.")
    return tuple(steps)


def find_value(tree: Any, path: str) -> tuple[Steps, Any]:
    """Look up a path; return the actual steps and the value, or `((), None)`. Never raises.

    A top-level key spelled exactly like the path wins (forms send such keys). A key in the
    same case wins over one in another case. `[0]` of a single value is that value. A name
    applied to a list means its first item. A single top-level key (the root of an XML
    document) can be left out of the path.
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
    place: list[Step] = []
    for step in steps:
        if isinstance(step, str) and isinstance(tree, list) and tree:
            place, tree = [*place, 0], tree[0]
        if step == 0 and not isinstance(tree, list):
            continue
        key_there, tree = _take_step(tree, step)
        if tree is None:
            return (), None
        place.append(key_there)
    return _resolve_xml_text(tuple(place), tree)


def _resolve_xml_text(place: Steps, value: Any) -> tuple[Steps, Any]:
    if isinstance(value, dict) and XML_TEXT_KEY in value:
        return (*place, XML_TEXT_KEY), value[XML_TEXT_KEY]
    return place, value


def _take_step(tree: Any, step: Step) -> tuple[Step, Any]:
    """Return the key as spelled in the tree, and its value; None when missing."""
    if isinstance(tree, dict) and isinstance(step, str):
        key = _find_key(tree, step)
        return (step, None) if key is None else (key, tree[key])
    if isinstance(tree, list) and isinstance(step, int):
        return step, tree[step] if step < len(tree) else None
    return step, None


def _find_key(tree: dict[str, Any], name: str) -> str | None:
    if name in tree:
        return name
    lowered = name.lower()
    return next((key for key in tree if key.lower() == lowered), None)


def list_leaves(tree: Any) -> Iterator[tuple[Steps, Any]]:
    """Yield the plain values of a delivery with their steps; at most `MAX_LEAVES`."""
    pending: list[tuple[Steps, Any]] = [((), tree)]
    count = 0
    while pending and count < MAX_LEAVES:
        steps, value = pending.pop()
        if isinstance(value, dict):
            pending += [((*steps, str(key)), part) for key, part in reversed(value.items())]
        elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
            inner = list(enumerate(value[:MAX_LEAVES]))
            pending += [((*steps, nth), part) for nth, part in reversed(inner)]
        else:
            count += 1
            yield steps, value


def format_path(steps: Steps) -> str:
    """Format steps as a path; `find_value` returns the same value for it."""
    if len(steps) == 1 and isinstance(steps[0], str) and _DOTTED.fullmatch(steps[0]):
        return steps[0]  # a single key with dots; forms send `mortgage.loan.amount`
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif re.fullmatch(r'[^.\[\]"]+', step) and step == step.strip():
            path += f".{step}" if path else step
        else:
            path += f'["{step}"]'
    return path
