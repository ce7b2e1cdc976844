"""Which loan officers the law lets have a lead, before anyone chooses one.

The database refuses the others whatever a page offers (`triggers`); this is for lists that
offer only whom it accepts.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from rooftree.org.models import Company, CompanyLicense, License, LoanOfficer
from rooftree.routing.candidates import Candidate, Lender, Permit, entitlement_problem


def find_entitlement_problems(
    officers: Iterable[LoanOfficer], *, state: str, at: datetime
) -> dict[UUID, str]:
    """Return why each officer cannot have a lead in a state; an officer who can is missing.

    Three queries. A lead without a state (`state` "") needs only employment.
    """
    people = list(officers)
    permits = _load_permits(License.objects.filter(officer__in=people, state=state))
    lender = _load_lender(CompanyLicense.objects.filter(state=state))
    problems = {
        officer.pk: entitlement_problem(
            _build_candidate(officer, permits.get(officer.pk, ())),
            lender=lender,
            state=state,
            at=at,
        )
        for officer in people
    }
    return {key: problem[1] for key, problem in problems.items() if problem}


def find_entitled_states(officers: Iterable[LoanOfficer], *, at: datetime) -> dict[UUID, set[str]]:
    """Return the states in which each officer can have leads, among those of their licenses.

    Three queries. A depository's officers need no state license, so theirs say nothing here.
    """
    people = list(officers)
    permits = _load_permits(License.objects.filter(officer__in=people))
    lender = _load_lender(CompanyLicense.objects.all())
    states: dict[UUID, set[str]] = {}
    for officer in people:
        candidate = _build_candidate(officer, permits.get(officer.pk, ()))
        states[officer.pk] = {
            permit.state
            for permit in candidate.permits
            if not entitlement_problem(candidate, lender=lender, state=permit.state, at=at)
        }
    return states


def _load_permits(licenses: QuerySet[License]) -> dict[UUID, list[Permit]]:
    permits: dict[UUID, list[Permit]] = {}
    for row in licenses.order_by("from_date"):
        permits.setdefault(row.officer_id, []).append(
            Permit(
                state=row.state,
                from_date=row.from_date,
                until_date=row.until_date,
                status=row.status,
            )
        )
    return permits


def _load_lender(licenses: QuerySet[CompanyLicense]) -> Lender:
    company = Company.objects.first()
    permits = tuple(
        Permit(state=row.state, from_date=row.from_date, until_date=row.until_date)
        for row in licenses.order_by("from_date")
    )
    return Lender(kind=company.kind if company else "nonbank", permits=permits)


def _build_candidate(officer: LoanOfficer, permits: Iterable[Permit]) -> Candidate:
    return Candidate(
        id=str(officer.pk),
        name="",
        branch_path="",
        nmls_id=officer.nmls_id,
        zone=officer.zone,
        hours=officer.hours,
        permits=tuple(permits),
        sponsored_from_date=officer.sponsored_from_date,
        terminated_at=officer.terminated_at,
    )
