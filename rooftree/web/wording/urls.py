"""URLs of message templates."""

from django.urls import URLPattern, path

from rooftree.outreach.wording import template_approval
from rooftree.web.wording import adoption_views, editor_views, views
from rooftree.web.wording.version_actions import VersionKind, version_paths

VERSIONS = VersionKind(name="wording", get_version=views.get_version, publish=template_approval)
urlpatterns: list[URLPattern] = [
    path("wording/", views.list_wording, name="wording"),
    path("wording/adoption/", adoption_views.adopt_defaults, name="wording_adoption"),
    path("wording/new/", views.choose_place, name="wording_new"),
    path("wording/editions/<uuid:edition_id>/", views.show_wording_version, name="wording_edition"),
    *version_paths("wording/editions/", VERSIONS),
    path(
        "wording/<slug:key>/<slug:medium>/<slug:loan>/<slug:hours>/",
        editor_views.edit_wording,
        name="wording_place",
    ),
    path(
        "wording/<slug:key>/<slug:medium>/<slug:loan>/<slug:hours>/reading/",
        editor_views.preview_wording,
        name="wording_reading",
    ),
    path(
        "wording/<slug:key>/<slug:medium>/<slug:loan>/<slug:hours>/proposal/",
        editor_views.propose_wording,
        name="wording_proposal",
    ),
    path(
        "wording/<slug:key>/<slug:medium>/<slug:loan>/<slug:hours>/draft/",
        editor_views.discard_draft,
        name="wording_draft",
    ),
]
