"""What is shown when a page cannot be: whole pages, or a toast for a part of one."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rooftree.web.answers import problem


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """400."""
    return _say(request, "400.html", "The request could not be read. Reload the page.", 400)


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """403: signed in, but not for this."""
    words = str(exception) if exception and str(exception) else "Your role does not allow this."
    return _say(request, "403.html", words, 403)


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404: not there, or not to be seen by this user."""
    return _say(request, "404.html", "It is not there any more, or not yours to see.", 404)


def broken(request: HttpRequest) -> HttpResponse:
    """500. Touches no database: it may be what broke."""
    return _say(request, "500.html", "Something broke on our side; nothing was changed.", 500)


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose token is missing or too old."""
    words = "This page was open for too long. Reload it, then do that again."
    return _say(request, "403_csrf.html", words, 403)


def _say(request: HttpRequest, template: str, words: str, status: int) -> HttpResponse:
    if getattr(request, "htmx", False):
        return problem(request, words, status=status)
    return render(request, template, status=status)
