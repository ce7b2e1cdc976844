"""Read and write one place in a tree of JSON objects by its path.

`borrower.emails[is_primary].address` reads the first primary email,
`phones[type=mobile]` the first of that type; `applications[0].borrower` is a
position. Only positions can be written.
"""

import re
from collections.abc import Mapping
from typing import Any

PATH_STEP = re.compile(r"([^.\[\]]+)(?:\[([^\]]*)\])?(?:\.|$)")


def read_path(tree: Any, path: str) -> Any:
    """Return the value at `path`; None when any step of it is absent."""
    for name, chooser in PATH_STEP.findall(path):
        tree = tree.get(name) if isinstance(tree, Mapping) else None
        if chooser:
            tree = _select_item(tree, chooser)
    return tree


def write_path(tree: dict[str, Any], path: str, value: Any) -> None:
    """Set `value` at `path`, creating objects and list positions on the way."""
    steps = PATH_STEP.findall(path)
    node = tree
    for name, chooser in steps[:-1]:
        if chooser:
            items = node.setdefault(name, [])
            while len(items) <= int(chooser):
                items.append({})
            node = items[int(chooser)]
        else:
            node = node.setdefault(name, {})
    node[steps[-1][0]] = value


def drop_empty(tree: Any) -> Any:
    """Return the tree without None and without empty objects and lists."""
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
        value = item.get(name) if isinstance(item, Mapping) else None
        if (equals and str(value) == wanted) or (not equals and value):
            return item
    return None
