"""Malformed requests: one 400 for text that no page can use and the database can't store.

NUL characters and bytes that are not UTF-8 are refused before a view runs. An id that is no UUID
and a number outside its column's range reach the database layer, which refuses them; that is the
request's fault too, and never an error page.
"""

import logging
from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes

from django.core.exceptions import BadRequest, ValidationError
from django.db import DataError
from django.http import HttpRequest, HttpResponse

from rooftree.web.shared.error_pages import bad_request

URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
log = logging.getLogger(__name__)


class MalformedRequestMiddleware:
    """Answers a malformed request with 400. Webhooks under `/in/` never get here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Refuse unreadable text in the path, the query and a form."""
        try:
            is_readable = _is_readable(request)
        except BadRequest:  # a form in another encoding, or without its boundary
            is_readable = False
        return self.get_response(request) if is_readable else bad_request(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Turn a value that the database refuses into a 400; the log keeps where it came from."""
        if not isinstance(error, DataError | ValidationError):
            return None
        log.warning("a value was refused by the database layer", exc_info=error)
        return bad_request(request)


def _is_readable(request: HttpRequest) -> bool:
    encoded = request.META.get("QUERY_STRING", "").encode("latin-1", "replace")
    if request.content_type == URLENCODED:
        encoded += b"&" + request.body
    try:
        text = request.path_info + unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError:
        return False
    return "\0" not in text and not any("\0" in part for part in _multipart_texts(request))


def _multipart_texts(request: HttpRequest) -> Iterator[str]:
    """Yield each name, value and file name of a form with files."""
    if request.content_type == MULTIPART:
        for name, values in request.POST.lists():
            yield from (name, *values)
        for name, files in request.FILES.lists():
            yield from (name, *(file.name or "" for file in files))
