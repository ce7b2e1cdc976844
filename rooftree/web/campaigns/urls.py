"""URLs of campaigns."""

from django.urls import URLPattern, path

from rooftree.web.campaigns import views

urlpatterns: list[URLPattern] = [
    path("compliance/releases/", views.list_campaigns, name="releases"),
    path("compliance/releases/new/", views.create_campaign, name="release_new"),
    path("compliance/releases/<uuid:release_id>/", views.show_campaign, name="release"),
    path(
        "compliance/releases/<uuid:release_id>/request/",
        views.request_campaign_approval,
        name="request_campaign_approval",
    ),
    path(
        "compliance/releases/<uuid:release_id>/approval/",
        views.approve_campaign,
        name="approve_campaign",
    ),
    path(
        "compliance/releases/<uuid:release_id>/going-on/",
        views.continue_campaign,
        name="continue_campaign",
    ),
    path(
        "compliance/releases/<uuid:release_id>/discard/",
        views.discard_campaign,
        name="discard_campaign",
    ),
    path("compliance/releases/<uuid:release_id>/stop/", views.stop_campaign, name="stop_campaign"),
    path("compliance/stop/", views.stop_everything, name="stop_everything"),
]
