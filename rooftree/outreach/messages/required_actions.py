"""What a `require` of the gate asks of staff: a task with an owner and a clock (ENG-01)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from rooftree.compliance.models import Verdict
from rooftree.core.holidays import add_business_days
from rooftree.leads import lead_tasks
from rooftree.leads.models import Lead, Task
from rooftree.money.company_day import company_zone

KIND_PREFIX = "require:"  # and the reason
OWNER_DUE_WITHIN = timedelta(hours=1)  # ours: the borrower waits for a first answer meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredAction:
    """What is to be done, and whose it is; no role: the lead's owner."""

    title: str
    role: str = "compliance"


REQUIRED_ACTIONS = {
    "property_state_needed": RequiredAction(title="Find out the state of the property", role=""),
    "location_evidence_missing": RequiredAction(title="Find out which state they are in", role=""),
    "no_common_window": RequiredAction(
        title="Find out where they are: no hour suits every place", role=""
    ),
    "hold_for_human_review": RequiredAction(title="Read their answer: did they ask us to stop?"),
    "emergency_data_stale": RequiredAction(title="Check the list of declared emergencies"),
    "consent_evidence_incomplete": RequiredAction(title="The proof of their consent is incomplete"),
    "registration_or_exemption": RequiredAction(
        title="Record the registration, or the exemption, we have"
    ),
    "rnd_required_maine": RequiredAction(title="Check whether this number changed hands"),
    "rnd_no_data_reverify": RequiredAction(title="Verify whose number this is"),
    "rnd_check_stale": RequiredAction(title="Check again whether this number changed hands"),
    "add_nmls_ids": RequiredAction(title="Mend the wording: NMLS numbers are missing"),
    "add_license_words": RequiredAction(title="Mend the wording: the state license is not named"),
    "license_words_not_on_file": RequiredAction(
        title="Enter our license as its state wants it named"
    ),
    "add_optout_text": RequiredAction(title="Mend the wording: it must say how to stop"),
    "privacy_and_udaap_review": RequiredAction(title="Look at how this lead was found"),
    "supervisor_approval_state_silent": RequiredAction(
        title="Approve the hour of a call", role="manager"
    ),
}


def create_task(verdict: Verdict, lead: Lead, *, at: datetime) -> Task:
    """Put what the verdict requires on the lead, once while it is open; its clock runs on.

    What an officer finds out is due within the hour; what compliance decides by
    the end of the next business day.
    """
    duty = REQUIRED_ACTIONS.get(verdict.reason) or RequiredAction(title=verdict.sentence)
    wanted = lead_tasks.SystemTask(
        kind=task_kind(verdict.reason),
        title=duty.title,
        due_at=end_of_next_business_day(at) if duty.role else at + OWNER_DUE_WITHIN,
        role=duty.role,
    )
    return lead_tasks.add_or_update_task(wanted, lead_id=lead.pk, at=at)


def finish_task(*, lead_id: UUID, reason: str, by: UUID, at: datetime) -> bool:
    """What a verdict asked for is done; whether somebody still had it to do."""
    return lead_tasks.finish_tasks_of_kind(lead_id=lead_id, kind=task_kind(reason), by=by, at=at)


def task_kind(reason: str) -> str:
    """The kind of the task that a `require` with this reason makes."""
    return f"{KIND_PREFIX}{reason}"[:60]


def end_of_next_business_day(at: datetime) -> datetime:
    """When what compliance is asked today must be decided: in the evening of a business day."""
    zone = company_zone()
    day = add_business_days(at.astimezone(zone).date(), 1)
    return datetime(day.year, day.month, day.day, 17, tzinfo=zone)
