"""What `rooftree doctor` looks at: whether the work is being done."""

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils.timezone import now

from rooftree.compliance.do_not_call import loaded_lists
from rooftree.compliance.do_not_call.load_list import LISTS_WITHOUT_EXPIRY
from rooftree.compliance.models import DncArea
from rooftree.compliance.numbers.vendor_account import active_service
from rooftree.management.doctor_machine_checks import DoctorFinding, ok, problem_finding
from rooftree.org import sending_pause
from rooftree.org.models import Company
from rooftree.outreach.wording.license_disclosures import missing_license_entries
from rooftree.reporting.monitoring_metrics import CLOCKS_SQL, SEALING_SQL, WORKERS_SQL
from rooftree.tasks import failed_jobs

BACKLOG_SECONDS = 60.0  # a task that could run waits no longer
UNSENT_SECONDS = 120.0
SEALER_SECONDS = 60.0
SELECT_OLDEST_TASK = """
select count(*), coalesce(extract(epoch from timezone('UTC', now()) - min(scheduled_at)), 0)
  from oban_jobs where state = 'available'
"""
SELECT_OLDEST_UNSENT = """
select count(*), coalesce(extract(epoch from now() - min(due_at)), 0) from message
 where state in ('waiting', 'held', 'claimed') and due_at <= now()
"""


def check_workers() -> DoctorFinding:
    """Whether tasks are taken up."""
    if number := _fetch_row(WORKERS_SQL)[0]:
        return ok(f"{number} running")
    return problem_finding("none runs", "start rooftree serve, or rooftree worker")


def check_clocks() -> DoctorFinding:
    """Whether promises are kept."""
    if number := _fetch_row(CLOCKS_SQL)[0]:
        return ok(f"{number} running")
    return problem_finding("none runs", "start rooftree serve, or rooftree clock")


def check_backlog() -> DoctorFinding:
    """How long the oldest task waits for a worker."""
    number, seconds = _fetch_row(SELECT_OLDEST_TASK)
    text = f"{number} tasks wait, the oldest for {seconds:.0f} s"
    if seconds <= BACKLOG_SECONDS:
        return ok(text)
    return problem_finding(text, "start more workers, or raise ROOFTREE_THREADS_NOW")


def check_unsent() -> DoctorFinding:
    """How long the oldest due message waits."""
    number, seconds = _fetch_row(SELECT_OLDEST_UNSENT)
    if sending_pause.is_sending_paused():
        return problem_finding(
            f"sending is paused; {number} texts and mails wait",
            "an administrator ends the pause in Set-up, Sending",
        )
    text = f"{number} texts and mails are due, the oldest for {seconds:.0f} s"
    if seconds <= UNSENT_SECONDS:
        return ok(text)
    return problem_finding(text, "look whether clock and carrier work (above); then at the log")


def check_sealing() -> DoctorFinding:
    """How far the ledger's chain is behind."""
    with connection.cursor() as cursor:
        cursor.execute(SEALING_SQL, {"at": now()})
        number, seconds = cursor.fetchone()
    text = f"{number} events wait to be sealed, the oldest for {seconds:.0f} s"
    if seconds <= SEALER_SECONDS:
        return ok(text)
    return problem_finding(text, "look whether a clock runs (above); then at the log")


def check_failed_jobs() -> DoctorFinding:
    """Tasks that were tried as often as it makes sense."""
    if number := failed_jobs.count_failed_jobs():
        return problem_finding(
            f"{number} jobs failed", "Setup, Failed jobs, shows the reason of each"
        )
    return ok("no failed jobs")


def check_dnc_lists() -> DoctorFinding:
    """How old the copies of the do-not-call registries are."""
    dated = DncArea.objects.exclude(registry__in=LISTS_WITHOUT_EXPIRY).values_list(
        "dated", flat=True
    )
    if not dated:
        return ok("no list is loaded, so every number counts as listed")
    days = (now().date() - min(dated)).days
    text = f"{len(dated)} lists and area codes, the oldest copy of {days} days ago"
    if days <= loaded_lists.max_copy_age_days(now().date()):
        return ok(text)
    return problem_finding(text, "download it again; then rooftree import dnc FILE")


def check_number_vendor() -> DoctorFinding:
    """Whether the vendor answers about numbers, and the folder of lists is there."""
    if settings.DNC_FOLDER and not Path(settings.DNC_FOLDER).is_dir():
        return problem_finding(
            f"there is no folder {settings.DNC_FOLDER}", "make it, or unset its setting"
        )
    service = active_service()
    if service is None:
        return ok("no vendor is asked about numbers")
    if service.failing_since:
        return problem_finding(
            service.problem, "Set-up, Number checks, says since when; mend the account"
        )
    return ok(f"{service} answers")


def check_license_wording() -> DoctorFinding:
    """Whether messages can name our license in every state that wants it named."""
    company = Company.objects.first()
    missing = missing_license_entries(company, at=now()) if company else {}
    if not missing:
        return ok("every state where we lend can be written to")
    return problem_finding(
        f"no message goes to {', '.join(missing)}: the state wants our license named",
        next(iter(missing.values())),
    )


def _fetch_row(statement: str) -> tuple[float, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return tuple(cursor.fetchone())


WORK_CHECKS: dict[str, Callable[[], DoctorFinding]] = {
    "workers": check_workers,
    "clocks": check_clocks,
    "queue": check_backlog,
    "unsent": check_unsent,
    "ledger": check_sealing,
    "dead letters": check_failed_jobs,
    "do-not-contact": check_dnc_lists,
    "number checks": check_number_vendor,
    "license wording": check_license_wording,
}
