"""The data folder of one installation: its lock and its kind (demo or production)."""

import fcntl
import os
from pathlib import Path

from rooftree.core.settings_readers import ConfigurationError


class DataDirLocked(Exception):
    """Another process uses this folder. The text is fit to show."""


class DataDir:
    """One installation's data folder; as a context manager, locks it for this process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    @property
    def lock_file(self) -> Path:
        """The file that is locked while the folder is in use; contains the pid of the process."""
        return self.path / "lock"

    def acquire(self) -> None:
        """Lock the folder for this process; raises `DataDirLocked` when another has the lock."""
        create_data_dir(self.path)
        descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise DataDirLocked(
                f"another Rooftree is using {self.path} (pid {holder})."
            ) from problem
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._lock = descriptor

    def release(self) -> None:
        """Release the lock; safe to call without it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> "DataDir":
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def create_data_dir(path: Path) -> None:
    """Create the data folder, private to its owner, unless it exists.

    When root owns the folder, other accounts can pass through but not list it: the database
    runs as another account, and each secret file has its own permissions.
    """
    path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)


def installation_kind(home: Path, *, requested: str) -> str:
    """Return `demo` or `production`: the requested kind, else the one stored in the folder.

    With neither, the kind is production, which refuses to start without its secrets: the
    safe default. A folder that was once used for a demo stays a demo, because made-up
    borrowers must never reach real carriers.

    Raises `ConfigurationError` when the requested kind is not the stored one.
    """
    mark = home / "kind"
    remembered = mark.read_text().strip() if mark.is_file() else ""
    if requested == "production" and remembered == "demo":
        raise ConfigurationError(
            f"{home} belongs to a demo; set ROOFTREE_HOME to a separate folder for production."
        )
    if requested == "demo" and remembered == "production":
        raise ConfigurationError(
            f"{home} belongs to production; set ROOFTREE_HOME to a separate folder for the demo."
        )
    return requested or remembered or "production"


def record_installation_kind(home: Path, kind: str) -> None:
    """Store the kind in the folder, unless one is stored already."""
    create_data_dir(home)
    mark = home / "kind"
    if not mark.is_file():
        mark.write_text(kind + "\n")
