"""The tables of routing, for retention; a decision's inputs go with their lead."""

from rooftree.db.record_sets import LEAD_FILE_CLASS, STAFF_CLASS, RecordSetPart, RoomRecords

RECORDS = RoomRecords(
    tables_by_class={
        LEAD_FILE_CLASS: ("offer", "ownership", "routing_decision", "promise", "bulk_change"),
        STAFF_CLASS: ("turn", "roster", "time_off", "saved_view", "bulk_action"),
    },
    tables_about_nobody=("rule_set",),
    parts=(
        RecordSetPart(
            record_set="lead",
            removal_statements=(
                "update routing_decision set inputs = '{}' where lead_id = any(%(ids)s)",
                "delete from bulk_change where lead_id = any(%(ids)s)",
            ),
        ),
    ),
)
