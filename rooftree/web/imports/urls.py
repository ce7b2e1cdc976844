"""URLs of imports."""

from django.urls import URLPattern, path

from rooftree.web.imports import crm_transfer_views, views

urlpatterns: list[URLPattern] = [
    path("setup/imports/", views.list_imports, name="imports"),
    path("setup/imports/systems/", crm_transfer_views.connect_system, name="import_systems"),
    path("setup/imports/<uuid:sheet_id>/", views.show_import, name="import"),
    path(
        "setup/imports/<uuid:sheet_id>/refused.csv",
        views.download_refused_rows,
        name="import_refused",
    ),
    path(
        "setup/imports/<uuid:sheet_id>/<slug:action>/", views.apply_import_action, name="import_act"
    ),
]
