"""The API description: one table, shown as a page for people and as OpenAPI for programs."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from rooftree.org import api_keys

VERSION = "1.0"
STRING, INTEGER = {"type": "string"}, {"type": "integer"}
NULLABLE_INTEGER = {"type": ["integer", "null"]}
NULLABLE_DATE = {"type": ["string", "null"], "format": "date"}


def _object_schema(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields)}


def _array_schema(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


SOURCE_FIGURES_SCHEMA = _object_schema(
    id={"type": ["string", "null"], "format": "uuid"},
    name=STRING,
    leads=INTEGER,
    attempted=INTEGER,
    talked=INTEGER,
    applications=INTEGER,
    funded=INTEGER,
    spend_cents=INTEGER,
    revenue_cents=INTEGER,
    cost_per_funded_cents=NULLABLE_INTEGER,
)
LEAD_SCHEMA = _object_schema(
    id=STRING,
    state=STRING,
    source=_object_schema(id=STRING, name=STRING),
    arrived_at={"type": "string", "format": "date-time"},
    purpose=STRING,
    amount_cents=NULLABLE_INTEGER,
    property=_object_schema(state=STRING, zip=STRING),
    score=NULLABLE_INTEGER,
    person=_object_schema(
        first_name=STRING,
        last_name=STRING,
        phones=_array_schema(STRING),
        emails=_array_schema(STRING),
    ),
    officer={"oneOf": [_object_schema(name=STRING, nmls_id=STRING), {"type": "null"}]},
    loans=_array_schema(
        _object_schema(
            id=STRING,
            milestone=STRING,
            amount_cents=NULLABLE_INTEGER,
            application_date=NULLABLE_DATE,
            funded_date=NULLABLE_DATE,
        )
    ),
)
SOURCES_SCHEMA = _object_schema(
    period=_object_schema(key=STRING, from_date=STRING, until_date=STRING),
    sources=_array_schema(SOURCE_FIGURES_SCHEMA),
    total=SOURCE_FIGURES_SCHEMA,
)
REQUEST_BODY = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
ERROR_SCHEMA = _object_schema(error=_object_schema(code=STRING, text=STRING))


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint of the API."""

    path: str
    summary: str
    scope: str
    response_schema: dict[str, Any]
    parameters: tuple[dict[str, Any], ...] = ()
    method: str = "get"


ENDPOINTS = (
    Endpoint(
        path="/leads/{lead_id}",
        summary="Read one lead that the key’s user can see. The audit log records it.",
        scope="leads:read",
        response_schema=LEAD_SCHEMA,
        parameters=(
            {
                "name": "lead_id",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "format": "uuid"},
            },
        ),
    ),
    Endpoint(
        path="/leads",
        method="post",
        summary="Send a lead as JSON, form data or XML. The source’s field map reads it.",
        scope="leads:write",
        response_schema=_object_schema(delivery_id=STRING),
        parameters=(
            {
                "name": "source",
                "in": "query",
                "required": True,
                "description": "the name of a “Generic webhook” source, as in its address",
                "schema": STRING,
            },
        ),
    ),
    Endpoint(
        path="/sources",
        summary="Cost and results of a period’s leads by source, as on Home.",
        scope="reports:read",
        response_schema=SOURCES_SCHEMA,
        parameters=(
            {
                "name": "period",
                "in": "query",
                "required": False,
                "description": "2026-q3, 2026-10 or 12m-2026-10; by default the last full quarter",
                "schema": STRING,
            },
        ),
    ),
)
ERROR_RESPONSES = {
    "401": "No key, or a revoked, expired or unknown key",
    "403": "The key lacks the scope, or its user lacks the permission",
    "404": "Not found, or this key can't see it",
    "429": f"More than {api_keys.REQUESTS_PER_MINUTE.max_attempts} calls per minute; "
    "wait for the seconds in Retry-After",
}


@require_GET
def serve_openapi(_: HttpRequest) -> HttpResponse:
    """Return the OpenAPI description, which holds no data."""
    return JsonResponse(build_openapi())


@require_GET
def show_docs(request: HttpRequest) -> HttpResponse:
    """Show the API documentation."""
    context = {
        "endpoints": ENDPOINTS,
        "scopes": api_keys.SCOPES.items(),
        "errors": ERROR_RESPONSES.items(),
        "base_url": f"{settings.PUBLIC_URL}/api/v1",
    }
    return render(request, "api/docs.html", context)


def build_openapi() -> dict[str, Any]:
    """Return the API description as OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Rooftree", "version": VERSION},
        "servers": [{"url": f"{settings.PUBLIC_URL}/api/v1"}],
        "security": [{"key": []}],
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "paths": {
            endpoint.path: {endpoint.method: _build_operation(endpoint)} for endpoint in ENDPOINTS
        },
    }


def _build_operation(endpoint: Endpoint) -> dict[str, Any]:
    errors = {
        status: {"description": text, "content": {"application/json": {"schema": ERROR_SCHEMA}}}
        for status, text in ERROR_RESPONSES.items()
    }
    success = {
        "description": "Success",
        "content": {"application/json": {"schema": endpoint.response_schema}},
    }
    return {
        "summary": endpoint.summary,
        "description": f"Needs the scope {endpoint.scope}.",
        "parameters": list(endpoint.parameters),
        **({"requestBody": REQUEST_BODY} if endpoint.method == "post" else {}),
        "responses": {"201" if endpoint.method == "post" else "200": success, **errors},
    }
