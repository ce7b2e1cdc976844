"""What every staff page does first: who asks, when, and by whose clock times are written."""

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
from rooftree.routing.permissions import has_permission
from rooftree.web.shared.request_caller import request_caller
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.sign_in import login

View = Callable[..., HttpResponse]
STAFF_ONLY, PARTNERS_ONLY = (
    frozenset({False}),
    frozenset({True}),
)  # what `User.is_partner` says of them
STAFF_AND_PARTNERS = STAFF_ONLY | PARTNERS_ONLY
LEAD_PAGES = ("lead", "conversation")  # addresses that show one borrower; opening is written down


def partner_view(*methods: str) -> Callable[[View], View]:
    """Wrap a view for partners alone."""
    return staff_view(*methods, audience=PARTNERS_ONLY)


def staff_view(
    *methods: str, without_second_factor: bool = False, audience: Collection[bool] = STAFF_ONLY
) -> Callable[[View], View]:
    """Wrap a view for people who are signed in; `request.at` is the moment of the request.

    Times of the page are written in the officer's zone, else the branch's,
    else the company's. Nothing of it is kept by a shared cache.

    Args:
        unproved: also for whoever has no second factor yet: the pages where one is set up.
        whose: of STAFF, PARTNERS or both.
    """

    def wrap(view: View) -> View:
        @require_http_methods([*methods])
        @login_required
        @cache_control(private=True, no_cache=True)
        @wraps(view)
        def inside(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            request.at = clock.now()
            if request.user.is_partner not in audience:
                raise PermissionDenied("This belongs to another role.")
            if not without_second_factor and not login.is_fully_authenticated(request):
                return login.redirect_to_enrollment(request)
            if _is_user_action(request):
                request.session.touch(request.at)
            with timezone.override(user_zone(request.user)):
                answer = view(request, *args, **kwargs)
            _log_lead_opening(request, answer, kwargs)
            _separate_cached_fragments(request, answer)
            return answer

        return inside

    return wrap


def _is_user_action(request: StaffRequest) -> bool:
    """Whether a person did something: what an open page fetches for itself keeps nobody in."""
    return request.method != "GET" or not getattr(request, "htmx", False)


def _separate_cached_fragments(request: StaffRequest, answer: HttpResponse) -> None:
    """A fragment has the address of its page: the back button must never find it in its place."""
    patch_vary_headers(answer, ["HX-Request"])
    if getattr(request, "htmx", False):
        patch_cache_control(answer, no_store=True)


def _log_lead_opening(request: StaffRequest, answer: HttpResponse, kwargs: dict[str, Any]) -> None:
    is_page = request.method == "GET" and _is_user_action(request) and answer.status_code == 200
    match = request.resolver_match
    if is_page and match and match.url_name in LEAD_PAGES:
        access_log.record_access(
            access_log.AccessKind.LEAD_OPENED, client=request_caller(request), at=request.at,
            user_id=request.user.pk, lead_id=kwargs["lead_id"],
        )  # fmt: skip


def user_zone(user: User) -> ZoneInfo:
    """The zone a user reads times in."""
    officer = user_officer(user)
    if officer:
        return ZoneInfo(officer.zone)
    if user.branch_id:
        return ZoneInfo(user.branch.zone)
    return ZoneInfo(Company.objects.values_list("zone", flat=True).first() or "UTC")


def user_officer(user: User) -> LoanOfficer | None:
    """The loan officer this user is, read once a request; None for the others."""
    try:
        return user.officer
    except LoanOfficer.DoesNotExist:
        return None


def require_company_permission(user: User, verb: str) -> None:
    """As `must`, for what is about the whole company: nobody of one branch may."""
    require_permission(user, verb)
    if user.branch_id is not None:
        raise PermissionDenied("This belongs to somebody of the whole company.")


def has_company_permission(user: User, verb: str) -> bool:
    """Whether somebody may, about the whole company: as `must_for_all`."""
    return has_permission(user, verb) and user.branch_id is None


def require_permission(user: User, permission: str) -> None:
    """Stop somebody whose role may not; `verb` is one of `routing.visible.MAY`."""
    if not has_permission(user, permission):
        raise PermissionDenied("This belongs to another role.")
