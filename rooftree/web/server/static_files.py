"""Serving style sheets, scripts and icons, compressed even without collectstatic.

Pages themselves stay uncompressed: they carry a form token next to text that a stranger typed,
and their compressed length would leak the token (BREACH).
"""

import gzip
import os
import tempfile
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]

COMPRESSIBLE_SUFFIXES = {".css", ".js", ".svg", ".webmanifest"}  # files worth compressing


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise that, without collected files, serves a compressed copy from the data folder."""

    def add_files_from_finders(self) -> None:
        """Copy changed files to the data folder with gzip copies, and serve them from there."""
        folder = Path(settings.ROOFTREE_HOME) / "served-static"
        for finder in finders.get_finders():
            for name, storage in finder.list([]):
                _copy_if_changed(Path(storage.path(name)), folder / name)
        self.add_files(str(folder), prefix=self.static_prefix)


def _copy_if_changed(source: Path, target: Path) -> None:
    modified = source.stat().st_mtime
    if target.exists() and target.stat().st_mtime == modified:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    body = source.read_bytes()
    if source.suffix in COMPRESSIBLE_SUFFIXES:
        _write_atomically(
            gzip.compress(body, mtime=0), target.with_name(f"{target.name}.gz"), modified
        )
    _write_atomically(body, target, modified)


def _write_atomically(body: bytes, target: Path, modified: float) -> None:
    """Write the file in one step, because another process can read it at any time."""
    handle, draft = tempfile.mkstemp(dir=target.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(body)
    os.utime(draft, (modified, modified))
    Path(draft).chmod(0o644)
    Path(draft).replace(target)
