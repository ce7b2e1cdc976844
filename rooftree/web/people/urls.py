"""URL of the people list."""

from django.urls import URLPattern, path

from rooftree.web.people import views

urlpatterns: list[URLPattern] = [
    path("people/", views.list_people, name="people"),
]
