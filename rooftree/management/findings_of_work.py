"""What `rooftree doctor` looks at: whether the work is being done."""

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils.timezone import now

from rooftree.compliance import held_lists
from rooftree.compliance.load_dnc import KEPT
from rooftree.compliance.models import DncArea
from rooftree.compliance.numbers.service import the_service
from rooftree.management.findings import Answer, well, wrong
from rooftree.org import pause
from rooftree.org.models import Company
from rooftree.outreach.license_words import not_on_file
from rooftree.reporting.metrics import CLOCKS, SEALING, WORKERS
from rooftree.tasks import dead_letters

BACKLOG_SECONDS = 60.0  # a task that could run waits no longer
UNSENT_SECONDS = 120.0
SEALER_SECONDS = 60.0
OLDEST_TASK = """
select count(*), coalesce(extract(epoch from timezone('UTC', now()) - min(scheduled_at)), 0)
  from oban_jobs where state = 'available'
"""
OLDEST_UNSENT = """
select count(*), coalesce(extract(epoch from now() - min(due_at)), 0) from message
 where state in ('waiting', 'held', 'claimed') and due_at <= now()
"""


def workers() -> Answer:
    """Whether tasks are taken up."""
    if number := _row(WORKERS)[0]:
        return well(f"{number} running")
    return wrong("none runs", "start rooftree serve, or rooftree worker")


def clocks() -> Answer:
    """Whether promises are kept."""
    if number := _row(CLOCKS)[0]:
        return well(f"{number} running")
    return wrong("none runs", "start rooftree serve, or rooftree clock")


def backlog() -> Answer:
    """How long the oldest task waits for a worker."""
    number, seconds = _row(OLDEST_TASK)
    text = f"{number} tasks wait, the oldest for {seconds:.0f} s"
    if seconds <= BACKLOG_SECONDS:
        return well(text)
    return wrong(text, "start more workers, or raise ROOFTREE_THREADS_NOW")


def unsent() -> Answer:
    """How long the oldest due message waits."""
    number, seconds = _row(OLDEST_UNSENT)
    if pause.is_on():
        return wrong(
            f"sending is paused; {number} texts and mails wait",
            "an administrator ends the pause in Set-up, Sending",
        )
    text = f"{number} texts and mails are due, the oldest for {seconds:.0f} s"
    if seconds <= UNSENT_SECONDS:
        return well(text)
    return wrong(text, "look whether clock and carrier work (above); then at the log")


def sealer() -> Answer:
    """How far the ledger's chain is behind."""
    with connection.cursor() as cursor:
        cursor.execute(SEALING, {"at": now()})
        number, seconds = cursor.fetchone()
    text = f"{number} events wait to be sealed, the oldest for {seconds:.0f} s"
    if seconds <= SEALER_SECONDS:
        return well(text)
    return wrong(text, "look whether a clock runs (above); then at the log")


def gave_up() -> Answer:
    """Tasks that were tried as often as it makes sense."""
    if number := dead_letters.count():
        return wrong(f"{number} tasks gave up", "Set-up, Work that gave up, says why of each")
    return well("no task gave up")


def do_not_contact() -> Answer:
    """How old the copies of the do-not-call registries are."""
    dated = DncArea.objects.exclude(registry__in=KEPT).values_list("dated", flat=True)
    if not dated:
        return well("no list is loaded, so every number counts as listed")
    days = (now().date() - min(dated)).days
    text = f"{len(dated)} lists and area codes, the oldest copy of {days} days ago"
    if days <= held_lists.good_for(now().date()):
        return well(text)
    return wrong(text, "download it again; then rooftree import dnc FILE")


def number_checks() -> Answer:
    """Whether the vendor answers about numbers, and the folder of lists is there."""
    if settings.DNC_FOLDER and not Path(settings.DNC_FOLDER).is_dir():
        return wrong(f"there is no folder {settings.DNC_FOLDER}", "make it, or unset its setting")
    service = the_service()
    if service is None:
        return well("no vendor is asked about numbers")
    if service.failing_since:
        return wrong(service.problem, "Set-up, Number checks, says since when; mend the account")
    return well(f"{service} answers")


def license_wording() -> Answer:
    """Whether messages can name our license in every state that wants it named."""
    company = Company.objects.first()
    missing = not_on_file(company, at=now()) if company else {}
    if not missing:
        return well("every state where we lend can be written to")
    return wrong(
        f"no message goes to {', '.join(missing)}: the state wants our license named",
        next(iter(missing.values())),
    )


def _row(statement: str) -> tuple[float, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return tuple(cursor.fetchone())


WORK: dict[str, Callable[[], Answer]] = {
    "workers": workers,
    "clocks": clocks,
    "queue": backlog,
    "unsent": unsent,
    "ledger": sealer,
    "dead letters": gave_up,
    "do-not-contact": do_not_contact,
    "number checks": number_checks,
    "license wording": license_wording,
}
