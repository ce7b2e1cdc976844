"""The table of scores, for retention; scores go with their lead."""

from rooftree.db.record_sets import LEAD_FILE_CLASS, RecordSetPart, RoomRecords

RECORDS = RoomRecords(
    tables_by_class={LEAD_FILE_CLASS: ("score",)},
    parts=(
        RecordSetPart(
            record_set="lead",
            removal_statements=("delete from score where lead_id = any(%(ids)s)",),
        ),
    ),
)
