"""The tables of the company and its staff, for retention, with those of the sign-in library.

`leads` declares how staff notices and access entries are removed: they name leads.
"""

from rooftree.db.record_sets import ACCESS_CLASS, LEAD_FILE_CLASS, STAFF_CLASS, RoomRecords

RECORDS = RoomRecords(
    tables_by_class={
        LEAD_FILE_CLASS: ("staff_notice",),
        ACCESS_CLASS: ("access_entry", "throttle", "api_key"),
        STAFF_CLASS: (
            *("user", "loan_officer", "license", "assistance", "staff_session"),
            *("django_session", "mfa_authenticator"),
            *("account_emailaddress", "account_emailconfirmation"),
        ),
    },
    tables_about_nobody=(
        *("branch", "company", "company_license", "sending_pause", "setup_step"),
        "shadow_period",
        *("carrier_account", "mail_setup"),
        *("auth_group", "auth_permission", "django_content_type"),
    ),
)
