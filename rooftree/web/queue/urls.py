"""URLs of the loan officer's queue and tasks."""

from django.urls import URLPattern, path

from rooftree.web.queue import task_views, views

urlpatterns: list[URLPattern] = [
    path("queue/", views.show_queue, name="queue"),
    path("offers/", views.show_offers, name="offers"),
    path("offers/<uuid:offer_id>/acceptance/", views.accept_offer, name="acceptance"),
    path("offers/<uuid:offer_id>/refusal/", views.decline_offer, name="refusal"),
    path("me/availability/", views.set_availability, name="availability"),
    path("tasks/", task_views.list_tasks, name="my_tasks"),
]
