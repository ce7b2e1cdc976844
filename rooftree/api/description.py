"""What the API takes and gives: one table, read by people as a page and by machines as OpenAPI."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from rooftree.org import api_keys

VERSION = "1.0"
TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
MAYBE_WHOLE = {"type": ["integer", "null"]}
MAYBE_DAY = {"type": ["string", "null"], "format": "date"}


def _record(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields)}


def _listed(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


FIGURES = _record(
    id={"type": ["string", "null"], "format": "uuid"}, name=TEXT, leads=WHOLE, attempted=WHOLE,
    talked=WHOLE, applications=WHOLE, funded=WHOLE, spend_cents=WHOLE, revenue_cents=WHOLE,
    cost_per_funded_cents=MAYBE_WHOLE,
)  # fmt: skip
LEAD = _record(
    id=TEXT, state=TEXT, source=_record(id=TEXT, name=TEXT),
    arrived_at={"type": "string", "format": "date-time"}, purpose=TEXT,
    amount_cents=MAYBE_WHOLE, property=_record(state=TEXT, zip=TEXT), score=MAYBE_WHOLE,
    person=_record(first_name=TEXT, last_name=TEXT, phones=_listed(TEXT), emails=_listed(TEXT)),
    officer={"oneOf": [_record(name=TEXT, nmls_id=TEXT), {"type": "null"}]},
    loans=_listed(
        _record(
            id=TEXT, milestone=TEXT, amount_cents=MAYBE_WHOLE, application_date=MAYBE_DAY,
            funded_date=MAYBE_DAY,
        )
    ),
)  # fmt: skip
SOURCES = _record(
    period=_record(key=TEXT, from_date=TEXT, until_date=TEXT),
    sources=_listed(FIGURES),
    total=FIGURES,
)
BODY = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
PROBLEM = _record(error=_record(code=TEXT, text=TEXT))


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One thing a machine may ask."""

    path: str
    says: str
    scope: str
    gives: dict[str, Any]
    takes: tuple[dict[str, Any], ...] = ()
    method: str = "get"


ENDPOINTS = (
    Endpoint(
        path="/leads/{lead_id}",
        says="One lead, if the person behind the key may see it. Reading is written down.",
        scope="leads:read",
        gives=LEAD,
        takes=(
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
        says="Send a lead in. The body is JSON, a form or XML, read by the source’s field map.",
        scope="leads:write",
        gives=_record(delivery_id=TEXT),
        takes=(
            {
                "name": "source",
                "in": "query",
                "required": True,
                "description": "the name of a source of the kind “Any post”, as in its address",
                "schema": TEXT,
            },
        ),
    ),
    Endpoint(
        path="/sources",
        says="What the leads of a period cost and became, by source, as on Home.",
        scope="reports:read",
        gives=SOURCES,
        takes=(
            {
                "name": "period",
                "in": "query",
                "required": False,
                "description": "2026-q3, 2026-10 or 12m-2026-10; else the last full quarter",
                "schema": TEXT,
            },
        ),
    ),
)
REFUSALS = {
    "401": "No key, or one that is revoked, expired or unknown",
    "403": "The key lacks the scope, or its person the right",
    "404": "Not there, or not this key's to see",
    "429": f"More than {api_keys.A_MINUTE.most} calls a minute; wait as Retry-After says",
}


@require_GET
def openapi(_: HttpRequest) -> HttpResponse:
    """The description for machines. It says nothing about anybody's data."""
    return JsonResponse(document())


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """The description for people."""
    context = {
        "endpoints": ENDPOINTS,
        "scopes": api_keys.SCOPES.items(),
        "refusals": REFUSALS.items(),
        "address": f"{settings.PUBLIC_URL}/api/v1",
    }
    return render(request, "api/docs.html", context)


def document() -> dict[str, Any]:
    """The whole as OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Rooftree", "version": VERSION},
        "servers": [{"url": f"{settings.PUBLIC_URL}/api/v1"}],
        "security": [{"key": []}],
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "paths": {one.path: {one.method: _operation(one)} for one in ENDPOINTS},
    }


def _operation(one: Endpoint) -> dict[str, Any]:
    refused = {
        status: {"description": said, "content": {"application/json": {"schema": PROBLEM}}}
        for status, said in REFUSALS.items()
    }
    good = {"description": "Done", "content": {"application/json": {"schema": one.gives}}}
    return {
        "summary": one.says,
        "description": f"Needs the scope {one.scope}.",
        "parameters": list(one.takes),
        **({"requestBody": BODY} if one.method == "post" else {}),
        "responses": {"201" if one.method == "post" else "200": good, **refused},
    }
