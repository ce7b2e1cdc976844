"""The decorator of every signed-in view: authentication, request time, time zone, audit log."""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from rooftree.flow import clock
from rooftree.org import access_log
from rooftree.org.models import Company, LoanOfficer, User
from rooftree.routing.permissions import has_company_permission, has_permission
from rooftree.web.shared.request_caller import request_caller
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.sign_in import login

View = Callable[..., HttpResponse]
STAFF_ONLY, PARTNERS_ONLY = frozenset({False}), frozenset({True})  # values of `User.is_partner`
STAFF_AND_PARTNERS = STAFF_ONLY | PARTNERS_ONLY
LEAD_PAGES = (
    "lead",
    "conversation",
)  # URL names that show one borrower; the audit log records each opening


def partner_view(*methods: str) -> Callable[[View], View]:
    """Wrap a view for partners only."""
    return staff_view(*methods, audience=PARTNERS_ONLY)


def staff_view(
    *methods: str, without_second_factor: bool = False, audience: Collection[bool] = STAFF_ONLY
) -> Callable[[View], View]:
    """Wrap a view for signed-in users; `request.at` is the time of the request, in UTC.

    Times on the page are in the officer's zone, else the branch's, else the company's. Shared
    caches don't store the page.

    Args:
        unproved: open to users without a second factor, for the pages that set one up.
        whose: STAFF_ONLY, PARTNERS_ONLY or STAFF_AND_PARTNERS.
    """

    def wrap(view: View) -> View:
        @require_http_methods([*methods])
        @login_required
        @cache_control(private=True, no_cache=True)
        @wraps(view)
        def inside(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            request.at = clock.now()
            if request.user.is_partner not in audience:
                raise PermissionDenied("Your role doesn’t have access to this.")
            if not without_second_factor and not login.is_fully_authenticated(request):
                return login.redirect_to_enrollment(request)
            if _is_user_action(request):
                request.session.touch(request.at)
            with timezone.override(user_zone(request.user)):
                response = view(request, *args, **kwargs)
            _log_lead_opening(request, response, kwargs)
            # Keep the back button from showing a cached fragment, which shares its page's URL.
            patch_vary_headers(response, ["HX-Request"])
            if getattr(request, "htmx", False):
                patch_cache_control(response, no_store=True)
            return response

        return inside

    return wrap


def _is_user_action(request: StaffRequest) -> bool:
    """Return True for a user's action; a page that refreshes itself doesn't count as activity."""
    return request.method != "GET" or not getattr(request, "htmx", False)


def _log_lead_opening(
    request: StaffRequest, response: HttpResponse, kwargs: dict[str, Any]
) -> None:
    is_page = request.method == "GET" and _is_user_action(request) and response.status_code == 200
    match = request.resolver_match
    if is_page and match and match.url_name in LEAD_PAGES:
        access_log.record_access(
            access_log.AccessKind.LEAD_OPENED, client=request_caller(request), at=request.at,
            user_id=request.user.pk, lead_id=kwargs["lead_id"],
        )  # fmt: skip


def user_zone(user: User) -> ZoneInfo:
    """Return the user's time zone: the officer's, else the branch's, else the company's."""
    officer = user_officer(user)
    if officer:
        return ZoneInfo(officer.zone)
    if user.branch:
        return ZoneInfo(user.branch.zone)
    return ZoneInfo(Company.objects.values_list("zone", flat=True).first() or "UTC")


def user_officer(user: User) -> LoanOfficer | None:
    """Return the user's loan officer record, read once per request; None if there is none."""
    try:
        return user.officer
    except LoanOfficer.DoesNotExist:
        return None


def require_company_permission(user: User, permission: str) -> None:
    """Raise `PermissionDenied` unless the user is company-wide and has the permission."""
    require_permission(user, permission)
    if not has_company_permission(user, permission):
        raise PermissionDenied("Only company-wide users have access to this.")


def require_permission(user: User, permission: str) -> None:
    """Raise `PermissionDenied` unless the user has a permission of `ROLES_BY_PERMISSION`."""
    if not has_permission(user, permission):
        raise PermissionDenied("Your role doesn’t have access to this.")
