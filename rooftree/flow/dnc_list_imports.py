"""Imports of do-not-contact files from the watched folder, done by a worker."""

from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.tasks import task

from rooftree.compliance.do_not_call import watched_folder
from rooftree.flow import clock
from rooftree.tasks.dedupe import complete_waiting_duplicates


def enqueue_waiting_files(*, at: datetime) -> None:
    """Enqueue the import if files are waiting.

    A registry takes minutes, so a worker imports it and not the scheduler.
    """
    if settings.DNC_FOLDER and watched_folder.pending_files(Path(settings.DNC_FOLDER), at=at):
        import_dnc_lists.enqueue()


@task(queue_name="soon")
def import_dnc_lists() -> None:
    """Import the waiting files one by one, each in its own transaction."""
    complete_waiting_duplicates(import_dnc_lists)
    while watched_folder.load_next_file(Path(settings.DNC_FOLDER), at=clock.now()):
        pass
