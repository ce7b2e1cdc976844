"""URLs for webhooks of vendors and carriers."""

from django.urls import URLPattern, path

from rooftree.los.adapters import list_profiles
from rooftree.los.los_adapter import Updates
from rooftree.web.inbound import los_push_view, views

urlpatterns: list[URLPattern] = [
    path(
        "in/form/<slug:token>",
        views.receive_delivery,
        {"adapter": "website_form"},
        name="form_delivery",
    ),
    path("in/pingpost/<str:token>/<slug:step>", views.receive_delivery, {"adapter": "ping_post"}),
    path("in/twilio/text/", views.receive_text, name="text_in"),
    path("in/twilio/status/<uuid:message_id>/", views.update_text_status, name="text_status"),
    path("in/twilio/ring/<uuid:ring_id>/", views.on_officer_answered, name="ring_answered"),
    path("in/twilio/ring/<uuid:ring_id>/key/", views.on_officer_key_pressed, name="ring_key"),
    path("in/twilio/ring/<uuid:ring_id>/after/", views.on_borrower_leg_ended, name="ring_after"),
    path("in/twilio/ring/<uuid:ring_id>/status/", views.on_officer_call_status, name="ring_status"),
    path("in/twilio/call/", views.on_inbound_call, name="call_came"),
    path("in/twilio/call/status/", views.on_inbound_call_status, name="call_status"),
    path("in/twilio/trial/", views.on_trial_answered, name="trial_answered"),
    path("in/twilio/trial/status/", views.on_trial_status, name="trial_status"),
    path("in/twilio/call/after/", views.on_inbound_call_ended, name="call_over"),
    *(
        path(
            f"in/twilio/recording/<uuid:recording_id>/{step}/",
            views.on_recording_step,
            {"step": step},
        )
        for step in ("notice", "told", "officer", "status")
    ),
    path("in/mail/<str:secret>", views.receive_email, name="letter_in"),
    *(
        path(f"in/{profile.key}/<slug:slug>/", los_push_view.receive_los_push, {"los": profile.key})
        for profile in list_profiles()
        if profile.updates is not Updates.POLL
    ),
    path("in/<slug:adapter>/<str:token>", views.receive_delivery, name="vendor_delivery"),
]
