"""Do-not-contact files that lie in the watched folder are taken in by a worker."""

from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.tasks import task

from rooftree.compliance import list_folder
from rooftree.flow import moment
from rooftree.tasks.absorb import absorb


def look(*, at: datetime) -> None:
    """Have files taken in, if any wait: a registry fills a worker for minutes, not the clock."""
    if settings.DNC_FOLDER and list_folder.waiting(Path(settings.DNC_FOLDER), at=at):
        take_in_lists.enqueue()


@task(queue_name="soon")
def take_in_lists() -> None:
    """Take in file after file, each in a transaction of its own."""
    absorb(take_in_lists)
    while list_folder.take_next(Path(settings.DNC_FOLDER), at=moment.now()):
        pass
