"""What every staff page does first: who asks, when, and by whose clock times are written."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from rooftree.org.models import Company, LoanOfficer, User
from rooftree.routing.visible import may

View = Callable[..., HttpResponse]


def staff(*methods: str) -> Callable[[View], View]:
    """Wrap a view for people who are signed in; `request.at` is the moment of the request.

    Times of the page are written in the officer's zone, else the branch's,
    else the company's. Nothing of it is kept by a shared cache.
    """

    def wrap(view: View) -> View:
        @require_http_methods([*methods])
        @login_required
        @cache_control(private=True, no_cache=True)
        @wraps(view)
        def inside(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            request.at = timezone.now()
            with timezone.override(zone_of(request.user)):
                return view(request, *args, **kwargs)

        return inside

    return wrap


def zone_of(user: User) -> ZoneInfo:
    """The zone a user reads times in."""
    officer = officer_of(user)
    if officer:
        return ZoneInfo(officer.zone)
    if user.branch_id:
        return ZoneInfo(user.branch.zone)
    return ZoneInfo(Company.objects.values_list("zone", flat=True).first() or "UTC")


def officer_of(user: User) -> LoanOfficer | None:
    """The loan officer this user is, read once a request; None for the others."""
    try:
        return user.officer
    except LoanOfficer.DoesNotExist:
        return None


def must(user: User, verb: str) -> None:
    """Stop somebody whose role may not; `verb` is one of `routing.visible.MAY`."""
    if not may(user, verb):
        raise PermissionDenied("This belongs to another role.")
