"""Which release of Rooftree this is."""

import tomllib
from functools import cache
from pathlib import Path

PROJECT_FILE = Path(__file__).parents[2] / "pyproject.toml"


@cache
def app_version() -> str:
    """The version, as the project's own description names it."""
    return str(tomllib.loads(PROJECT_FILE.read_text())["project"]["version"])
