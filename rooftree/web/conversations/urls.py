"""URLs of conversations."""

from django.urls import URLPattern, path

from rooftree.web.conversations import unmatched_text_views, views

urlpatterns: list[URLPattern] = [
    path("conversations/", views.list_conversations, name="conversations"),
    path("conversations/unknown/", unmatched_text_views.list_texts, name="unknown_texts"),
    path(
        "conversations/unknown/<uuid:text_id>/",
        unmatched_text_views.show_text,
        name="unknown_text",
    ),
    path(
        "conversations/unknown/<uuid:text_id>/leads/<uuid:lead_id>/",
        unmatched_text_views.attach_text,
        name="attach_unknown_text",
    ),
    path(
        "conversations/unknown/<uuid:text_id>/dismissal/",
        unmatched_text_views.dismiss_text,
        name="dismiss_unknown_text",
    ),
    path("conversations/<uuid:lead_id>/", views.show_conversation, name="conversation"),
]
