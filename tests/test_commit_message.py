"""The commit-msg hook rejects messages that break STYLE.md."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "commit_message"


def load_hook() -> Any:
    loader = SourceFileLoader("commit_message", str(SCRIPT))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_commit_message_with_an_imperative_subject_and_a_body_passes():
    assert load_hook().find_problems("Add margin below notes\n\nThey touched the table.\n") == []


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("Adds margin below notes\n\nWhy.\n", "imperative"),
        ("A note stands apart\n\nWhy.\n", "imperative"),
        ("add margin below notes\n\nWhy.\n", "imperative"),
        ("Add margin below notes\n", "body"),
        ("Add margin below notes\nWhy.\n", "blank line"),
        ("Add margin below notes.\n\nWhy.\n", "period"),
        (f"Add {'margin ' * 12}\n\nWhy.\n", "72"),
        ("", "empty"),
    ],
)
def test_commit_message_is_refused_with_the_reason(message, problem):
    assert any(problem in line for line in load_hook().find_problems(message))
