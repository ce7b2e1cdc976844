"""The optional steps of the go-live list: certificates, number checks and the CRM left behind."""

from datetime import datetime

from django.urls import reverse
from django.utils import timezone

from rooftree.capture.certificates import certificate_report
from rooftree.capture.crms import SYSTEMS
from rooftree.capture.imports.models import CrmImport
from rooftree.capture.source_setup.vendor_credentials import missing_credentials
from rooftree.compliance.numbers import vendor_account
from rooftree.leads.models import Source
from rooftree.web.setup.guide_step import GuideStep

NOT_USED = "Not used"


def list_steps() -> list[GuideStep]:
    """Return the steps in order."""
    return [certificate_step(), number_check_step(), crm_step()]


def certificate_step() -> GuideStep:
    """Return the step for TrustedForm, proved by the newest certificate that was claimed."""
    account = certificate_report.find_account()
    claims = certificate_report.read_claim_status(account)
    description = f"{NOT_USED}. Claims TrustedForm certificates, which prove consent"
    if account and claims.problem:
        description = claims.problem
    elif claims.claimed_at:
        description = f"Last certificate claimed {_local_time(claims.claimed_at)}"
    elif account:
        description = "API key saved. It is proved by the first certificate that it claims"
    return _optional_step(
        "Connect TrustedForm",
        description=description,
        href=reverse("setup_certificates"),
        is_done=claims.claimed_at is not None and not claims.problem,
        has_problem=bool(claims.problem),
    )


def number_check_step() -> GuideStep:
    """Return the step for the number check vendor, proved by its newest answer."""
    service = vendor_account.active_service()
    description = f"{NOT_USED}. Checks numbers against do-not-call and reassigned-number lists"
    is_failing = bool(service and service.failing_since)
    if service and service.failing_since:
        since = _local_time(service.failing_since)
        description = f"Failing since {since}. {service.problem}".strip()
    elif service and service.answered_at:
        description = f"Last answer {_local_time(service.answered_at)}"
    elif service:
        description = "Connected. It hasn’t answered yet"
    return _optional_step(
        "Connect number checks",
        description=description,
        href=reverse("setup_numbers"),
        is_done=bool(service and service.answered_at and not is_failing),
        has_problem=is_failing,
    )


def crm_step() -> GuideStep:
    """Return the step for moving from a CRM, proved by an import that read all of it."""
    sources = Source.objects.filter(adapter__in=SYSTEMS, paused_at=None).order_by("name")
    connected = [source for source in sources if not missing_credentials(source)]
    imports = CrmImport.objects.filter(sheet__source__in=connected)
    newest = imports.order_by("-sheet__uploaded_at").first()
    problem = newest.problem if newest and not newest.read_at else ""
    description = f"{NOT_USED}. Reads people and their history from Salesforce, HubSpot and others"
    if problem:
        description = problem
    elif newest and newest.read_at:
        description = f"Last read {_local_time(newest.read_at)}"
    elif newest:
        description = "Reading now"
    elif connected:
        description = f"{connected[0].name} is connected. Read its data to check the credentials"
    return _optional_step(
        "Move from another CRM",
        description=description,
        href=reverse("import_systems"),
        is_done=bool(newest and newest.read_at),
        has_problem=bool(problem),
    )


def _optional_step(
    name: str, *, description: str, href: str, is_done: bool, has_problem: bool
) -> GuideStep:
    """Return a step that going live doesn't need, unless it was connected and fails."""
    return GuideStep(
        name=name,
        description=description,
        href=href,
        is_done=is_done,
        is_needed=has_problem,
        has_problem=has_problem,
    )


def _local_time(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%B %-d, %-I:%M %p}"
