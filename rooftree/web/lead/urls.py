"""URLs of one lead and its borrower."""

from django.urls import URLPattern, path

from rooftree.web.lead import (
    action_views,
    application_views,
    call_views,
    contact_permission_views,
    duplicate_views,
    handoff_views,
    message_views,
    new_lead_views,
    next_step_views,
    person_views,
    scenario_views,
    sequence_card,
    undo_views,
    views,
)

urlpatterns: list[URLPattern] = [
    path("leads/new/", new_lead_views.add_lead, name="new_lead"),
    path("leads/<uuid:lead_id>/", views.show_lead, name="lead"),
    path(
        "leads/<uuid:lead_id>/may/<slug:medium>/",
        contact_permission_views.show_contact_permission,
        name="badge",
    ),
    path("leads/<uuid:lead_id>/sequence/", sequence_card.change_sequence, name="lead_sequence"),
    path("leads/<uuid:lead_id>/scenario/", scenario_views.show_scenario, name="scenario"),
    path(
        "leads/<uuid:lead_id>/scenario/<slug:field>/",
        scenario_views.edit_field,
        name="scenario_field",
    ),
    path(
        "leads/<uuid:lead_id>/scenario/<slug:field>/shown/",
        scenario_views.show_field,
        name="scenario_cell",
    ),
    path("leads/<uuid:lead_id>/contact/", scenario_views.edit_contact, name="edit_contact"),
    path("leads/<uuid:lead_id>/co-borrower/", scenario_views.edit_co_borrower, name="co_borrower"),
    path("leads/<uuid:lead_id>/reopening/", scenario_views.reopen_lead, name="reopening"),
    path(
        "leads/<uuid:lead_id>/may/<slug:medium>/override/",
        contact_permission_views.override_limits,
        name="limit_override",
    ),
    path("leads/<uuid:lead_id>/calls/", call_views.call_borrower, name="calls"),
    path("leads/<uuid:lead_id>/attempts/", action_views.record_attempt, name="attempts"),
    path("undo/<uuid:act_id>/", undo_views.undo_act, name="undo"),
    path(
        "leads/<uuid:lead_id>/recording/objection/",
        action_views.stop_recording,
        name="recording_objection",
    ),
    path("leads/<uuid:lead_id>/messages/", message_views.write_message, name="messages"),
    path("leads/<uuid:lead_id>/draft/", message_views.save_draft, name="message_draft"),
    path("leads/<uuid:lead_id>/remarks/", action_views.add_note, name="remarks"),
    path("leads/<uuid:lead_id>/tasks/", next_step_views.add_task, name="tasks"),
    path("leads/<uuid:lead_id>/nurture/", next_step_views.nurture_lead, name="nurture"),
    path("leads/<uuid:lead_id>/snooze/", next_step_views.snooze_lead, name="snooze"),
    path("leads/<uuid:lead_id>/watches/", action_views.add_rate_watch, name="watches"),
    path(
        "leads/<uuid:lead_id>/watches/<uuid:watch_id>/end/",
        action_views.end_rate_watch,
        name="watch_end",
    ),
    path("leads/<uuid:lead_id>/hand-off/", handoff_views.hand_off_lead, name="handoff"),
    path(
        "leads/<uuid:lead_id>/hand-off/outcome/",
        handoff_views.settle_handoff,
        name="settle_handoff",
    ),
    path(
        "leads/<uuid:lead_id>/hand-off/facts/",
        handoff_views.save_handoff_facts,
        name="handoff_facts",
    ),
    path("leads/<uuid:lead_id>/appointment/", next_step_views.book_appointment, name="appointment"),
    path(
        "leads/<uuid:lead_id>/appointment/end/",
        next_step_views.end_appointment,
        name="appointment_end",
    ),
    path("tasks/<uuid:task_id>/completion/", next_step_views.complete_task, name="completion"),
    path("tasks/<uuid:task_id>/reopening/", undo_views.reopen_task, name="task_reopening"),
    path("tasks/<uuid:task_id>/due/", next_step_views.move_task, name="task_due"),
    path("leads/<uuid:lead_id>/person/", person_views.show_person, name="person"),
    path("leads/<uuid:lead_id>/person/merges/", person_views.merge_person, name="person_merges"),
    path("leads/<uuid:lead_id>/person/splits/", person_views.split_person, name="person_splits"),
    path("matches/", duplicate_views.list_duplicates, name="matches"),
    path(
        "matches/<uuid:likeness_id>/decision/",
        duplicate_views.decide_duplicate,
        name="match_decision",
    ),
    path(
        "leads/<uuid:lead_id>/application/", application_views.show_application, name="application"
    ),
    path("leads/<uuid:lead_id>/basis/", application_views.record_basis, name="lead_basis"),
]
