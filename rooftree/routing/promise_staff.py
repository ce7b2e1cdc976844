"""Recipients of a late promise's alarm: backup, managers, or the alarm contact."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from rooftree.leads.models import Lead
from rooftree.org import staff_notices, working_hours
from rooftree.org.models import Branch, Company, LoanOfficer, User
from rooftree.routing import permitted_officers, time_off
from rooftree.routing.models import Promise, TimeOff


def can_cover(
    backup: LoanOfficer, lead: Lead, days_off: Sequence[TimeOff], *, at: datetime
) -> bool:
    """Return True if an officer is at work and the law lets them have the lead."""
    if backup.paused_at or time_off.current_time_off(backup, days_off, at=at):
        return False
    if not working_hours.is_open(backup.hours, zone=backup.zone, at=at):
        return False
    problems = permitted_officers.find_entitlement_problems(
        [backup], state=lead.property_state, at=at
    )
    return not problems


def managers_of(promise: Promise) -> list[User]:
    """Return the managers above the officer or the lead, nearest first; else the alarm contact."""
    if promise.officer:
        return managers_of_officer(promise.officer)
    return _managers_above(promise.lead.branch, User.objects.with_role("manager"))


def managers_of_officer(officer: LoanOfficer) -> list[User]:
    """Return the managers above an officer, nearest first; else the alarm contact.

    An officer who is also a manager isn't their own.
    """
    others = User.objects.with_role("manager").exclude(pk=officer.user_id)
    return _managers_above(officer.branch, others)


def _managers_above(branch: Branch | None, managers: QuerySet[User]) -> list[User]:
    if branch:
        keys = [UUID(key) for key in branch.path.split("/") if key]
        above = managers.filter(Q(branch__in=keys) | Q(branch=None))
        by_branch: dict[UUID | None, list[User]] = {}
        for manager in above.order_by("name", "pk"):
            by_branch.setdefault(manager.branch_id, []).append(manager)
        for key in (*reversed(keys), None):
            if key in by_branch:
                return by_branch[key]
    contact = Company.objects.values_list("alarm_user", flat=True).first()
    return staff_notices.alarm_users(contact)
