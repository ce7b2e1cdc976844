"""URLs of the lender's own form and unsubscribe links."""

from django.urls import URLPattern, path

from rooftree.web.lead_form import draft_views, unsubscribe_views, views

urlpatterns: list[URLPattern] = [
    path("forms/<slug:slug>/", views.show_lead_form, name="lead_form"),
    path("forms/<slug:slug>/draft/", draft_views.save_form_draft, name="lead_form_draft"),
    path("forms/<slug:slug>/thanks/", views.show_thanks, name="lead_form_thanks"),
    path("forms/<slug:slug>/thanks/<slug:reference>/", views.show_thanks, name="lead_form_thanks"),
    path("forms/<slug:slug>/embed.js", views.serve_embed_script, name="lead_form_embed"),
    path("unsubscribe/<str:token>/", unsubscribe_views.unsubscribe_email, name="unsubscribe"),
]
