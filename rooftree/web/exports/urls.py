"""URLs of exports and their approval."""

from django.urls import URLPattern, path

from rooftree.web.exports import approval_views, views

urlpatterns: list[URLPattern] = [
    path("home/records/<slug:number>/export/", views.export_records, name="records_export"),
    path(
        "reports/records/<slug:figure>/export/",
        views.export_report_records,
        name="report_records_export",
    ),
    path("pipeline/export/", views.export_pipeline, name="pipeline_export"),
    path("compliance/exports/", approval_views.list_export_requests, name="export_asks"),
    path(
        "compliance/exports/<uuid:ask_id>/decision/",
        approval_views.decide_export,
        name="export_decision",
    ),
]
