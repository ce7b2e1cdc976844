"""Reading and writing one place in a tree of JSON objects by its path.

`borrower.emails[is_primary].address` reads the first e-mail so marked,
`phones[type=mobile]` the first of that type; `applications[0].borrower` is a
position. Only positions can be written.
"""

import re
from collections.abc import Mapping
from typing import Any

STEP = re.compile(r"([^.\[\]]+)(?:\[([^\]]*)\])?(?:\.|$)")


def read(tree: Any, path: str) -> Any:
    """What is at `path`; None when any step of it is absent."""
    for name, chooser in STEP.findall(path):
        tree = tree.get(name) if isinstance(tree, Mapping) else None
        if chooser:
            tree = _chosen(tree, chooser)
    return tree


def write(tree: dict[str, Any], path: str, value: Any) -> None:
    """Put `value` at `path`, making objects and list places on the way."""
    steps = STEP.findall(path)
    here = tree
    for name, chooser in steps[:-1]:
        if chooser:
            here = _place(here.setdefault(name, []), int(chooser))
        else:
            here = here.setdefault(name, {})
    here[steps[-1][0]] = value


def compact(tree: Any) -> Any:
    """The same tree without None and without objects and lists that hold nothing."""
    if isinstance(tree, dict):
        kept = {name: compact(value) for name, value in tree.items()}
        return {name: value for name, value in kept.items() if not _hollow(value)}
    if isinstance(tree, list):
        return [value for value in map(compact, tree) if not _hollow(value)]
    return tree


def _hollow(value: Any) -> bool:
    return value is None or value == {} or value == []


def _chosen(items: Any, chooser: str) -> Any:
    if not isinstance(items, list):
        return None
    if chooser.isdigit():
        return items[int(chooser)] if int(chooser) < len(items) else None
    name, equals, wanted = chooser.partition("=")
    for item in items:
        held = item.get(name) if isinstance(item, Mapping) else None
        if (equals and str(held) == wanted) or (not equals and held):
            return item
    return None


def _place(items: list[Any], position: int) -> dict[str, Any]:
    while len(items) <= position:
        items.append({})
    place: dict[str, Any] = items[position]
    return place
