"""The officers a lead can be reassigned to, best first, and why the others can't have it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rooftree.leads.models import Lead
from rooftree.org.models import LoanOfficer, User
from rooftree.routing import permitted_officers, team_board
from rooftree.routing.permissions import officers_visible_to


@dataclass(frozen=True, slots=True, kw_only=True)
class PossibleOwner:
    """One officer: can have the lead, or `problem` says why not."""

    officer: LoanOfficer
    availability: str
    availability_text: str
    open: int
    is_backup: bool  # of the present owner
    problem: str  # "" if the law allows it


def list_possible_owners(lead: Lead, user: User, *, at: datetime) -> Sequence[PossibleOwner]:
    """List the officers a user can see, without the owner: the backup first, then who is free."""
    members = team_board.list_members(user, at=at)
    visible = officers_visible_to(user, "reassign").filter(terminated_at=None)
    officers = {officer.pk: officer for officer in visible.select_related("user")}
    problems = permitted_officers.find_entitlement_problems(
        officers.values(), state=lead.property_state, at=at
    )
    backup_id = lead.officer.backup_id if lead.officer else None
    owners = [
        PossibleOwner(
            officer=officers[member.officer_id],
            availability=member.availability,
            availability_text=member.status_text,
            open=member.open,
            is_backup=member.officer_id == backup_id,
            problem=problems.get(member.officer_id, ""),
        )
        for member in members
        if member.officer_id != lead.officer_id
    ]
    return sorted(
        owners,
        key=lambda owner: (not owner.is_backup, owner.availability != "available", owner.open),
    )
