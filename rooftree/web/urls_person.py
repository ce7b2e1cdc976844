"""The addresses of whose a lead is: one person of two records, and two of one."""

from django.urls import path

from rooftree.web.views import matches, person

urlpatterns = [
    path("leads/<uuid:lead_id>/person/", person.show, name="person"),
    path("leads/<uuid:lead_id>/person/merges/", person.merges, name="person_merges"),
    path("leads/<uuid:lead_id>/person/splits/", person.splits, name="person_splits"),
    path("matches/", matches.index, name="matches"),
    path("matches/<uuid:likeness_id>/decision/", matches.decide, name="match_decision"),
]
