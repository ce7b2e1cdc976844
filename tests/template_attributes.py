"""Report attributes that templates read and our classes do not have.

Django renders nothing for a missing attribute, so a renamed field leaves a page silently
incomplete. Run `pytest -p tests.template_attributes tests/web`; the misses are printed at the end.
"""

from typing import Any

import pytest
from django.template.base import Variable, VariableDoesNotExist

MISSES: set[str] = set()
_resolve_lookup = Variable._resolve_lookup


def _has(owner: Any, name: str) -> bool:
    try:
        owner[name]
    except (TypeError, AttributeError, KeyError, ValueError, IndexError):
        return hasattr(owner, name) or name.isdigit()
    return True


def _note_miss(self: Variable, context: Any) -> None:
    owner: Any = context
    for name in self.lookups:
        if type(owner).__module__.startswith("rooftree") and not _has(owner, name):
            MISSES.add(f"{type(owner).__module__}.{type(owner).__name__}.{name} ({self.var})")
            return
        try:
            owner = owner[name]
        except (TypeError, AttributeError, KeyError, ValueError, IndexError):
            owner = getattr(owner, name, None)
        if callable(owner):
            return


def _resolve_and_note(self: Variable, context: Any) -> Any:
    try:
        return _resolve_lookup(self, context)
    except VariableDoesNotExist:
        _note_miss(self, context)
        raise


Variable._resolve_lookup = _resolve_and_note  # type: ignore[method-assign]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print every miss of this run."""
    for miss in sorted(MISSES):
        terminalreporter.write_line(f"missing in a template: {miss}")
