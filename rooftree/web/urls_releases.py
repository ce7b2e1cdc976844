"""The addresses of releases: acts that write to many people."""

from django.urls import path

from rooftree.web.views import releases

urlpatterns = [
    path("compliance/releases/", releases.index, name="releases"),
    path("compliance/releases/new/", releases.new, name="release_new"),
    path("compliance/releases/<uuid:release_id>/", releases.show, name="release"),
    path("compliance/releases/<uuid:release_id>/<slug:what>/", releases.act, name="release_act"),
    path("compliance/stop/", releases.stop_everything, name="stop_everything"),
]
