"""Do-not-contact files that lie in the watched folder are taken in by a worker."""

from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.tasks import task

from rooftree.compliance.do_not_call import watched_folder
from rooftree.flow import clock
from rooftree.tasks.dedupe import complete_waiting_duplicates


def enqueue_waiting_files(*, at: datetime) -> None:
    """Have files taken in, if any wait: a registry fills a worker for minutes, not the clock."""
    if settings.DNC_FOLDER and watched_folder.pending_files(Path(settings.DNC_FOLDER), at=at):
        import_dnc_lists.enqueue()


@task(queue_name="soon")
def import_dnc_lists() -> None:
    """Take in file after file, each in a transaction of its own."""
    complete_waiting_duplicates(import_dnc_lists)
    while watched_folder.load_next_file(Path(settings.DNC_FOLDER), at=clock.now()):
        pass
