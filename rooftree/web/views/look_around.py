"""The demo's door: sign in as anybody by one press. Its address exists in the demo alone."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from rooftree.org.models import ROLES, User
from rooftree.web import door

SEES = {
    "officer": "The leads that wait for a call, best first",
    "assistant": "The same queue, for the officer they help",
    "manager": "Who is waiting and who is free, right now",
    "operations": "Where leads come from and who gets them",
    "marketing": "What each source sends and what it costs",
    "compliance": "Any number or address: consent, stops, every verdict",
    "executive": "What a funded loan cost last quarter",
    "administrator": "Set-up: people, licenses, sources",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """One entry of the list: who, and what their page shows."""

    user: User
    sees: str


def people() -> list[Visitor]:
    """The first member of staff of each role, in the order of the roles."""
    found = User.objects.filter(is_active=True).order_by("role", "joined_at", "id")
    first = {user.role: user for user in found.distinct("role")}
    return [Visitor(user=first[role], sees=SEES[role]) for role in ROLES if role in first]


@require_POST
def look_around(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Sign in as this user, without a password: the company is made up."""
    if not settings.IS_DEMO:
        raise Http404
    user = get_object_or_404(User, id=user_id, is_active=True)
    door.let_in(request, user, factor="", at=timezone.now(), how="demo")
    return redirect("land")
