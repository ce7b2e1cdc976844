"""A folder that is watched for do-not-contact files: each is taken in once, the oldest day first.

What lies at its top is the national registry's; what lies in a folder named as a list, such as
TX or LITIGATOR, is that list's. Whatever puts the files there, nothing in it is changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from django.db import connection, transaction

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
from rooftree.org import staff_notices

SETTLE_TIME = timedelta(minutes=1)  # a file that changed since is still being written
SUFFIXES = (".txt", ".csv", ".zip")
_LOCK_KEY = 7_206  # advisory lock of the one that takes in


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFile:
    """A file as it lies in the folder."""

    path: str  # within the folder
    size: int  # bytes
    changed_at: datetime

    @property
    def registry(self) -> str:
        """Whose file it is."""
        above = Path(self.path).parent.name
        return above.upper() if above else NATIONAL

    @property
    def dated(self) -> date | None:
        """Of which day it is a copy, by its name."""
        return date_in_name(self.path)


def pending_files(folder: Path, *, at: datetime) -> list[FolderFile]:
    """Files that nobody has taken in or refused as they are now, the oldest day first.

    Of one day the largest is first: a full file comes before its changes.
    """
    kept = dict(DncFolderFile.objects.values_list("path", "changed_at"))
    fresh = [
        folder_file
        for folder_file in _files_in_folder(folder)
        if kept.get(folder_file.path) != folder_file.changed_at
    ]
    settled = [one for one in fresh if one.changed_at <= at - SETTLE_TIME]
    return sorted(settled, key=lambda one: (one.dated or date.max, -one.size, one.path))


def load_next_file(folder: Path, *, at: datetime) -> bool:
    """Take in the next file; False when none is left, or another process is at it."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select pg_try_advisory_xact_lock(%s)", [_LOCK_KEY])
            if not cursor.fetchone()[0]:
                return False
        one = next(iter(pending_files(folder, at=at)), None)
        if one is None:
            return False
        try:
            done, problem = _load_folder_file(folder, one, at), ""
        except (BadListFile, OSError) as refused:
            done, problem = None, str(refused)
        _record_outcome(one, done, problem, at)
        if problem or (done and done.redundant_changes):
            _notify_problem(
                one,
                problem or describe_redundant_changes(done.redundant_changes if done else 0),
                at,
            )
    return True


def describe_redundant_changes(strays: int) -> str:
    """What it means that changes name what was so already; "" where none does."""
    if not strays:
        return ""
    return (
        f"{strays:,} of its changes were so already: a file between may be missing, or this one "
        "came twice. Load the full file to be sure."
    )


def _files_in_folder(folder: Path) -> Iterator[FolderFile]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith("."):
            stat = path.stat()
            changed_at = datetime.fromtimestamp(int(stat.st_mtime), UTC)
            inside = path.relative_to(folder).as_posix()
            yield FolderFile(path=inside, size=stat.st_size, changed_at=changed_at)


def _load_folder_file(folder: Path, one: FolderFile, at: datetime) -> LoadResult:
    if one.registry not in REGISTRIES:
        raise BadListFile(f"Its folder is named {Path(one.path).parent}, and no list is called so.")
    if one.dated is None:
        raise BadListFile("Its name holds no day, as 2026-11-20; nobody knows how old it is.")
    with (folder / one.path).open("rb") as file:
        upload = ListUpload(registry=one.registry, name=one.path, dated=one.dated, file=file)
        return load_file(upload, by=None, at=at)


def _record_outcome(one: FolderFile, done: LoadResult | None, problem: str, at: datetime) -> None:
    file = None
    if done:
        same = DncFile.objects.filter(registry=done.registry, dated=done.dated)
        file = same.order_by("-loaded_at", "-pk").first()
    DncFolderFile.objects.update_or_create(
        path=one.path[:300],
        defaults={
            "size": one.size,
            "changed_at": one.changed_at,
            "seen_at": at,
            "file": file,
            "problem": problem[:300],
        },
    )


def _notify_problem(one: FolderFile, problem: str, at: datetime) -> None:
    staff_notices.notify_users(
        staff_notices.alarm_users(None),
        kind="lists",
        cause=f"lists:{one.path}:{one.changed_at.isoformat()}"[:160],
        text=f"The do-not-contact file {Path(one.path).name}: {problem}",
        link="/compliance/lists/",
        at=at,
    )
