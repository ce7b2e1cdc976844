"""URLs of the team board, the officers' pages and reassigning."""

from django.urls import URLPattern, path

from rooftree.web.team import officer_views, promise_views, time_off_views, views

urlpatterns: list[URLPattern] = [
    path("team/", views.show_team, name="team"),
    path("team/promises/", promise_views.list_promises, name="team_promises"),
    path("team/first-calls/", promise_views.list_first_calls, name="team_first_calls"),
    path(
        "team/call-hours/<uuid:task_id>/approval/",
        views.approve_call_hour,
        name="call_hour_approval",
    ),
    path("team/holidays/", time_off_views.list_holidays, name="team_holidays"),
    path(
        "team/time-off/<uuid:time_off_id>/cancellation/",
        time_off_views.cancel_time_off,
        name="time_off_cancellation",
    ),
    path("team/<uuid:officer_id>/", officer_views.show_officer, name="team_officer"),
    path("team/<uuid:officer_id>/queue/", officer_views.show_queue, name="team_queue"),
    path("team/<uuid:officer_id>/leads/", officer_views.list_leads, name="team_leads"),
    path("team/<uuid:officer_id>/pause/", time_off_views.pause_officer, name="officer_pause"),
    path("team/<uuid:officer_id>/resume/", time_off_views.resume_officer, name="officer_resume"),
    path("team/<uuid:officer_id>/time-off/", time_off_views.add_time_off, name="officer_time_off"),
    path("leads/<uuid:lead_id>/reassignment/", views.choose_owner, name="reassignment"),
    path("leads/<uuid:lead_id>/ownership/", views.reassign_lead, name="ownership"),
]
