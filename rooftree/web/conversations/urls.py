"""URLs of conversations."""

from django.urls import URLPattern, path

from rooftree.web.conversations import views

urlpatterns: list[URLPattern] = [
    path("conversations/", views.list_conversations, name="conversations"),
    path("conversations/<uuid:lead_id>/", views.show_conversation, name="conversation"),
]
