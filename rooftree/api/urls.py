"""URLs of the API below /api/v1/; openapi.py describes parameters and responses."""

from django.urls import URLPattern, path

from rooftree.api import lead_intake_views, lead_views, openapi, source_report_views

urlpatterns: list[URLPattern] = [
    path("leads", lead_intake_views.create_lead, name="api_leads"),
    path("leads/<uuid:lead_id>", lead_views.read_lead, name="api_lead"),
    path("sources", source_report_views.report_sources, name="api_sources"),
    path("openapi.json", openapi.serve_openapi, name="api_openapi"),
    path("docs/", openapi.show_docs, name="api_docs"),
]
