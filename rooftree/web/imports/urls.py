"""URLs of imports."""

from django.urls import URLPattern, path

from rooftree.web.imports import crm_transfer_views, import_action_views, views

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
        "setup/imports/<uuid:sheet_id>/run/", import_action_views.start_import, name="start_import"
    ),
    path(
        "setup/imports/<uuid:sheet_id>/past-clients/",
        import_action_views.declare_past_clients,
        name="declare_past_clients",
    ),
    path(
        "setup/imports/<uuid:sheet_id>/leads/",
        import_action_views.declare_leads,
        name="declare_leads",
    ),
    path(
        "setup/imports/<uuid:sheet_id>/columns/",
        import_action_views.reopen_columns,
        name="reopen_columns",
    ),
    path(
        "setup/imports/<uuid:sheet_id>/drop/",
        import_action_views.archive_import,
        name="archive_import",
    ),
    path(
        "setup/imports/<uuid:sheet_id>/ask/",
        import_action_views.retry_reading,
        name="retry_reading",
    ),
    path(
        "setup/imports/<uuid:sheet_id>/undo/", import_action_views.undo_import, name="undo_import"
    ),
]
