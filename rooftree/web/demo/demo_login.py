"""The demo's sign-in: log in as any role with one click. This URL exists only in a demo."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from rooftree.org import working_hours
from rooftree.org.models import ROLES, LoanOfficer, User
from rooftree.web.sign_in import login

ROLE_VIEWS = {
    "officer": "Leads to call now, best first",
    "assistant": "The queue of the loan officer they help",
    "manager": "Which leads are waiting and who is available",
    "operations": "Where leads come from and who gets them",
    "marketing": "Leads and cost of each source",
    "compliance": "Consent, opt-outs and every verdict for any phone or email",
    "executive": "Cost per funded loan last quarter",
    "administrator": "Setup: users, licenses and sources",
}
SECOND_PERSON_VIEW = "Second approver: approves requests made by the first"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPersona:
    """One user to log in as, and what their start page shows."""

    user: User
    label: str  # on the button
    description: str


def list_personas() -> list[DemoPersona]:
    """List one user of each role, in the order of the roles.

    The officer is one who is working now, with their manager. Compliance has two users, because
    most of its actions need a second person.
    """
    first: dict[str, User] = {}
    for user in User.objects.with_role(*ROLES).order_by("joined_at", "id"):
        first.setdefault(user.primary_role, user)
    if officer := _find_officer_at_work(timezone.now()):
        first["officer"] = officer.user
        if manager := _find_manager(officer):
            first["manager"] = manager
    personas = []
    for role in (role for role in ROLES if role in first):
        user = first[role]
        personas.append(DemoPersona(user=user, label=ROLES[role], description=ROLE_VIEWS[role]))
        if role == "compliance":
            personas += _second_approver(user)
    return personas


def _second_approver(first: User) -> list[DemoPersona]:
    """Return up to one other company-wide compliance user, who can approve the first's requests."""
    others = User.objects.with_role("compliance").filter(branch=None).exclude(pk=first.pk)
    label = f"{ROLES['compliance']}, second person"
    return [
        DemoPersona(user=user, label=label, description=SECOND_PERSON_VIEW)
        for user in others.order_by("name")[:1]
    ]


def _find_officer_at_work(at: datetime) -> LoanOfficer | None:
    """Return a loan officer who takes leads at this hour, so that a visitor sees leads arrive."""
    officers = LoanOfficer.objects.filter(
        user__is_active=True, terminated_at=None, paused_at=None
    ).order_by("user__joined_at", "user_id")
    for officer in officers.select_related("user", "branch"):
        if working_hours.is_open(officer.hours, zone=officer.zone, at=at):
            return officer
    return None


def _find_manager(officer: LoanOfficer) -> User | None:
    """Return the manager with the largest team that includes this officer, or None."""
    managers = User.objects.with_role("manager").select_related("branch")
    above = [
        (len(manager.branch.path), manager)
        for manager in managers
        if manager.branch and officer.branch.path.startswith(manager.branch.path)
    ]
    return min(above, key=lambda pair: pair[0])[1] if above else None


@require_POST
def log_in_as_persona(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Log in as this user without a password, because the demo's company is fictitious."""
    if not settings.IS_DEMO:
        raise Http404
    user = get_object_or_404(User, id=user_id, is_active=True)
    login.log_in(request, user, factor="", at=timezone.now(), note="demo")
    return redirect("land")
