"""New owners for the leads of an officer who leaves: planned first, then handed over.

Leads in nurture and application go to the successor, or in states where the successor isn't
licensed to a colleague who is. New and working leads go back to routing, which offers them to
whoever is free.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q

from rooftree.leads.models import Lead
from rooftree.org.models import LoanOfficer
from rooftree.routing import permitted_officers
from rooftree.routing.response_deadline import EARLY_STATES

HANDED_OVER_STATES = ("nurture", "application")


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverRow:
    """One lead and who gets it; `officer` None: no one here is licensed for it."""

    lead: Lead
    officer: LoanOfficer | None
    reason: str  # why it is not the successor; "" if it is


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverShare:
    """The share of one officer."""

    officer: LoanOfficer | None
    nurture: int
    application: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverPlan:
    """Where all leads of an officer go."""

    rows: Sequence[HandoverRow]
    returned: int  # new and working leads, which go back to routing

    @property
    def shares(self) -> Sequence[HandoverShare]:
        """The share of each officer, most leads first; leads without an officer come last."""
        counts: dict[UUID | None, Counter[str]] = {}
        officers = {row.officer.pk: row.officer for row in self.rows if row.officer}
        for row in self.rows:
            key = row.officer.pk if row.officer else None
            counts.setdefault(key, Counter())[row.lead.state] += 1
        keys = sorted(counts, key=lambda key: (key is None, -counts[key].total()))
        return [
            HandoverShare(
                officer=officers[key] if key else None,
                nurture=counts[key]["nurture"],
                application=counts[key]["application"],
            )
            for key in keys
        ]

    @property
    def assigned_count(self) -> int:
        return sum(row.officer is not None for row in self.rows)


def plan_handover(
    officer: LoanOfficer, *, successor: LoanOfficer | None, at: datetime
) -> HandoverPlan:
    """Plan who gets each lead of an officer. Three queries for each property state.

    Args:
        successor: gets every lead the law allows; None spreads them over the branch.
    """
    leads = Lead.objects.filter(officer=officer, retired_at=None)
    kept = leads.filter(state__in=HANDED_OVER_STATES).select_related("person", "source")
    colleagues = _list_colleagues(officer)
    load = {colleague.pk: colleague.lead_count for colleague in colleagues}  # type: ignore[attr-defined]
    problems: dict[str, dict[UUID, str]] = {}
    rows = []
    for lead in kept.order_by("property_state", "state", "-created_at", "id"):
        state = lead.property_state
        if state not in problems:
            problems[state] = permitted_officers.find_entitlement_problems(
                colleagues, state=state, at=at
            )
        allowed = [colleague for colleague in colleagues if colleague.pk not in problems[state]]
        row = _choose_owner(lead, allowed, successor, problems[state], load)
        if row.officer:
            load[row.officer.pk] += 1
        rows.append(row)
    returned = leads.filter(state__in=EARLY_STATES).count()
    return HandoverPlan(rows=rows, returned=returned)


def _list_colleagues(officer: LoanOfficer) -> list[LoanOfficer]:
    """List the other officers, those of the same branch first, each with a count of leads."""
    others = LoanOfficer.objects.filter(terminated_at=None, user__is_active=True)
    rows = list(
        others.exclude(pk=officer.pk)
        .select_related("user", "branch")
        .annotate(lead_count=Count("leads", filter=Q(leads__retired_at=None)))
        .order_by("user__name", "pk")
    )
    return sorted(rows, key=lambda other: other.branch_id != officer.branch_id)


def _choose_owner(
    lead: Lead,
    allowed: Sequence[LoanOfficer],
    successor: LoanOfficer | None,
    problems: dict[UUID, str],
    load: dict[UUID, int],
) -> HandoverRow:
    """Choose the successor, else the colleague with the fewest leads, the own branch first."""
    if successor and any(officer.pk == successor.pk for officer in allowed):
        return HandoverRow(lead=lead, officer=successor, reason="")
    why = f"{successor.user.name}: {problems[successor.pk]}" if successor else ""
    branch_id = lead.branch_id
    ranked = sorted(allowed, key=lambda officer: (officer.branch_id != branch_id, load[officer.pk]))
    return HandoverRow(lead=lead, officer=ranked[0] if ranked else None, reason=why)
