"""The registry of task names, by which queued rows find their functions after a move."""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

# Rows queued by an older release have the name that the function had then.
FORMER_NAMES = {
    "look_at_applications": "check_applications",
    "look_up": "look_up_deliveries",
    "take_in_lists": "import_dnc_lists",
    "tell_owner": "notify_owner",
    "tend_recordings": "process_recordings",
    "try_change": "dry_run_change",
    "try_release": "dry_run_release",
    "work_deliveries": "process_deliveries",
}
_functions: dict[str, Callable[..., Any]] = {}


class UnknownTask(Exception):
    """A row names a task that this release does not have."""


class DuplicateTaskName(Exception):
    """Two functions claim the same name."""


def register_task(name: str, function: Callable[..., Any]) -> None:
    """Register `function` under `name`; registering it again is harmless.

    Raises `DuplicateTaskName` when another function has the name: rows of one would run the
    other.
    """
    registered = _functions.get(name)
    if registered is not None and _function_path(registered) != _function_path(function):
        raise DuplicateTaskName(
            f"{_function_path(function)} and {_function_path(registered)} are both named {name!r}."
        )
    _functions[name] = function


def find_task(name: str, *, below: list[str]) -> Callable[..., Any]:
    """Return the function named `name`, loading the packages in `below` if it is not registered.

    Raises `UnknownTask`.
    """
    name = FORMER_NAMES.get(name, name)
    if name not in _functions:
        for package in below:
            loaded = import_module(package)
            for module in iter_modules(getattr(loaded, "__path__", [])):
                import_module(f"{package}.{module.name}")
    if name not in _functions:
        raise UnknownTask(f"No task is named {name!r} in this release.")
    return _functions[name]


def _function_path(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"
