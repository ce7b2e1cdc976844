"""The addresses of the API, below /api/v1/; description.py says what each takes and gives."""

from django.urls import URLPattern, path

from rooftree.api import description, leads, sending, sources

urlpatterns: list[URLPattern] = [
    path("leads", sending.lead, name="api_leads"),
    path("leads/<uuid:lead_id>", leads.lead, name="api_lead"),
    path("sources", sources.sources, name="api_sources"),
    path("openapi.json", description.openapi, name="api_openapi"),
    path("docs/", description.page, name="api_docs"),
]
