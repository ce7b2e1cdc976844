"""The documentation page of the API, rendered from its OpenAPI document."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

from rooftree.api.operations import COMMON_ERRORS, SCOPE_FIELD
from rooftree.org import api_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentedOperation:
    """One operation of the page; `fields` are paths and types, such as `loans[].id`, `uuid`."""

    method: str
    path: str
    scope: str
    description: str
    parameters: list[dict[str, Any]]
    fields: list[tuple[str, str]]
    errors: list[tuple[int, str]]


class ApiDocs(DocsBase):
    """Serves the page without scripts, so that it works offline and under our CSP."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """Render the page of `api`."""
        context = {
            "operations": list(read_operations(api.get_openapi_schema())),
            "scopes": api_keys.SCOPES.items(),
            "errors": COMMON_ERRORS.items(),
            "base_url": f"{settings.PUBLIC_URL}{api.get_root_path({})}",
        }
        return render(request, "api/docs.html", context)


def read_operations(document: dict[str, Any]) -> Iterator[DocumentedOperation]:
    """Yield the operations of an OpenAPI document."""
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            responses = operation["responses"]
            success = responses[min(responses)]["content"]["application/json"]["schema"]
            yield DocumentedOperation(
                method=method.upper(),
                path=path,
                scope=operation[SCOPE_FIELD],
                description=operation["description"],
                parameters=operation["parameters"],
                fields=list(_list_fields(success, schemas)),
                errors=[
                    (status, response["description"])
                    for status, response in responses.items()
                    if status >= 400 and status not in COMMON_ERRORS
                ],
            )


def _list_fields(schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield path and type of the fields of an object, nested ones in their place."""
    for name, field in _resolve(schema, schemas)["properties"].items():
        options = field.get("anyOf", [field])
        nullable = " or null" if {"type": "null"} in options else ""
        value = _resolve(options[0], schemas)
        path = name
        if value["type"] == "array":
            path, value = f"{name}[]", _resolve(value["items"], schemas)
        yield path, f"{value.get('format', value['type'])}{nullable}"
        if value["type"] == "object":
            for inner_path, kind in _list_fields(value, schemas):
                yield f"{path}.{inner_path}", kind


def _resolve(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    reference: str | None = schema.get("$ref")
    return schemas[reference.rpartition("/")[2]] if reference else schema
