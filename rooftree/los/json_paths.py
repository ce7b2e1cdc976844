"""Reading and writing one place in a tree of JSON objects by its path.

`borrower.emails[is_primary].address` reads the first e-mail so marked,
`phones[type=mobile]` the first of that type; `applications[0].borrower` is a
position. Only positions can be written.
"""

import re
from collections.abc import Mapping
from typing import Any

PATH_STEP = re.compile(r"([^.\[\]]+)(?:\[([^\]]*)\])?(?:\.|$)")


def read_path(tree: Any, path: str) -> Any:
    """What is at `path`; None when any step of it is absent."""
    for name, chooser in PATH_STEP.findall(path):
        tree = tree.get(name) if isinstance(tree, Mapping) else None
        if chooser:
            tree = _select_item(tree, chooser)
    return tree


def write_path(tree: dict[str, Any], path: str, value: Any) -> None:
    """Put `value` at `path`, making objects and list places on the way."""
    steps = PATH_STEP.findall(path)
    here = tree
    for name, chooser in steps[:-1]:
        if chooser:
            here = _ensure_item(here.setdefault(name, []), int(chooser))
        else:
            here = here.setdefault(name, {})
    here[steps[-1][0]] = value


def drop_empty(tree: Any) -> Any:
    """The same tree without None and without objects and lists that hold nothing."""
    if isinstance(tree, dict):
        kept = {name: drop_empty(value) for name, value in tree.items()}
        return {name: value for name, value in kept.items() if not _is_empty(value)}
    if isinstance(tree, list):
        return [value for value in map(drop_empty, tree) if not _is_empty(value)]
    return tree


def _is_empty(value: Any) -> bool:
    return value is None or value == {} or value == []


def _select_item(items: Any, chooser: str) -> Any:
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


def _ensure_item(items: list[Any], position: int) -> dict[str, Any]:
    while len(items) <= position:
        items.append({})
    place: dict[str, Any] = items[position]
    return place
