"""Errors of the API: every body is `{"error": {"code": ..., "text": ...}}`."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError


class ErrorDetails(Schema):
    """What went wrong: `code` for programs, `text` for people."""

    code: str
    text: str


class ErrorBody(Schema):
    """The body of every error."""

    error: ErrorDetails


class ApiError(Exception):
    """An error response: status, code and a sentence."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code = status, code


NOT_FOUND = ApiError(404, "not_found", "Not found, or this key can't see it.")


def add_error_handlers(api: NinjaAPI) -> None:
    """Make `api` answer its own errors and those of the framework in the one shape."""

    def answer(request: HttpRequest, error: Any) -> HttpResponse:
        details = _read_error(error)
        body = ErrorBody(error=ErrorDetails(code=details.code, text=str(details)))
        response = api.create_response(request, body, status=details.status)
        if details.status == 401:
            response["WWW-Authenticate"] = "Bearer"
        if details.status == 429:
            response["Retry-After"] = "60"
        return response

    for kind in (ApiError, ValidationError, HttpError, Http404):
        api.add_exception_handler(kind, answer)


def _read_error(error: Exception) -> ApiError:
    match error:
        case ApiError():
            return error
        case ValidationError():
            first = error.errors[0]
            place = ".".join(map(str, first["loc"]))
            return ApiError(422, "invalid", f"{place}: {first['msg']}.")
        case HttpError():
            return ApiError(error.status_code, "invalid", f"{error}.")
    return NOT_FOUND
