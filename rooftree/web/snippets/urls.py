"""URLs of snippets."""

from django.urls import URLPattern, path

from rooftree.web.snippets import views

urlpatterns: list[URLPattern] = [
    path("snippets/", views.list_snippets, name="snippets"),
    path("snippets/new/", views.create_snippet, name="snippet_new"),
    path("snippets/check/", views.check_snippet, name="snippet_check"),
    path("snippets/<uuid:snippet_id>/", views.edit_snippet, name="snippet"),
    path("snippets/<uuid:snippet_id>/archive/", views.archive_snippet, name="snippet_archive"),
]
