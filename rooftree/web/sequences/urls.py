"""URLs of sequences."""

from django.urls import URLPattern, path

from rooftree.nurture import sequence_approval
from rooftree.web.sequences import views
from rooftree.web.wording.version_actions import VersionKind, version_paths

VERSIONS = VersionKind(name="sequence", get_version=views.get_version, publish=sequence_approval)
urlpatterns: list[URLPattern] = [
    path("sequences/", views.list_sequences, name="sequences"),
    path(
        "sequences/editions/<uuid:edition_id>/",
        views.show_sequence_version,
        name="sequence_edition",
    ),
    *version_paths("sequences/editions/", VERSIONS),
    path("sequences/<slug:key>/", views.edit_sequence, name="sequence"),
    path("sequences/<slug:key>/proposal/", views.propose_sequence, name="sequence_proposal"),
    path("sequences/<slug:key>/draft/", views.discard_draft, name="sequence_draft"),
]
