"""What every operation of the API declares: key, scope, success and errors."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypedDict

from ninja import Schema
from pydantic import PlainSerializer, WithJsonSchema

from rooftree.api.api_errors import ErrorBody
from rooftree.api.key_authentication import KeyAuth
from rooftree.leads.canonical_json import format_timestamp
from rooftree.org import api_keys

SCOPE_FIELD = "x-scope"  # of an operation in the OpenAPI document
COMMON_ERRORS = {  # of every operation, by status
    401: "No key, or a revoked, expired or unknown key",
    403: "The key lacks the scope, or its user lacks the permission",
    422: "A parameter is missing or invalid",
    429: f"More than {api_keys.REQUESTS_PER_MINUTE.max_attempts} calls per minute; "
    "wait for the seconds in Retry-After",
}
Timestamp = Annotated[
    datetime,
    PlainSerializer(format_timestamp, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class OperationOptions(TypedDict):
    """Arguments of a router's `get` and `post`."""

    auth: KeyAuth
    response: dict[int, type[Schema]]
    openapi_extra: dict[str, Any]


def require_key(
    *,
    scope: str,
    permission: str,
    returns: type[Schema],
    status: int = 200,
    errors: Mapping[int, str] | None = None,
    body: Mapping[str, Any] | None = None,
) -> OperationOptions:
    """Return the options of an operation that an API key calls.

    Args:
        scope: scope the key needs, of `api_keys.SCOPES`.
        permission: permission the key's user needs, of `permissions.ROLES_BY_PERMISSION`.
        errors: description by status, of the errors that other operations don't have.
        body: the OpenAPI request body of an operation that reads the raw body.
    """
    descriptions = {**COMMON_ERRORS, **(errors or {})}
    extra: dict[str, Any] = {
        SCOPE_FIELD: scope,
        "responses": {number: {"description": text} for number, text in descriptions.items()},
    }
    if body:
        extra["requestBody"] = body
    return OperationOptions(
        auth=KeyAuth(scope=scope, permission=permission),
        response={status: returns, **dict.fromkeys(sorted(descriptions), ErrorBody)},
        openapi_extra=extra,
    )
