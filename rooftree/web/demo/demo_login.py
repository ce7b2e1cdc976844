"""The demo's door: sign in as anybody by one press. Its address exists in the demo alone."""

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
    "officer": "The leads that wait for a call, best first",
    "assistant": "The same queue, for the officer they help",
    "manager": "Who is waiting and who is free, right now",
    "operations": "Where leads come from and who gets them",
    "marketing": "What each source sends and what it costs",
    "compliance": "Any number or address: consent, stops, every verdict",
    "executive": "What a funded loan cost last quarter",
    "administrator": "Set-up: people, licenses, sources",
}
SECOND_PERSON_VIEW = "The second person: approves what the first one asks for"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPersona:
    """One entry of the list: who, and what their page shows."""

    user: User
    label: str  # of the button
    sees: str


def list_personas() -> list[DemoPersona]:
    """One member of staff of each role, in the order of the roles: the first one at work now.

    Of compliance there are two, as most of what it does takes a second person.
    """
    found = User.objects.filter(is_active=True, role__in=ROLES).order_by("role", "joined_at", "id")
    first = {user.role: user for user in found.distinct("role")}
    if at_work := _find_officer_at_work(timezone.now()):
        first["officer"] = at_work.user
        if manager := _find_manager(at_work):
            first["manager"] = manager
    listed = []
    for role in (role for role in ROLES if role in first):
        one = first[role]
        listed.append(DemoPersona(user=one, label=one.role_label, sees=ROLE_VIEWS[role]))
        if role == "compliance":
            listed += _second_approver(one)
    return listed


def _second_approver(one: User) -> list[DemoPersona]:
    """Who of the whole company may approve what this member of compliance asks for, if anybody."""
    others = User.objects.filter(is_active=True, role=one.role, branch=None).exclude(pk=one.pk)
    label = f"{one.role_label}, second person"
    return [
        DemoPersona(user=each, label=label, sees=SECOND_PERSON_VIEW)
        for each in others.order_by("name")[:1]
    ]


def _find_officer_at_work(at: datetime) -> LoanOfficer | None:
    """A loan officer who is offered leads at this hour, so that a visitor sees them come."""
    officers = LoanOfficer.objects.filter(
        user__is_active=True, terminated_at=None, paused_at=None
    ).order_by("user__joined_at", "user_id")
    for officer in officers.select_related("user", "branch"):
        if working_hours.is_open(officer.hours, zone=officer.zone, at=at):
            return officer
    return None


def _find_manager(officer: LoanOfficer) -> User | None:
    """Who sees that officer on their wall, and the most others beside."""
    managers = User.objects.filter(role="manager", is_active=True).select_related("branch")
    theirs = [
        manager
        for manager in managers
        if manager.branch and officer.branch.path.startswith(manager.branch.path)
    ]
    return min(theirs, key=lambda one: len(one.branch.path), default=None)


@require_POST
def log_in_as_persona(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Sign in as this user, without a password: the company is made up."""
    if not settings.IS_DEMO:
        raise Http404
    user = get_object_or_404(User, id=user_id, is_active=True)
    login.log_in(request, user, factor="", at=timezone.now(), how="demo")
    return redirect("land")
