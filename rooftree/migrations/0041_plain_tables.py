"""Name tables after their models, and constraints and indexes after their tables and columns.

No row is rewritten. Afterwards a database that came through the earlier migrations is the one that
`0041_squashed` creates, except for its rows.
"""

from django.db import migrations

TABLES = {  # model: old name, new name
    "crmimport": ("transfer", "crm_import"),
    "dncfolderfile": ("dnc_found", "dnc_folder_file"),
    "enrollment": ("enrolment", "enrollment"),
    "exportrequest": ("export_ask", "export_request"),
    "fairlendingreport": ("fair_report", "fair_lending_report"),
    "importedactivity": ("past_entry", "imported_activity"),
    "minorityshare": ("place_share", "minority_share"),
    "minoritysharefile": ("place_file", "minority_share_file"),
    "placedbid": ("bid", "placed_bid"),
    "possibleduplicate": ("likeness", "possible_duplicate"),
    "ratelimitcount": ("flood", "rate_limit_count"),
    "rejectioncount": ("rejection", "rejection_count"),
    "rollupdelta": ("delta", "rollup_delta"),
}
CONSTRAINTS = {  # table: old name, new name
    "claim": {
        "claim_asked_by_id_a7319ccb_fk_user_id": "claim_requested_by_id_f563339f_fk_user_id",
    },
    "crm_import": {
        "transfer_attempts_check": "crm_import_attempts_check",
        "transfer_pages_check": "crm_import_pages_check",
        "transfer_sheet_id_615f7da6_fk_spreadsheet_id": "crm_import_sheet_id_190281f0_fk_spreadsheet_id",
    },
    "dnc_folder_file": {
        "dnc_found_file_id_5b4c1c50_fk_dnc_file_id": "dnc_folder_file_file_id_d6007784_fk_dnc_file_id",
    },
    "enrollment": {
        "enrolment_lead_id_5e27a691_fk_lead_id": "enrollment_lead_id_0fb8a7f2_fk_lead_id",
        "enrolment_next_step_check": "enrollment_next_step_check",
        "enrolment_sequence_id_f587263a_fk_sequence_id": "enrollment_sequence_id_ed7a6e49_fk_sequence_id",
    },
    "export_request": {
        "export_ask_asked_by_id_41cf8951_fk_user_id": "export_request_requested_by_id_adf248d4_fk_user_id",
        "export_ask_decided_by_id_c9bd3757_fk_user_id": "export_request_decided_by_id_c60944f2_fk_user_id",
        "export_ask_number_check": "export_request_number_check",
    },
    "fair_lending_report": {
        "fair_report_places_id_8f9aa10c_fk_place_file_id": "fair_lending_report_places_id_c65e05e1_fk_minority_",
    },
    "handoff": {
        "handoff_asked_by_id_810059c4_fk_user_id": "handoff_requested_by_id_737dd070_fk_user_id",
    },
    "imported_activity": {
        "past_entry_lead_id_a464c9f8_fk_lead_id": "imported_activity_lead_id_00de907e_fk_lead_id",
        "past_entry_sheet_id_4c102570_fk_spreadsheet_id": "imported_activity_sheet_id_59e194cf_fk_spreadsheet_id",
        "past_entry_source_id_1db4f47a_fk_source_id": "imported_activity_source_id_35e20176_fk_source_id",
    },
    "loan_change": {
        "loan_change_asked_by_id_2eb3d880_fk_user_id": "loan_change_requested_by_id_f722bf0f_fk_user_id",
    },
    "minority_share": {
        "place_share_file_id_091e8a2a_fk_place_file_id": "minority_share_file_id_cbeb3bdb_fk_minority_share_file_id",
    },
    "minority_share_file": {
        "place_file_loaded_by_id_5982f962_fk_user_id": "minority_share_file_loaded_by_id_16afab04_fk_user_id",
        "place_file_places_check": "minority_share_file_places_check",
    },
    "person_merge": {
        "person_merge_gone_id_4d390a2f_fk_person_id": "person_merge_merged_id_19a4126b_fk_person_id",
        "person_merge_kept_id_d5a2ee9c_fk_person_id": "person_merge_survivor_id_64dd3312_fk_person_id",
    },
    "placed_bid": {
        "bid_cents_check": "placed_bid_cents_check",
        "bid_seconds_check": "placed_bid_seconds_check",
        "bid_source_id_8e3323fc_fk_source_id": "placed_bid_source_id_3092a404_fk_source_id",
    },
    "possible_duplicate": {
        "likeness_by_id_c9d47941_fk_user_id": "possible_duplicate_by_id_480db2a9_fk_user_id",
        "likeness_newer_id_16ce0169_fk_person_id": "possible_duplicate_newer_id_de2fd90d_fk_person_id",
        "likeness_older_id_6c0c5e52_fk_person_id": "possible_duplicate_older_id_62b68593_fk_person_id",
    },
    "purge": {
        "purge_asked_by_id_81220ce3_fk_user_id": "purge_requested_by_id_3c9654cb_fk_user_id",
    },
    "purge_row": {
        "purge_row_nth_check": "purge_row_position_check",
    },
    "rate_limit_count": {
        "flood_count_check": "rate_limit_count_count_check",
        "flood_source_id_83e6cf5b_fk_source_id": "rate_limit_count_source_id_436feab8_fk_source_id",
    },
    "rejection_count": {
        "rejection_count_check": "rejection_count_count_check",
    },
    "release": {
        "release_went_on_by_id_119fd892_fk_user_id": "release_resumed_by_id_a67f0e57_fk_user_id",
    },
    "rollup_delta": {
        "delta_branch_id_d30e5f55_fk_branch_id": "rollup_delta_branch_id_e4403bfb_fk_branch_id",
        "delta_source_id_d9e7a96f_fk_source_id": "rollup_delta_source_id_e475c9b2_fk_source_id",
    },
    "spreadsheet_part": {
        "spreadsheet_part_nth_check": "spreadsheet_part_position_check",
    },
}
INDEXES = [  # old name, new name
    ("claim_asked_by_id_a7319ccb", "claim_requested_by_id_f563339f"),
    ("consent_cause_85b307a4_like", "consent_idempotency_key_865afaeb_like"),
    ("consent_cause_key", "consent_idempotency_key_key"),
    ("contact_attempt_cause_cba7fcd2_like", "contact_attempt_idempotency_key_93646302_like"),
    ("contact_attempt_cause_key", "contact_attempt_idempotency_key_key"),
    ("credit_clock_cause_3323c685_like", "credit_clock_idempotency_key_d158c49d_like"),
    ("credit_clock_cause_key", "credit_clock_idempotency_key_key"),
    ("transfer_pkey", "crm_import_pkey"),
    ("dnc_found_file_id_5b4c1c50", "dnc_folder_file_file_id_d6007784"),
    ("dnc_found_path_406d9b15_like", "dnc_folder_file_path_5b58832a_like"),
    ("dnc_found_pkey", "dnc_folder_file_pkey"),
    ("enrolment_lead_id_5e27a691", "enrollment_lead_id_0fb8a7f2"),
    ("enrolment_pkey", "enrollment_pkey"),
    ("enrolment_sequence_id_f587263a", "enrollment_sequence_id_ed7a6e49"),
    ("export_ask_asked_by_id_41cf8951", "export_request_requested_by_id_adf248d4"),
    ("export_ask_decided_by_id_c9bd3757", "export_request_decided_by_id_c60944f2"),
    ("export_ask_pkey", "export_request_pkey"),
    ("fair_report_pkey", "fair_lending_report_pkey"),
    ("fair_report_places_id_8f9aa10c", "fair_lending_report_places_id_c65e05e1"),
    ("finding_cause_7586499a_like", "finding_idempotency_key_5e5d40e6_like"),
    ("finding_cause_key", "finding_idempotency_key_key"),
    ("handoff_asked_by_id_810059c4", "handoff_requested_by_id_737dd070"),
    ("past_entry_pkey", "imported_activity_pkey"),
    ("past_entry_sheet_id_4c102570", "imported_activity_sheet_id_59e194cf"),
    ("loan_change_asked_by_id_2eb3d880", "loan_change_requested_by_id_f722bf0f"),
    ("place_share_file_id_091e8a2a", "minority_share_file_id_cbeb3bdb"),
    ("place_share_pkey", "minority_share_pkey"),
    ("place_file_loaded_by_id_5982f962", "minority_share_file_loaded_by_id_16afab04"),
    ("place_file_pkey", "minority_share_file_pkey"),
    ("place_file_sha256_709f9037_like", "minority_share_file_sha256_8e52f393_like"),
    ("place_file_sha256_key", "minority_share_file_sha256_key"),
    ("money_entry_cause_f76d6e93_like", "money_entry_idempotency_key_542534ec_like"),
    ("money_entry_cause_key", "money_entry_idempotency_key_key"),
    ("person_merge_gone_id_4d390a2f", "person_merge_merged_id_19a4126b"),
    ("person_merge_kept_id_d5a2ee9c", "person_merge_survivor_id_64dd3312"),
    ("bid_pkey", "placed_bid_pkey"),
    ("bid_source_id_8e3323fc", "placed_bid_source_id_3092a404"),
    ("likeness_by_id_c9d47941", "possible_duplicate_by_id_480db2a9"),
    ("likeness_newer_id_16ce0169", "possible_duplicate_newer_id_de2fd90d"),
    ("likeness_older_id_6c0c5e52", "possible_duplicate_older_id_62b68593"),
    ("likeness_pkey", "possible_duplicate_pkey"),
    ("purge_asked_by_id_81220ce3", "purge_requested_by_id_3c9654cb"),
    ("flood_pkey", "rate_limit_count_pkey"),
    ("flood_source_id_83e6cf5b", "rate_limit_count_source_id_436feab8"),
    ("rejection_pkey", "rejection_count_pkey"),
    ("release_went_on_by_id_119fd892", "release_resumed_by_id_a67f0e57"),
    ("revocation_cause_6403fd1f_like", "revocation_idempotency_key_ece20844_like"),
    ("revocation_cause_key", "revocation_idempotency_key_key"),
    ("delta_branch_id_d30e5f55", "rollup_delta_branch_id_e4403bfb"),
    ("delta_cause_8a185476_like", "rollup_delta_idempotency_key_9dc7bfe3_like"),
    ("delta_cause_key", "rollup_delta_idempotency_key_key"),
    ("delta_pkey", "rollup_delta_pkey"),
    ("delta_source_id_d9e7a96f", "rollup_delta_source_id_e475c9b2"),
    ("sequence_published_by_id_9d4eb1f9", "sequence_decided_by_id_ac67a05b"),
    ("signal_cause_fc783efb_like", "signal_idempotency_key_4fcd0088_like"),
    ("signal_cause_key", "signal_idempotency_key_key"),
    ("task_cause_de7f3ae7_like", "task_idempotency_key_fc98dc94_like"),
    ("task_cause_key", "task_idempotency_key_key"),
    ("template_approved_by_id_7a7d7935", "template_decided_by_id_096ba1e8"),
]
# PostgreSQL 18 names these constraints, and they keep the former names of tables and columns.
NOT_NULL = """
do $$
declare
    item record;
begin
    for item in
        select * from (
            select c.conrelid::regclass as relation, c.conname as old_name,
                   t.relname || '_' || a.attname || '_not_null'
                       -- `minority_share.file_id` has the name without a number.
                       || case when (t.relname, a.attname) = ('minority_share_file', 'id')
                               then '1' else '' end as new_name
              from pg_constraint c
              join pg_class t on t.oid = c.conrelid
              join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
             where c.contype = 'n' and t.relnamespace = 'public'::regnamespace
        ) names where old_name <> new_name order by new_name
    loop
        execute format('alter table %s rename constraint %I to %I',
                       item.relation, item.old_name, item.new_name);
    end loop;
end $$
"""
# Their conditions name columns in another order than the models since the columns were renamed.
CONDITIONS = """
alter table credit_clock
    drop constraint clock_closed_with_a_reason,
    add constraint clock_closed_with_a_reason check (
        (alarm_at is not null and closed_at is null and outcome = '')
        or (alarm_at is null and closed_at is not null and not (outcome = '')));
alter table number_question
    drop constraint question_open_or_answered,
    add constraint question_open_or_answered check (
        (answer is null and answered_at is null and due_at is not null)
        or (answer is not null and answered_at is not null and due_at is null));
alter table offer
    drop constraint offer_ends_one_way,
    add constraint offer_ends_one_way check (
        (accepted_at is null and declined_at is null)
        or (accepted_at is null and expired_at is null)
        or (declined_at is null and expired_at is null));
drop index export_open, offer_live_due, one_live_offer_a_lead, one_purge_of_the_schedule;
create index export_open on export_request (requested_by_id, subject)
    where downloaded_at is null and not is_refused;
create index offer_live_due on offer (due_at)
    where accepted_at is null and declined_at is null and expired_at is null;
create unique index one_live_offer_a_lead on offer (lead_id)
    where accepted_at is null and declined_at is null and expired_at is null;
create unique index one_purge_of_the_schedule on purge (reason)
    where ended_at is null and reason = 'schedule';
"""


class StateChange(migrations.SeparateDatabaseAndState):
    """Change the state of all models at once: it is rendered afterwards, not after each change."""

    def state_forwards(self, app_label, state):
        state.__dict__.pop("apps", None)
        super().state_forwards(app_label, state)


def rename_sql():
    for old, new in TABLES.values():
        yield f'alter table "{old}" rename to "{new}"'
    for table, names in CONSTRAINTS.items():
        for old, new in names.items():
            yield f'alter table "{table}" rename constraint "{old}" to "{new}"'
    for old, new in INDEXES:
        yield f'alter index "{old}" rename to "{new}"'
    yield (
        "alter trigger fair_report_append_only on fair_lending_report"
        " rename to fair_lending_report_append_only"
    )


class Migration(migrations.Migration):
    dependencies = [("rooftree", "0040_plain_names")]

    operations = [
        StateChange(
            database_operations=[migrations.RunSQL([*rename_sql(), NOT_NULL, CONDITIONS])],
            state_operations=[
                migrations.AlterModelTable(model, table) for model, (_, table) in TABLES.items()
            ],
        ),
    ]
