"""Encompass's error answers, and parsing of request bodies."""

import json
from typing import Any

from rooftree_simulators.vendor_base import Reply, ReplyError, Request, json_reply


def error_reply(
    status: int, summary: str, details: str, *, errors: list[tuple[str, str]] | None = None
) -> Reply:
    """Build an error answer in Encompass's format (`errorCode` texts are ours)."""
    content: dict[str, Any] = {
        "summary": summary,
        "details": details,
        "errorCode": f"EBS-{status}",
    }
    if errors:
        content["errors"] = [{"key": key, "summary": text} for key, text in errors]
    return json_reply(status, content)


def bad_request_error(details: str, errors: list[tuple[str, str]] | None = None) -> ReplyError:
    return ReplyError(error_reply(400, "Bad Request", details, errors=errors))


def not_found_error(details: str) -> ReplyError:
    return ReplyError(error_reply(404, "Not Found", details))


def conflict_error(details: str) -> ReplyError:
    return ReplyError(error_reply(409, "Conflict", details))


def read_json_body(request: Request, kind: type, *, empty: Any = None) -> Any:
    """Parse the JSON body and check its type. Raises `ReplyError` (400, 415) for anything else."""
    if not request.body and empty is not None:
        return empty
    if not request.header("Content-Type").startswith("application/json"):
        raise ReplyError(error_reply(415, "Unsupported Media Type", "application/json is required"))
    try:
        content = json.loads(request.body)
    except ValueError as problem:
        raise bad_request_error("The body is not JSON.") from problem
    if not isinstance(content, kind):
        raise bad_request_error(f"The body must be a JSON {kind.__name__}.")
    return content


def check_parameters(request: Request, *known_names: str) -> None:
    """Refuse query parameters that the operation does not have."""
    extra = {name for name, _ in request.query} - set(known_names)
    if extra:
        raise bad_request_error(f"Unknown query parameter: {', '.join(sorted(extra))}")


def read_whole_number(request: Request, name: str, default: int) -> int:
    text = request.parameter(name, str(default))
    if not text.isdigit():
        raise bad_request_error(f"{name} must be a whole number.")
    return int(text)
