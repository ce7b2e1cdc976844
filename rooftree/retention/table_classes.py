"""The record class of each table; a table missing from both lists has none yet.

Each table about a person is in `CLASS_BY_TABLE`, once. A test compares the two lists with the
database.
"""

LEAD_FILE_CLASS = "glba_customer_information_disposal"
APPLICATION_CLASS = "application_and_notices_reg_b"
CONSENT_CLASS = "consent_record"
CALLS_CLASS = "call_detail_record"
MESSAGES_CLASS = "house_default_message_audit"
STOPS_CLASS = "internal_dnc_entry"
PARTNERS_CLASS = "msa_and_comarketing_files"
ACCESS_CLASS = "access_logs"
STAFF_CLASS = "house_staff_accounts"
PROOF_CLASS = "house_disposal_log"

_TABLES_BY_CLASS: dict[str, tuple[str, ...]] = {
    LEAD_FILE_CLASS: (
        *("lead", "touch", "person", "phone", "email", "person_merge", "likeness"),
        *("past_entry", "remark", "signal", "task", "score", "rate_watch", "enrolment"),
        *("offer", "ownership", "ring", "routing_decision", "claim", "claim_step", "status_line"),
        *("spreadsheet", "spreadsheet_part", "imported_row", "staff_notice"),
        # These have shorter periods of their own: days or minutes.
        *("form_draft", "bid", "sweep"),
    ),
    APPLICATION_CLASS: ("loan", "milestone", "handoff", "loan_change", "los_event", "credit_clock"),
    CONSENT_CLASS: (
        *("consent", "delivery", "delivery_key", "retrieval"),
        *("certificate", "form_certificate", "lead_basis"),
    ),
    CALLS_CLASS: ("contact_attempt", "call_recording"),
    MESSAGES_CLASS: (
        *("message", "message_review", "verdict", "unmatched_text"),
        *("release", "release_member"),
    ),
    STOPS_CLASS: ("revocation", "dnc_area", "dnc_block", "dnc_file", "dnc_found"),
    "dnc_scrub_log": ("number_question",),
    PARTNERS_CLASS: (
        "partner",
        "introduction",
        "partner_permission",
        "thing_of_value",
        "agreement",
    ),
    "lo_compensation": ("pay_plan",),
    ACCESS_CLASS: ("access_entry", "throttle", "api_key", "export_ask"),
    "california_ccpa_requests": ("privacy_request",),
    "mortgage_ads_reg_n": ("template", "sequence", "form_page", "source_terms"),
    "reg_z_ads_and_general": ("rate_observation",),
    STAFF_CLASS: (
        *("user", "loan_officer", "license", "assistance", "turn", "roster"),
        *("staff_session", "django_session", "mfa_authenticator"),
        *("account_emailaddress", "account_emailconfirmation"),
    ),
    PROOF_CLASS: (
        *("event", "published_head", "signing_key", "assurance", "incident", "finding"),
        *("legal_hold", "purge", "purge_row"),
    ),
}
CLASS_BY_TABLE = {table: key for key, tables in _TABLES_BY_CLASS.items() for table in tables}

# Settings, sums and counts.
TABLES_ABOUT_NOBODY = frozenset(
    {
        *("branch", "company", "company_license", "sending_pause"),
        *("source", "campaign", "baseline", "map_edition", "rejection", "flood"),
        *("mailbox", "transfer", "certificate_account", "los_connection", "contract", "rule_set"),
        "rule_change",
        *("money_entry", "return_file", "status_file", "number_service"),
        *("rollup", "month_rollup", "delta", "fair_report", "place_file", "place_share"),
        *("auth_group", "auth_permission", "django_content_type"),
    }
)
