"""URLs of sequences."""

from django.urls import URLPattern, path

from rooftree.web.sequences import views

urlpatterns: list[URLPattern] = [
    path("sequences/", views.list_sequences, name="sequences"),
    path(
        "sequences/editions/<uuid:edition_id>/",
        views.show_sequence_version,
        name="sequence_edition",
    ),
    path(
        "sequences/editions/<uuid:edition_id>/<slug:action>/",
        views.apply_version_action,
        name="sequence_act",
    ),
    path("sequences/<slug:key>/", views.edit_sequence, name="sequence"),
    path("sequences/<slug:key>/proposal/", views.propose_sequence, name="sequence_proposal"),
    path("sequences/<slug:key>/draft/", views.discard_draft, name="sequence_draft"),
]
