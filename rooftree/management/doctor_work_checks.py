"""The checks of `rooftree doctor` on background work, messages and reference data."""

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.utils.timezone import now

from rooftree.compliance.do_not_call import loaded_lists
from rooftree.compliance.do_not_call.load_list import LISTS_WITHOUT_EXPIRY
from rooftree.compliance.models import DncArea
from rooftree.compliance.numbers.vendor_account import active_service
from rooftree.db.statements import query_row
from rooftree.management.doctor_machine_checks import DoctorFinding, ok, problem_finding
from rooftree.org import sending_pause
from rooftree.org.models import Company
from rooftree.outreach.wording.license_disclosures import missing_license_entries
from rooftree.reporting.monitoring_metrics import CLOCKS_SQL, SEALING_SQL, WORKERS_SQL
from rooftree.tasks import failed_jobs

BACKLOG_SECONDS = 60.0  # the longest acceptable wait of a task that is ready to run
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
    """Check that a worker is running."""
    if number := _fetch_row(WORKERS_SQL)[0]:
        return ok(f"{number} running")
    return problem_finding("none is running", "start rooftree serve or rooftree worker")


def check_clocks() -> DoctorFinding:
    """Check that a clock is running."""
    if number := _fetch_row(CLOCKS_SQL)[0]:
        return ok(f"{number} running")
    return problem_finding("none is running", "start rooftree serve or rooftree clock")


def check_backlog() -> DoctorFinding:
    """Check how long the oldest task has waited for a worker."""
    number, seconds = _fetch_row(SELECT_OLDEST_TASK)
    text = f"{number} tasks waiting, the oldest for {seconds:.0f} s"
    if seconds <= BACKLOG_SECONDS:
        return ok(text)
    return problem_finding(text, "start more workers or raise ROOFTREE_THREADS_NOW")


def check_unsent() -> DoctorFinding:
    """Check how long the oldest due message has waited."""
    number, seconds = _fetch_row(SELECT_OLDEST_UNSENT)
    if sending_pause.is_sending_paused():
        return problem_finding(
            f"sending is paused; {number} texts and emails are waiting",
            "an administrator can resume sending under Setup, Sending",
        )
    text = f"{number} texts and emails are due, the oldest for {seconds:.0f} s"
    if seconds <= UNSENT_SECONDS:
        return ok(text)
    return problem_finding(text, "check the clock and the carrier (above), then the log")


def check_sealing() -> DoctorFinding:
    """Check how far the sealing of the ledger is behind."""
    number, seconds = query_row(SEALING_SQL, {"at": now()})
    text = f"{number} events waiting to be sealed, the oldest for {seconds:.0f} s"
    if seconds <= SEALER_SECONDS:
        return ok(text)
    return problem_finding(text, "check that a clock is running (above), then the log")


def check_failed_jobs() -> DoctorFinding:
    """Check for jobs that failed and need a person."""
    if number := failed_jobs.count_failed_jobs():
        return problem_finding(
            f"{number} jobs failed", "see the reason for each under Setup, Failed jobs"
        )
    return ok("no failed jobs")


def check_dnc_lists() -> DoctorFinding:
    """Check the age of the loaded do-not-call lists."""
    dated = DncArea.objects.exclude(registry__in=LISTS_WITHOUT_EXPIRY).values_list(
        "dated", flat=True
    )
    if not dated:
        return ok("no list is loaded, so every number counts as listed")
    days = (now().date() - min(dated)).days
    text = f"{len(dated)} lists and area codes; the oldest copy is {days} days old"
    if days <= loaded_lists.max_copy_age_days(now().date()):
        return ok(text)
    return problem_finding(text, "download it again, then run rooftree import dnc FILE")


def check_number_vendor() -> DoctorFinding:
    """Check that the number-check vendor answers and that the folder for lists exists."""
    if settings.DNC_FOLDER and not Path(settings.DNC_FOLDER).is_dir():
        return problem_finding(
            f"the folder {settings.DNC_FOLDER} doesn't exist",
            "create it or unset ROOFTREE_DNC_FOLDER",
        )
    service = active_service()
    if service is None:
        return ok("no number-check vendor is connected")
    if service.failing_since:
        return problem_finding(
            service.problem,
            "fix the vendor account; Setup, Number checks, shows since when it fails",
        )
    return ok(f"{service} is responding")


def check_license_wording() -> DoctorFinding:
    """Check that messages can show our license in every state that requires it."""
    company = Company.objects.first()
    missing = missing_license_entries(company, at=now()) if company else {}
    if not missing:
        return ok("ready for every state where we lend")
    return problem_finding(
        f"no message can be sent to {', '.join(missing)}: the state requires our license in it",
        next(iter(missing.values())),
    )


def _fetch_row(statement: str) -> tuple[float, ...]:
    return tuple(query_row(statement))


WORK_CHECKS: dict[str, Callable[[], DoctorFinding]] = {
    "workers": check_workers,
    "clocks": check_clocks,
    "queue": check_backlog,
    "unsent": check_unsent,
    "ledger": check_sealing,
    "failed jobs": check_failed_jobs,
    "do-not-call lists": check_dnc_lists,
    "number checks": check_number_vendor,
    "license wording": check_license_wording,
}
