"""The API below /api/v1/; to add a resource, write its router and list it here."""

from functools import cached_property
from typing import Any

from django.conf import settings
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET
from ninja import NinjaAPI
from ninja.openapi import get_schema
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from rooftree.api import lead_intake_views, lead_views, source_report_views, spend_views
from rooftree.api.api_docs import ApiDocs
from rooftree.api.api_errors import add_error_handlers


class RooftreeApi(NinjaAPI):
    """An API whose operations are named by their functions, and whose document is built once."""

    @cached_property
    def document(self) -> OpenAPISchema:
        """The OpenAPI document, the same for every request."""
        return get_schema(self, path_prefix=self.get_root_path({}))

    def get_openapi_schema(self, **_: Any) -> OpenAPISchema:
        """Return the document, for `/openapi.json`."""
        return self.document

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Return the name that generated clients give the operation."""
        return operation.view_func.__name__


api = RooftreeApi(
    title="Rooftree",
    version="1.0",
    docs=ApiDocs(),
    docs_url="/docs/",
    docs_decorator=require_GET,
    servers=[{"url": settings.PUBLIC_URL}],
    urls_namespace="api",
)
api.add_decorator(cache_control(no_store=True), mode="view")
add_error_handlers(api)
for views in (lead_views, lead_intake_views, source_report_views, spend_views):
    api.add_router("", views.router)
