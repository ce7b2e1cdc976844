"""Promises that a message can make about our call: soon, on a day, or none.

A message must not promise a call that the gate forbids, and must not say that nobody is there
while an officer takes the lead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from rooftree.compliance.gate.license_checks import ACTIVE_STATUSES
from rooftree.compliance.gate.verdict import Decision, Verdict
from rooftree.leads.models import Lead
from rooftree.org import working_hours
from rooftree.org.current_company import current_company
from rooftree.org.models import Company, LoanOfficer
from rooftree.outreach.messages import contact_permissions
from rooftree.outreach.wording import message_templates

# Templates that say that we call, or when.
KEYS_THAT_PROMISE = frozenset({"first_hello", "again_hello", "missed_call"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOutlook:
    """The hours of the fitting template, and the moment from when we can call."""

    hours: str = ""  # as of a template: closed, no_call; "": a call comes soon
    calls_from: datetime | None = None  # None: soon, or never


SOON, NO_CALL = CallOutlook(), CallOutlook(hours="no_call")


def outlooks_of_leads(leads: Sequence[Lead], *, at: datetime) -> dict[UUID, CallOutlook]:
    """Return what can be promised to each borrower at `at`, by lead id.

    Args:
        leads: with persons and officers loaded.
    """
    if not leads:
        return {}
    company = current_company()
    verdicts = contact_permissions.preview_calls(leads, at=at)
    is_closed = message_templates.is_company_closed(company, at)
    on_duty = _load_officers_on_duty(at) if is_closed else []
    return {
        lead.pk: _judge_outlook(
            verdicts.get(lead.pk),
            company,
            is_attended=not is_closed or _is_attended(lead, on_duty, company, at),
            at=at,
        )
        for lead in leads
    }


def _judge_outlook(
    verdict: Verdict | None, company: Company, *, is_attended: bool, at: datetime
) -> CallOutlook:
    if verdict is None or verdict.decision in (Decision.REQUIRE, Decision.BLOCK):
        return NO_CALL
    if verdict.decision is Decision.ALLOW and is_attended:
        return SOON
    earliest = verdict.next_allowed_at or at
    opening = working_hours.next_opening(company.hours, zone=company.zone, at=earliest)
    return CallOutlook(hours="closed", calls_from=opening or earliest)


def _load_officers_on_duty(at: datetime) -> list[LoanOfficer]:
    """Return the officers at work now who take leads, with their licenses."""
    officers = LoanOfficer.objects.filter(
        Q(paused_at=None) | Q(paused_at__gt=at), terminated_at=None
    ).prefetch_related("licenses")
    return [
        officer
        for officer in officers
        if working_hours.is_open(officer.hours, zone=officer.zone, at=at)
    ]


def _is_attended(
    lead: Lead, on_duty: Sequence[LoanOfficer], company: Company, at: datetime
) -> bool:
    """Return True if the lead's officer is at work, or for an unowned lead one who can take it."""
    if lead.officer_id is not None:
        return any(officer.pk == lead.officer_id for officer in on_duty)
    if company.kind == "depository":
        return bool(on_duty)
    today = working_hours.local_date(company.zone, at)
    return any(
        row.state == lead.property_state
        and row.status in ACTIVE_STATUSES
        and row.from_date <= today
        and (row.until_date is None or row.until_date > today)
        for officer in on_duty
        for row in officer.licenses.all()
    )
