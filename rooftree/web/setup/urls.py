"""URLs of setup."""

from django.urls import URLPattern, path

from rooftree.web.setup import (
    branch_views,
    consent_certificate_views,
    departure_views,
    failed_job_views,
    license_views,
    los_connection_views,
    mail_views,
    mailbox_views,
    number_check_views,
    people_views,
    sending_pause_views,
    views,
)

urlpatterns: list[URLPattern] = [
    path("setup/", views.show_setup, name="setup"),
    path("setup/company/", views.edit_company, name="setup_company"),
    path("setup/branches/", branch_views.list_branches, name="setup_branches"),
    path("setup/branches/<uuid:branch_id>/", branch_views.edit_branch, name="setup_branch"),
    path("setup/people/", people_views.list_users, name="setup_people"),
    path("setup/people/<uuid:user_id>/", people_views.edit_user, name="setup_person"),
    path("setup/people/<uuid:user_id>/officer/", people_views.edit_officer, name="setup_officer"),
    path(
        "setup/people/<uuid:user_id>/departure/",
        departure_views.deactivate_user,
        name="setup_departure",
    ),
    path(
        "setup/people/<uuid:user_id>/password-link/",
        people_views.show_user_password_link,
        name="setup_password_link",
    ),
    path("setup/licenses/", license_views.list_licenses, name="setup_licenses"),
    path("setup/licenses/file/", license_views.import_license_file, name="setup_licenses_file"),
    path(
        "setup/licenses/<uuid:license_id>/",
        license_views.edit_officer_license,
        name="setup_license",
    ),
    path(
        "setup/company-licenses/<uuid:license_id>/",
        license_views.edit_company_license,
        name="setup_company_license",
    ),
    path("setup/mail/", mail_views.edit_mail_account, name="setup_mail"),
    path("setup/mail/check/", mail_views.check_mail_server, name="check_mail_server"),
    path("setup/mail/trial/", mail_views.send_test_email, name="send_test_email"),
    path("setup/mail/domain/", mail_views.look_up_mail_domain, name="look_up_mail_domain"),
    path("setup/mail/confirmation/", mail_views.confirm_mail_domain, name="confirm_mail_domain"),
    path("setup/mailboxes/", mailbox_views.list_mailboxes, name="setup_mailboxes"),
    path("setup/mailboxes/<uuid:mailbox_id>/", mailbox_views.edit_mailbox, name="setup_mailbox"),
    path(
        "setup/mailboxes/<uuid:mailbox_id>/pause/",
        mailbox_views.switch_mailbox,
        name="setup_mailbox_pause",
    ),
    path("setup/number-checks/", number_check_views.edit_number_service, name="setup_numbers"),
    path(
        "setup/number-checks/trial/",
        number_check_views.check_number_service,
        name="check_number_service",
    ),
    path(
        "setup/number-checks/stop/",
        number_check_views.remove_number_service,
        name="remove_number_service",
    ),
    path(
        "setup/certificates/",
        consent_certificate_views.edit_certificate_account,
        name="setup_certificates",
    ),
    path("setup/los/", los_connection_views.list_connections, name="setup_los"),
    path(
        "setup/los/<uuid:connection_id>/",
        los_connection_views.edit_connection,
        name="setup_connection",
    ),
    path(
        "setup/los/<uuid:connection_id>/test/",
        los_connection_views.check_connection,
        name="check_connection",
    ),
    path(
        "setup/los/<uuid:connection_id>/subscription/",
        los_connection_views.subscribe_to_changes,
        name="subscribe_to_changes",
    ),
    path(
        "setup/los/<uuid:connection_id>/on/",
        los_connection_views.enable_connection,
        name="enable_connection",
    ),
    path(
        "setup/los/<uuid:connection_id>/off/",
        los_connection_views.disable_connection,
        name="disable_connection",
    ),
    path("setup/sending/", sending_pause_views.show_sending_pause, name="setup_sending"),
    path("setup/dead-letters/", failed_job_views.list_failed_jobs, name="dead_letters"),
    path(
        "setup/dead-letters/<int:job_id>/retry/",
        failed_job_views.retry_job,
        name="dead_letter_retry",
    ),
]
