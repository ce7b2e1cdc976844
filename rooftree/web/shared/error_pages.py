"""Error responses: whole pages, a toast for a part of a page, or JSON for API clients.

Borrowers see them in their language, under the lender's name; staff see them in English. After a
5xx nothing is read from the database, which can be what failed.
"""

import sys
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from rooftree.org.models import Company
from rooftree.web.shared.error_messages import (
    API_PATH,
    RETRY_AFTER_SECONDS,
    api_error_body,
    borrower_message,
    is_borrower_path,
    preferred_language,
    staff_message,
)
from rooftree.web.shared.htmx_responses import TOAST_HEADERS


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """Render a 400 response."""
    return render_error(request, "400", 400)


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """Render a 403 response: signed in, but without permission."""
    return render_error(request, "403", 403, toast=str(exception or ""))


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """Render a 404 response: missing, or not visible to this user.

    The body is empty for `/events/`, which only the ASGI application serves, and for machines
    under `/in/`.
    """
    if request.path == "/events/" or request.path.startswith("/in/"):
        return HttpResponse(status=404)
    return render_error(request, "404", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Render a 500 response, or 503 when the database is down, full or starting."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return service_unavailable(request)
    return render_error(request, "500", 500)


def service_unavailable(request: HttpRequest) -> HttpResponse:
    """Render a 503 response with `Retry-After`."""
    response = render_error(request, "503", 503)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Render a 403 response to a form whose token is missing or expired."""
    return render_error(request, "stale", 403)


class MethodNotAllowedMiddleware:
    """Adds a page to an empty 405 response, and JSON to one of the API."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add the page; leave other responses and those to machines unchanged."""
        response = self.get_response(request)
        is_complete = response.content and not request.path.startswith(API_PATH)
        if response.status_code != 405 or is_complete or request.path.startswith("/in/"):
            return response
        page = render_error(request, "405", 405)
        page["Allow"] = response["Allow"]
        return page


def render_error(request: HttpRequest, kind: str, status: int, *, toast: str = "") -> HttpResponse:
    """Render an error for this user: JSON or a toast, else a staff or borrower page.

    Args:
        kind: a key of `STAFF_MESSAGES`.
        toast: text that replaces the usual toast.
    """
    if request.path.startswith(API_PATH):
        headers = {"Cache-Control": "no-store"}
        return JsonResponse(api_error_body(kind), status=status, headers=headers)
    if getattr(request, "htmx", False):
        text = toast or staff_message(kind).toast
        html = render_to_string("_toast.html", {"words": text, "tone": "late"})
        return HttpResponse(html, status=status, headers=TOAST_HEADERS)
    if is_borrower_path(request.path):
        page = _render_borrower_error(request, kind, asks_database=status < 500)
    else:
        is_stranger = status < 500 and _is_anonymous(request)
        page = render_to_string(
            "error.html", {"failure": staff_message(kind), "is_stranger": is_stranger}
        )
    return HttpResponse(page, status=status, headers={"Cache-Control": "no-store"})


def render_error_without_database(
    kind: str, path: str, *, accepted: str = "", query: str = ""
) -> str:
    """Render the page of an error that occurs before Django runs, so without a known user.

    Args:
        kind: a key of `STAFF_MESSAGES`.
        accepted: the Accept-Language header.
    """
    if not is_borrower_path(path):
        return render_to_string("error.html", {"failure": staff_message(kind)})
    language = preferred_language(accepted, query)
    context = {"failure": borrower_message(kind, language), "language": language}
    return render_to_string("lead_form/error.html", context)


def _render_borrower_error(request: HttpRequest, kind: str, *, asks_database: bool) -> str:
    language = preferred_language(
        request.headers.get("accept-language", ""), request.META.get("QUERY_STRING", "")
    )
    context = {
        "failure": borrower_message(kind, language),
        "language": language,
        "company": _find_company() if asks_database else None,
    }
    return render_to_string("lead_form/error.html", context)


def _find_company() -> Company | None:
    try:
        return Company.objects.first()
    except DatabaseError:
        return None


def _is_anonymous(request: HttpRequest) -> bool:
    """Return True if no one is signed in; False if the database fails.

    A request that failed early has no user yet.
    """
    user = getattr(request, "user", None)
    try:
        return user is None or not user.is_authenticated
    except DatabaseError:
        return False
