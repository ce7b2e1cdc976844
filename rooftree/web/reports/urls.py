"""URLs of the Reports page, its files and the records behind its figures."""

from django.urls import URLPattern, path

from rooftree.web.reports import file_views, views

urlpatterns: list[URLPattern] = [
    path("reports/", views.show_report, name="reports"),
    path("reports/file.<slug:kind>", file_views.download_report, name="report_file"),
    path("reports/records/<slug:figure>/", views.list_report_records, name="report_records"),
]
