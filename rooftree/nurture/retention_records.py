"""The tables of sequences, for retention; a lead in a sequence is in use."""

from rooftree.db.record_sets import ADS_CLASS, LEAD_FILE_CLASS, RecordSetPart, RoomRecords

RECORDS = RoomRecords(
    tables_by_class={
        LEAD_FILE_CLASS: ("enrollment", "enrollment_step"),
        ADS_CLASS: ("sequence", "sequence_switch", "sequence_draft"),
    },
    parts=(
        RecordSetPart(
            record_set="lead",
            pauses=(
                (
                    LEAD_FILE_CLASS,
                    "exists (select from enrollment e "
                    "where e.lead_id = r.id and e.ended_at is null)",
                ),
            ),
            removal_statements=(
                """update enrollment set ended_at = %(at)s, due_at = null, end_reason = 'not kept'
                     where lead_id = any(%(ids)s) and ended_at is null""",
            ),
        ),
    ),
)
