"""The addresses of what borrowers are sent: wording and sequences, in editions."""

from django.urls import path

from rooftree.web.views import sequences, wording, wording_editor

PLACE = "wording/<slug:key>/<slug:medium>/<slug:loan>/<slug:hours>/"

urlpatterns = [
    path("wording/", wording.index, name="wording"),
    path("wording/new/", wording.new, name="wording_new"),
    path("wording/editions/<uuid:edition_id>/", wording.edition, name="wording_edition"),
    path("wording/editions/<uuid:edition_id>/<slug:what>/", wording.act, name="wording_act"),
    path(PLACE, wording_editor.place, name="wording_place"),
    path(f"{PLACE}reading/", wording_editor.reading, name="wording_reading"),
    path(f"{PLACE}proposal/", wording_editor.proposal, name="wording_proposal"),
    path(f"{PLACE}draft/", wording_editor.drop, name="wording_draft"),
    path("sequences/", sequences.index, name="sequences"),
    path("sequences/editions/<uuid:edition_id>/", sequences.edition, name="sequence_edition"),
    path("sequences/editions/<uuid:edition_id>/<slug:what>/", sequences.act, name="sequence_act"),
    path("sequences/<slug:key>/", sequences.editor, name="sequence"),
    path("sequences/<slug:key>/proposal/", sequences.proposal, name="sequence_proposal"),
    path("sequences/<slug:key>/draft/", sequences.drop, name="sequence_draft"),
]
