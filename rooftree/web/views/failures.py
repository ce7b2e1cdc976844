"""What is shown when a page cannot be: whole pages, or a toast for a part of one."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from rooftree.web.answers import TO_TOASTS, problem


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """400."""
    return _say(request, "400.html", "The request could not be read. Reload the page.", 400)


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """403: signed in, but not for this."""
    words = str(exception) if exception and str(exception) else "Your role does not allow this."
    return _say(request, "403.html", words, 403)


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404: not there, or not to be seen by this user.

    A server without the front has no live stream; pages go on without it.
    """
    if request.path == "/events/":
        return HttpResponse(status=404)
    return _say(request, "404.html", "It is not there any more, or not yours to see.", 404)


def broken(request: HttpRequest) -> HttpResponse:
    """500. Rendered without a request, so that no database is asked: it may be what broke."""
    if not getattr(request, "htmx", False):
        return HttpResponse(render_to_string("500.html"), status=500)
    words = "Something broke on our side. Look whether it was kept before you do it again."
    toast = render_to_string("_toast.html", {"words": words, "tone": "late"})
    return HttpResponse(toast, status=500, headers=TO_TOASTS)


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose token is missing or too old."""
    words = "This page was open for too long. Reload it, then do that again."
    return _say(request, "403_csrf.html", words, 403)


def _say(request: HttpRequest, template: str, words: str, status: int) -> HttpResponse:
    if getattr(request, "htmx", False):
        return problem(request, words, status=status)
    return render(request, template, status=status)
