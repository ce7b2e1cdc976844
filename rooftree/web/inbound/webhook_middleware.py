"""The short way for machines: what comes below /in/ meets no session, no cookie and no page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import resolve


class WebhookMiddleware:
    """Gives a machine's request straight to its view, past what only pages need."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Leave every other request to those who come after."""
        if not request.path_info.startswith("/in/"):
            return self.get_response(request)
        found = resolve(request.path_info)
        answer: HttpResponse = found.func(request, *found.args, **found.kwargs)
        answer.headers.setdefault("Content-Length", str(len(answer.content)))
        return answer
