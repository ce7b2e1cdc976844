"""A backup each night and a test restore each week, beside a running installation."""

import logging
import os
import signal
import subprocess
import time
from datetime import datetime, timedelta

from rooftree import settings
from rooftree.core.process_supervisor import ORPHAN_GRACE
from rooftree.management import backup_records, database

NIGHT_HOUR = 2  # of this machine's clock
MIN_AGE, MAX_AGE = timedelta(hours=3), timedelta(hours=26)  # of the last backup
TEST_RESTORE_AGE = timedelta(days=7)
FIRST_AFTER_SECONDS = 600.0  # of serving, before the first backup of all
BACKUPS_KEPT = "14"
FOLDER_NAME = "nightly"
RETRY_SECONDS = 6 * 3600.0  # after a backup or a test restore that failed
log = logging.getLogger(__name__)


class NightlyBackup:
    """Starts the commands `backup` and `restore --test` when they are due, one at a time."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.next_look = time.monotonic() + FIRST_AFTER_SECONDS

    def start_if_due(self, at: datetime) -> None:
        """Start what is due at a local time; returns at once and looks once a minute."""
        if time.monotonic() < self.next_look or self._is_running():
            return
        self.next_look = time.monotonic() + 60
        if is_backup_due(backup_records.read_time(backup_records.LAST_BACKUP), at):
            nightly = settings.BACKUP_FOLDER / FOLDER_NAME  # apart from those that staff make
            self._start("backup", "--to", str(nightly), "--keep", BACKUPS_KEPT)
        elif is_test_restore_due(backup_records.read_time(backup_records.LAST_TEST_RESTORE), at):
            folder = backup_records.read_record(backup_records.LAST_BACKUP)["folder"]
            self._start("restore", folder, "--test")

    def stop(self) -> None:
        """Ask a running command to stop, and wait for it."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(ORPHAN_GRACE)

    def _is_running(self) -> bool:
        if self.process is None:
            return False
        code = self.process.poll()
        if code:
            log.error("the nightly backup or its test restore failed; `rooftree doctor` says more")
            self.next_look = time.monotonic() + RETRY_SECONDS
        if code is not None:
            self.process = None
        return code is None

    def _start(self, *words: str) -> None:
        self.process = subprocess.Popen(
            database.rooftree_command(*words),
            env={**os.environ, **database.child_environment()},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )


def is_backup_due(last: datetime | None, at: datetime) -> bool:
    """Return True at night, and at any hour when a night was missed or there is no backup."""
    if last is None or at - last > MAX_AGE:
        return True
    return at.hour == NIGHT_HOUR and at - last > MIN_AGE


def is_test_restore_due(last: datetime | None, at: datetime) -> bool:
    """Return True at night when no restore was tested for a week, and at once without any."""
    return last is None or (at.hour == NIGHT_HOUR and at - last > TEST_RESTORE_AGE)
