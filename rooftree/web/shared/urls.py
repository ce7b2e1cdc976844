"""URLs of search, notifications and the app manifest."""

from django.urls import URLPattern, path

from rooftree.web.shared import manifest_views, notice_views, search_views

urlpatterns: list[URLPattern] = [
    path("manifest.webmanifest", manifest_views.serve_manifest, name="manifest"),
    path("find/", search_views.search, name="find"),
    path("more/", search_views.show_more, name="more"),
    path("notices/", notice_views.list_notices, name="notices"),
    path("notices/reading/", notice_views.mark_all_read, name="notices_reading"),
    path("notices/<uuid:notice_id>/reading/", notice_views.mark_notice_read, name="notice_reading"),
]
