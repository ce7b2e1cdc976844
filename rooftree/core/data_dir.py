"""The folder of one installation: its lock, its kind, and where its parts lie."""

import fcntl
import os
from pathlib import Path

from rooftree.core.settings_readers import ConfigurationError


class DataDirLocked(Exception):
    """Another process works with this folder. The text is fit to show."""


class DataDir:
    """One installation's folder; a context manager that holds it for this process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    @property
    def lock_file(self) -> Path:
        """The file whose lock says that the folder is in use; it holds the pid."""
        return self.path / "lock"

    def acquire(self) -> None:
        """Take the folder for this process; raises `Held` when another has it."""
        create_data_dir(self.path)
        descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise DataDirLocked(f"another Rooftree holds {self.path} (pid {holder}).") from problem
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._lock = descriptor

    def release(self) -> None:
        """Let the folder go; harmless when it is not held."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> "DataDir":
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def create_data_dir(path: Path) -> None:
    """Create a home, closed to others, unless it is there.

    Root's may be passed through, not read: its database runs as another
    account, and every secret in it is closed by itself.
    """
    path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)


def installation_kind(home: Path, *, requested: str) -> str:
    """`demo` or `production`: what was asked, else what the folder remembers.

    Without a word from either it is production, which refuses to start
    without its secrets: the safe way to be wrong. A folder once used for a
    demo stays one, because made-up people must never meet real carriers.

    Raises `Unconfigured` when production is asked for a demo's folder.
    """
    mark = home / "kind"
    remembered = mark.read_text().strip() if mark.is_file() else ""
    if requested == "production" and remembered == "demo":
        raise ConfigurationError(
            f"{home} was made by a demo; give production a folder of its own in ROOFTREE_HOME."
        )
    if requested == "demo" and remembered == "production":
        raise ConfigurationError(
            f"{home} belongs to production; give the demo a folder of its own in ROOFTREE_HOME."
        )
    return requested or remembered or "production"


def record_installation_kind(home: Path, kind: str) -> None:
    """Write down what the folder is for."""
    create_data_dir(home)
    mark = home / "kind"
    if not mark.is_file():
        mark.write_text(kind + "\n")
