"""URLs that exist only in a demo: its sign-in and its loading progress."""

from django.urls import URLPattern, path

from rooftree.web.demo import demo_login, history_progress

urlpatterns: list[URLPattern] = [
    path("look-around/<uuid:user_id>/", demo_login.log_in_as_persona, name="look_around"),
    path("loading/", history_progress.show_progress, name="loading"),
]
