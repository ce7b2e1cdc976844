"""Requests below /in/ skip sessions, cookies and the other middleware of pages."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import resolve


class WebhookMiddleware:
    """Pass webhook requests straight to their views."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle requests below /in/ here, and pass on all others."""
        if not request.path_info.startswith("/in/"):
            return self.get_response(request)
        match = resolve(request.path_info)
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        response.headers.setdefault("Content-Length", str(len(response.content)))
        return response
