"""URLs of saved views and of actions on several leads."""

from django.urls import URLPattern, path

from rooftree.web.lists import bulk_views, saved_view_views

urlpatterns: list[URLPattern] = [
    path("bulk-actions/reassign/", bulk_views.reassign_leads, name="bulk_reassign"),
    path("bulk-actions/snooze/", bulk_views.snooze_leads, name="bulk_snooze"),
    path("bulk-actions/tag/", bulk_views.tag_leads, name="bulk_tag"),
    path("bulk-actions/sequence/", bulk_views.enroll_leads, name="bulk_enroll"),
    path("bulk-actions/rate-watch/", bulk_views.watch_rates, name="bulk_watch"),
    path("bulk-actions/<uuid:action_id>/", bulk_views.show_action, name="bulk_action"),
    path("bulk-actions/<uuid:action_id>/undo/", bulk_views.undo_action, name="bulk_undo"),
    path("views/", saved_view_views.save_view, name="save_view"),
    path("views/<uuid:view_id>/removal/", saved_view_views.delete_view, name="delete_view"),
]
