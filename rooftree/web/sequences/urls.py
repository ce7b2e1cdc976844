"""URLs of sequences."""

from django.urls import URLPattern, path

from rooftree.nurture import sequence_approval
from rooftree.web.sequences import calendar_views, editor_views, library_views, switch_views, views
from rooftree.web.wording.version_actions import VersionKind, version_paths

VERSIONS = VersionKind(name="sequence", get_version=views.get_version, publish=sequence_approval)
urlpatterns: list[URLPattern] = [
    path("sequences/", views.list_sequences, name="sequences"),
    path("sequences/new/", editor_views.create_sequence, name="sequence_new"),
    path("sequences/library/", library_views.show_library, name="sequence_library"),
    path("sequences/calendar/", calendar_views.show_calendar, name="sequence_calendar"),
    path(
        "sequences/editions/<uuid:edition_id>/",
        views.show_sequence_version,
        name="sequence_edition",
    ),
    path(
        "sequences/editions/<uuid:edition_id>/people/",
        switch_views.move_people,
        name="sequence_people",
    ),
    *version_paths("sequences/editions/", VERSIONS),
    path("sequences/<slug:key>/", editor_views.edit_sequence, name="sequence"),
    path("sequences/<slug:key>/proposal/", editor_views.propose_sequence, name="sequence_proposal"),
    path("sequences/<slug:key>/draft/", editor_views.discard_draft, name="sequence_draft"),
    path("sequences/<slug:key>/preview/", editor_views.preview_sequence, name="sequence_preview"),
    path("sequences/<slug:key>/switch/", switch_views.switch_sequence, name="sequence_switch"),
]
