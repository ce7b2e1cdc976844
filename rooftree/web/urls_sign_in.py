"""The addresses of signing in, of one's own sign-in, and of watching over it."""

from django.urls import URLPattern, path

from rooftree.web.views import (
    controls,
    exports,
    password_reset,
    security,
    security_factors,
    setup_access,
    sign_in,
)

urlpatterns: list[URLPattern] = [
    path("sign-in/", sign_in.SignIn.as_view(), name="sign_in"),
    path("sign-in/second/", sign_in.second_step, name="second_factor"),
    path("sign-in/passkey/", sign_in.passkey, name="passkey_sign_in"),
    path("sign-in/again/", sign_in.again, name="prove_again"),
    path("sign-out/", sign_in.SignOut.as_view(), name="sign_out"),
    path("password-reset/", password_reset.show, name="password_reset"),
    # One's own.
    path("me/sign-in/", security.show, name="security"),
    path("me/sign-in/password/", security.password, name="security_password"),
    path("me/sign-in/app/", security_factors.app, name="security_app"),
    path("me/sign-in/app/removal/", security_factors.app_removal, name="security_app_removal"),
    path("me/sign-in/codes/", security_factors.codes, name="security_codes"),
    path("me/sign-in/passkeys/", security_factors.keys, name="security_keys"),
    path("me/sign-in/passkeys/<int:key_id>/", security_factors.key_name, name="security_key"),
    path(
        "me/sign-in/passkeys/<int:key_id>/removal/",
        security_factors.key_removal,
        name="security_key_removal",
    ),
    path("me/sign-in/sessions/end/", security.sessions_end, name="security_sessions_end"),
    path("me/sign-in/sessions/<slug:name>/end/", security.session_end, name="security_session_end"),
    # Watching over it.
    path("access-log/", setup_access.log, name="access_log"),
    path("controls/", controls.show, name="controls"),
    path("controls/export/", controls.export, name="controls_export"),
    path("controls/access-review/", controls.review, name="access_review"),
    path("controls/records/", controls.records, name="assurances"),
    path("controls/incidents/", controls.incident_list, name="incidents"),
    path("controls/incidents/<uuid:incident_id>/", controls.incident, name="incident"),
    path("setup/api-keys/", setup_access.keys, name="api_keys"),
    path(
        "setup/api-keys/<uuid:key_id>/revocation/",
        setup_access.key_revocation,
        name="api_key_revocation",
    ),
    path(
        "setup/people/<uuid:user_id>/second-factors/",
        setup_access.person_factors,
        name="setup_person_factors",
    ),
    path(
        "setup/people/<uuid:user_id>/sessions/",
        setup_access.person_sessions,
        name="setup_person_sessions",
    ),
    # Taking people's data out, with a reason.
    path("home/records/<slug:number>/export/", exports.records, name="records_export"),
    path("pipeline/export/", exports.pipeline, name="pipeline_export"),
]
