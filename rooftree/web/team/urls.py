"""URLs of the team board."""

from django.urls import URLPattern, path

from rooftree.web.team import views

urlpatterns: list[URLPattern] = [
    path("team/", views.show_team, name="team"),
    path("leads/<uuid:lead_id>/ownership/", views.reassign_lead, name="ownership"),
]
