"""What every staff page does first: who asks, when, and by whose clock times are written."""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from rooftree.flow import moment
from rooftree.org import access_log
from rooftree.org.models import Company, LoanOfficer, User
from rooftree.routing.visible import may
from rooftree.web import door
from rooftree.web.caller import caller

View = Callable[..., HttpResponse]
STAFF, PARTNERS = frozenset({False}), frozenset({True})  # what `User.is_partner` says of them
ANYBODY = STAFF | PARTNERS
OPENS = ("lead", "conversation")  # addresses that show one borrower; opening is written down


def partner(*methods: str) -> Callable[[View], View]:
    """Wrap a view for partners alone."""
    return staff(*methods, whose=PARTNERS)


def staff(
    *methods: str, unproved: bool = False, whose: Collection[bool] = STAFF
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
        def inside(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            request.at = moment.now()
            if request.user.is_partner not in whose:
                raise PermissionDenied("This belongs to another role.")
            if not unproved and not door.is_proved(request):
                return door.to_enrolment(request)
            if _is_pressed(request):
                request.session.seen(request.at)
            with timezone.override(zone_of(request.user)):
                answer = view(request, *args, **kwargs)
            _note_opening(request, answer, kwargs)
            _keep_apart(request, answer)
            return answer

        return inside

    return wrap


def _is_pressed(request: HttpRequest) -> bool:
    """Whether a person did something: what an open page fetches for itself keeps nobody in."""
    return request.method != "GET" or not getattr(request, "htmx", False)


def _keep_apart(request: HttpRequest, answer: HttpResponse) -> None:
    """A fragment has the address of its page: the back button must never find it in its place."""
    patch_vary_headers(answer, ["HX-Request"])
    if getattr(request, "htmx", False):
        patch_cache_control(answer, no_store=True)


def _note_opening(request: HttpRequest, answer: HttpResponse, kwargs: dict[str, Any]) -> None:
    is_page = request.method == "GET" and _is_pressed(request) and answer.status_code == 200
    match = request.resolver_match
    if is_page and match and match.url_name in OPENS:
        access_log.note(
            access_log.Kind.LEAD_OPENED, caller=caller(request), at=request.at,
            user_id=request.user.pk, lead_id=kwargs["lead_id"],
        )  # fmt: skip


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


def must_for_all(user: User, verb: str) -> None:
    """As `must`, for what is about the whole company: nobody of one branch may."""
    must(user, verb)
    if user.branch_id is not None:
        raise PermissionDenied("This belongs to somebody of the whole company.")


def may_for_all(user: User, verb: str) -> bool:
    """Whether somebody may, about the whole company: as `must_for_all`."""
    return may(user, verb) and user.branch_id is None


def must(user: User, verb: str) -> None:
    """Stop somebody whose role may not; `verb` is one of `routing.visible.MAY`."""
    if not may(user, verb):
        raise PermissionDenied("This belongs to another role.")
