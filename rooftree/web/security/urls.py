"""URLs of a person's own sign-in, the audit log, API keys and controls."""

from django.urls import URLPattern, path

from rooftree.web.security import access_admin_views, control_views, second_factor_views, views

urlpatterns: list[URLPattern] = [
    path("me/sign-in/", views.show_security, name="security"),
    path("me/sign-in/password/", views.change_password, name="security_password"),
    path("me/sign-in/app/", second_factor_views.set_up_app, name="security_app"),
    path("me/sign-in/app/removal/", second_factor_views.remove_app, name="security_app_removal"),
    path("me/sign-in/codes/", second_factor_views.renew_recovery_codes, name="security_codes"),
    path("me/sign-in/passkeys/", second_factor_views.add_passkey, name="security_keys"),
    path(
        "me/sign-in/passkeys/<int:key_id>/",
        second_factor_views.rename_own_passkey,
        name="security_key",
    ),
    path(
        "me/sign-in/passkeys/<int:key_id>/removal/",
        second_factor_views.remove_passkey,
        name="security_key_removal",
    ),
    path("me/sign-in/sessions/end/", views.end_other_sessions, name="security_sessions_end"),
    path("me/sign-in/sessions/<slug:name>/end/", views.end_session, name="security_session_end"),
    path("access-log/", access_admin_views.show_access_log, name="access_log"),
    path("controls/", control_views.list_controls, name="controls"),
    path("controls/export/", control_views.export_controls, name="controls_export"),
    path("controls/access-review/", control_views.review_access, name="access_review"),
    path("controls/records/", control_views.list_records, name="assurances"),
    path("controls/incidents/", control_views.list_incidents, name="incidents"),
    path("controls/incidents/<uuid:incident_id>/", control_views.update_incident, name="incident"),
    path("setup/api-keys/", access_admin_views.list_api_keys, name="api_keys"),
    path(
        "setup/api-keys/<uuid:key_id>/revocation/",
        access_admin_views.revoke_api_key,
        name="api_key_revocation",
    ),
    path(
        "setup/people/<uuid:user_id>/second-factors/",
        access_admin_views.reset_second_factors,
        name="setup_person_factors",
    ),
    path(
        "setup/people/<uuid:user_id>/sessions/",
        access_admin_views.end_user_sessions,
        name="setup_person_sessions",
    ),
]
