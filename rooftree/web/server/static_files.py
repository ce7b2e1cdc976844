"""Serving style sheets, scripts and icons, compressed also where nothing was collected.

Pages themselves stay uncompressed: they carry a form token beside what a
stranger typed, and their compressed length would tell of it (BREACH).
"""

import gzip
import os
import tempfile
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from whitenoise.middleware import WhiteNoiseMiddleware

COMPRESSIBLE_SUFFIXES = {".css", ".js", ".svg", ".webmanifest"}  # what gets smaller


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise; in a demo it serves from a folder of the home, filled as it starts."""

    def add_files_from_finders(self) -> None:
        """Copy what is new to the home, with a compressed twin, and serve it from there."""
        folder = Path(settings.ROOFTREE_HOME) / "served-static"
        for finder in finders.get_finders():
            for name, storage in finder.list([]):
                _copy_if_changed(Path(storage.path(name)), folder / name)
        self.add_files(str(folder), prefix=self.static_prefix)


def _copy_if_changed(source: Path, target: Path) -> None:
    written = source.stat().st_mtime
    if target.exists() and target.stat().st_mtime == written:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    body = source.read_bytes()
    if source.suffix in COMPRESSIBLE_SUFFIXES:
        _write_atomically(
            gzip.compress(body, mtime=0), target.with_name(f"{target.name}.gz"), written
        )
    _write_atomically(body, target, written)


def _write_atomically(body: bytes, target: Path, written: float) -> None:
    """At once or not at all: another process may read it."""
    handle, draft = tempfile.mkstemp(dir=target.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(body)
    os.utime(draft, (written, written))
    Path(draft).chmod(0o644)
    Path(draft).replace(target)
