"""Staff tasks for `require` verdicts of the gate, each with an owner and a due time (ENG-01)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from rooftree.compliance.models import Verdict
from rooftree.core.holidays import add_business_days
from rooftree.leads import lead_tasks
from rooftree.leads.models import Lead, Task
from rooftree.money.company_day import company_zone

KIND_PREFIX = "require:"  # followed by the reason code
OWNER_DUE_WITHIN = timedelta(hours=1)  # house rule: the borrower is waiting for a first answer


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredAction:
    """The title of a task and the role that owns it; an empty role means the lead's owner."""

    title: str
    role: str = "compliance"


REQUIRED_ACTIONS = {
    "property_state_needed": RequiredAction(title="Find out the property state", role=""),
    "location_evidence_missing": RequiredAction(
        title="Find out which state the borrower is in", role=""
    ),
    "no_common_window": RequiredAction(
        title="Find out where the borrower is: no hour is OK in every possible place", role=""
    ),
    "hold_for_human_review": RequiredAction(title="Decide the hold on this contact"),
    "loan_status_unmapped": RequiredAction(
        title="Map the status of this loan in Setup, LOS", role="administrator"
    ),
    "emergency_data_stale": RequiredAction(title="Update the list of declared emergencies"),
    "consent_evidence_incomplete": RequiredAction(title="Complete the proof of consent"),
    "registration_or_exemption": RequiredAction(
        title="Record our telemarketer registration or exemption"
    ),
    "rnd_required_maine": RequiredAction(title="Check whether this number was reassigned"),
    "rnd_no_data_reverify": RequiredAction(title="Verify who has this number"),
    "rnd_check_stale": RequiredAction(title="Check again whether this number was reassigned"),
    "add_nmls_ids": RequiredAction(title="Fix the template: NMLS IDs are missing"),
    "add_license_words": RequiredAction(title="Fix the template: the state license is missing"),
    "license_words_not_on_file": RequiredAction(title="Enter our license as the state requires it"),
    "add_optout_text": RequiredAction(title="Fix the template: the opt-out line is missing"),
    "privacy_and_udaap_review": RequiredAction(title="Review how this lead was found"),
    "supervisor_approval_state_silent": RequiredAction(
        title="Approve the time of a call", role="manager"
    ),
}


def create_task(verdict: Verdict, lead: Lead, *, at: datetime) -> Task:
    """Add the task a verdict requires to the lead, or keep the open one with its due time.

    A task for the officer is due within the hour, one for compliance by the end of the next
    business day.
    """
    action = REQUIRED_ACTIONS.get(verdict.reason) or RequiredAction(title=verdict.sentence)
    task = lead_tasks.SystemTask(
        kind=task_kind(verdict.reason),
        title=action.title,
        due_at=end_of_next_business_day(at) if action.role else at + OWNER_DUE_WITHIN,
        role=action.role,
    )
    return lead_tasks.add_or_update_task(task, lead_id=lead.pk, at=at)


def finish_task(*, lead_id: UUID, reason: str, by: UUID, at: datetime) -> bool:
    """Finish the task a verdict required; return True if it was open."""
    return lead_tasks.finish_tasks_of_kind(lead_id=lead_id, kind=task_kind(reason), by=by, at=at)


def task_kind(reason: str) -> str:
    """Return the kind of task that a `require` verdict with this reason creates."""
    return f"{KIND_PREFIX}{reason}"[:60]


def end_of_next_business_day(at: datetime) -> datetime:
    """Return 5 PM company time on the next business day, when compliance tasks are due."""
    zone = company_zone()
    day = add_business_days(at.astimezone(zone).date(), 1)
    return datetime(day.year, day.month, day.day, 17, tzinfo=zone)
