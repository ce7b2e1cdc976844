"""URLs of the loan officer's queue and tasks."""

from django.urls import URLPattern, path

from rooftree.web.queue import calendar_views, task_views, views

urlpatterns: list[URLPattern] = [
    path("queue/", views.show_queue, name="queue"),
    path("offers/", views.show_offers, name="offers"),
    path("offers/<uuid:offer_id>/acceptance/", views.accept_offer, name="acceptance"),
    path("offers/<uuid:offer_id>/refusal/", views.decline_offer, name="refusal"),
    path("offers/<uuid:offer_id>/refusal/undo/", views.undo_refusal, name="refusal_undo"),
    path("me/availability/", views.set_availability, name="availability"),
    path("tasks/", task_views.list_tasks, name="my_tasks"),
    path("me/calendar/", calendar_views.show_calendar, name="calendar"),
    path("me/calendar/address/", calendar_views.replace_address, name="calendar_address"),
    path("me/calendar/end/", calendar_views.turn_off, name="calendar_off"),
    path("calendar/<str:token>.ics", calendar_views.serve_feed, name="calendar_feed"),
]
