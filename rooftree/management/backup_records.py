"""The last backup of this installation and the last test restore, as small files."""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

from rooftree import settings

MAX_TEST_RESTORE_AGE = timedelta(days=31)  # then Setup and `doctor` complain
LAST_BACKUP, LAST_TEST_RESTORE = "last-backup.json", "last-test-restore.json"


def write_record(name: str, values: dict[str, str]) -> None:
    """Replace one of the files at once."""
    record = settings.ROOFTREE_HOME / name
    draft = record.with_name(f".{name}.{os.getpid()}")
    draft.write_text(json.dumps(values) + "\n")
    draft.rename(record)


def read_record(name: str) -> dict[str, str]:
    """Return one of the files; empty when there is none.

    A backup has `made_at` and `folder`; a test restore `made_at`, `backup_at` and `rows`.
    """
    try:
        return dict(json.loads(Path(settings.ROOFTREE_HOME / name).read_text()))
    except (OSError, ValueError):
        return {}


def read_time(name: str) -> datetime | None:
    """Return when the backup or the test restore was made; None without one."""
    made_at = read_record(name).get("made_at")
    return datetime.fromisoformat(made_at) if made_at else None
