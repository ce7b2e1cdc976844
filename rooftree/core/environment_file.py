"""The settings file that `rooftree setup` writes: `rooftree.env` in the installation's folder."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rooftree.core.data_dir import create_data_dir
from rooftree.core.settings_readers import ConfigurationError

FILE_NAME = "rooftree.env"


def load_environment_file(home: Path) -> None:
    """Add the settings in the folder's file to the environment, whose own values win."""
    for name, value in read_environment_file(home).items():
        os.environ.setdefault(name, value)


def read_environment_file(home: Path) -> dict[str, str]:
    """Return the settings in the folder's file by name; empty if there is no file.

    A line is `NAME=value`; empty lines and lines that begin with # are skipped.

    Raises `ConfigurationError` for any other line and for a file that can't be read.
    """
    file = home / FILE_NAME
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigurationError(f"{file} can't be read by this account.") from problem
    values = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, separator, value = line.partition("=")
        if not separator or not name.strip().isidentifier():
            raise ConfigurationError(f"{file}, line {number}, is not NAME=value.")
        values[name.strip()] = value.strip()
    return values


def write_environment_file(home: Path, values: Mapping[str, str]) -> Path:
    """Replace the folder's file, readable by its owner alone; return its path."""
    create_data_dir(home)
    file = home / FILE_NAME
    descriptor, draft = tempfile.mkstemp(dir=home, prefix=f"{FILE_NAME}.")  # mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write("# Written by `rooftree setup`. The environment of a process wins over it.\n")
        stream.writelines(f"{name}={value}\n" for name, value in values.items())
    Path(draft).replace(file)
    return file
