"""The names by which queued rows find their functions, wherever those have moved."""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

_functions: dict[str, Callable[..., Any]] = {}


class UnknownTask(Exception):
    """A row names a task that this release does not have."""


class NameTaken(Exception):
    """Two functions ask for one name."""


def register(name: str, function: Callable[..., Any]) -> None:
    """Give `function` its name; the same function may come again.

    Raises `NameTaken` when another function has it: rows of one would run
    as the other.
    """
    held = _functions.get(name)
    if held is not None and _place(held) != _place(function):
        raise NameTaken(f"{_place(function)} and {_place(held)} are both named {name!r}.")
    _functions[name] = function


def find(name: str, *, below: list[str]) -> Callable[..., Any]:
    """The function named `name`, loading the packages in `below` when it is not known yet.

    Raises `UnknownTask`.
    """
    if name not in _functions:
        for package in below:
            _load(package)
    if name not in _functions:
        raise UnknownTask(f"No task is named {name!r} in this release.")
    return _functions[name]


def _place(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _load(package: str) -> None:
    loaded = import_module(package)
    for module in iter_modules(getattr(loaded, "__path__", [])):
        import_module(f"{package}.{module.name}")
