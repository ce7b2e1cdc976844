"""What is shown when a page cannot be: whole pages, or a toast for a part of one.

Borrowers read it in their language, under the lender's name; staff in ours. What broke
may be the database, so after a 5xx nothing is asked of it.
"""

import sys
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from rooftree.org.models import Company
from rooftree.web.shared.error_messages import (
    RETRY_AFTER_SECONDS,
    borrower_message,
    is_borrower_path,
    preferred_language,
    staff_message,
)
from rooftree.web.shared.htmx_responses import TOAST_HEADERS


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """400."""
    return render_error(request, "400", 400)


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """403: signed in, but not for this."""
    return render_error(request, "403", 403, toast=str(exception or ""))


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404: not there, or not to be seen by this user.

    A server without the front has no live stream; pages go on without it. A
    machine reads no page.
    """
    if request.path == "/events/" or request.path.startswith("/in/"):
        return HttpResponse(status=404)
    return render_error(request, "404", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 when it is the database that takes nothing: away, full, or starting."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return service_unavailable(request)
    return render_error(request, "500", 500)


def service_unavailable(request: HttpRequest) -> HttpResponse:
    """503: try again shortly."""
    answer = render_error(request, "503", 503)
    answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose token is missing or too old."""
    return render_error(request, "stale", 403)


class MethodNotAllowedMiddleware:
    """Gives a page to an answer without one: 405 when an address only takes a button's press."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Leave every other answer, and those to machines, as they are."""
        answer = self.get_response(request)
        if answer.status_code != 405 or answer.content or request.path.startswith("/in/"):
            return answer
        page = render_error(request, "405", 405)
        page["Allow"] = answer["Allow"]
        return page


def render_error(request: HttpRequest, kind: str, status: int, *, toast: str = "") -> HttpResponse:
    """The failure as this reader is to see it.

    Args:
        kind: a key of `failure_words.STAFF`.
        toast: what a part of a page says instead of the usual words.
    """
    if getattr(request, "htmx", False):
        words = toast or staff_message(kind).toast
        piece = render_to_string("_toast.html", {"words": words, "tone": "late"})
        return HttpResponse(piece, status=status, headers=TOAST_HEADERS)
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
    """The page of a failure that is met before Django is: nothing is known of the reader.

    Args:
        kind: a key of `failure_words.STAFF`.
        accepted: the languages the browser prefers, as it said.
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
    """Whether nobody is signed in; a page that failed early has no user yet."""
    user = getattr(request, "user", None)
    try:
        return user is None or not user.is_authenticated
    except DatabaseError:
        return False
