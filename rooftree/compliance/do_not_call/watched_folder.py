"""A watched folder for do-not-contact files: each file is loaded once, oldest day first.

Files at the top belong to the national registry; files in a subfolder belong to the list it is
named after, such as TX or LITIGATOR. Nothing in the folder is changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from django.db import transaction

from rooftree.compliance.do_not_call.list_file import BadListFile, date_in_name
from rooftree.compliance.do_not_call.load_list import (
    NATIONAL,
    REGISTRIES,
    ListUpload,
    LoadResult,
    load_file,
)
from rooftree.compliance.models import DncFile
from rooftree.compliance.numbers.models import DncFolderFile
from rooftree.db.statements import query_row
from rooftree.org import staff_notices

SETTLE_TIME = timedelta(minutes=1)  # a file that changed more recently is still being written
SUFFIXES = (".txt", ".csv", ".zip")
_LOCK_KEY = 7_206  # advisory lock: one process loads at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFile:
    """One file in the folder."""

    path: str  # relative to the folder
    size: int  # bytes
    changed_at: datetime

    @property
    def registry(self) -> str:
        """The list that the file belongs to."""
        subfolder = Path(self.path).parent.name
        return subfolder.upper() if subfolder else NATIONAL

    @property
    def dated(self) -> date | None:
        """The copy's date in its name, or None."""
        return date_in_name(self.path)


def pending_files(folder: Path, *, at: datetime) -> list[FolderFile]:
    """Return the files not yet loaded or refused in their current state, oldest day first.

    Within a day the largest comes first, because a full file precedes its changes.
    """
    recorded = dict(DncFolderFile.objects.values_list("path", "changed_at"))
    fresh = [
        folder_file
        for folder_file in _files_in_folder(folder)
        if recorded.get(folder_file.path) != folder_file.changed_at
    ]
    settled = [file for file in fresh if file.changed_at <= at - SETTLE_TIME]
    return sorted(settled, key=lambda file: (file.dated or date.max, -file.size, file.path))


def load_next_file(folder: Path, *, at: datetime) -> bool:
    """Load the next file; return False if none is left or another process is loading."""
    with transaction.atomic():
        if not query_row("select pg_try_advisory_xact_lock(%s)", [_LOCK_KEY])[0]:
            return False
        file = next(iter(pending_files(folder, at=at)), None)
        if file is None:
            return False
        result: LoadResult | None = None
        problem = ""
        try:
            result = _load_folder_file(folder, file, at)
        except (BadListFile, OSError) as refusal:
            problem = str(refusal)
        _record_outcome(file, result, problem, at)
        if result:
            problem = describe_redundant_changes(result.redundant_changes)
        if problem:
            _notify_problem(file, problem, at)
    return True


def describe_redundant_changes(count: int) -> str:
    """Explain changes that were already in effect; return "" if there are none."""
    if not count:
        return ""
    return (
        f"{count:,} of its changes were already in effect. An earlier file may be missing, or this "
        "one arrived twice. Load the full file to be sure."
    )


def _files_in_folder(folder: Path) -> Iterator[FolderFile]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith("."):
            stat = path.stat()
            changed_at = datetime.fromtimestamp(int(stat.st_mtime), UTC)
            relative_path = path.relative_to(folder).as_posix()
            yield FolderFile(path=relative_path, size=stat.st_size, changed_at=changed_at)


def _load_folder_file(folder: Path, file: FolderFile, at: datetime) -> LoadResult:
    if file.registry not in REGISTRIES:
        raise BadListFile(f"Its folder {Path(file.path).parent} is not named after a list.")
    if file.dated is None:
        raise BadListFile("Its name has no date. Add the date of the copy, such as 2026-11-20.")
    with (folder / file.path).open("rb") as stream:
        upload = ListUpload(registry=file.registry, name=file.path, dated=file.dated, file=stream)
        return load_file(upload, by=None, at=at)


def _record_outcome(
    file: FolderFile, result: LoadResult | None, problem: str, at: datetime
) -> None:
    loaded_file = None
    if result:
        same_day = DncFile.objects.filter(registry=result.registry, dated=result.dated)
        loaded_file = same_day.order_by("-loaded_at", "-pk").first()
    DncFolderFile.objects.update_or_create(
        path=file.path[:300],
        defaults={
            "size": file.size,
            "changed_at": file.changed_at,
            "seen_at": at,
            "file": loaded_file,
            "problem": problem[:300],
        },
    )


def _notify_problem(file: FolderFile, problem: str, at: datetime) -> None:
    staff_notices.notify_users(
        staff_notices.alarm_users(None),
        kind="lists",
        cause=f"lists:{file.path}:{file.changed_at.isoformat()}"[:160],
        text=f"Do-not-contact file {Path(file.path).name}: {problem}",
        link="/compliance/lists/",
        at=at,
    )
