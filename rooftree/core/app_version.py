"""The version of this release of Rooftree."""

import tomllib
from functools import cache
from pathlib import Path

PROJECT_FILE = Path(__file__).parents[2] / "pyproject.toml"


@cache
def app_version() -> str:
    """Return the version from `pyproject.toml`."""
    return str(tomllib.loads(PROJECT_FILE.read_text())["project"]["version"])
