"""URLs of campaigns."""

from django.urls import URLPattern, path

from rooftree.web.campaigns import views

urlpatterns: list[URLPattern] = [
    path("compliance/releases/", views.list_campaigns, name="releases"),
    path("compliance/releases/new/", views.create_campaign, name="release_new"),
    path("compliance/releases/<uuid:release_id>/", views.show_campaign, name="release"),
    path(
        "compliance/releases/<uuid:release_id>/<slug:action>/",
        views.apply_campaign_action,
        name="release_act",
    ),
    path("compliance/stop/", views.stop_everything, name="stop_everything"),
]
