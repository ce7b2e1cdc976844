"""The tables of reports and evidence, for retention."""

from rooftree.db.record_sets import (
    ACCESS_CLASS,
    LEAD_FILE_CLASS,
    PROOF_CLASS,
    Clock,
    RecordSet,
    RoomRecords,
)

_EXPORT = RecordSet(
    name="export",
    table="export_request",
    created_column="requested_at",
    record_class=ACCESS_CLASS,
    clocks=(Clock(record_class=ACCESS_CLASS, starts_at="r.requested_at"),),
    people_sql="array[]::uuid[]",  # unknown: the people whose names were searched for
    removal_statements=("update export_request set query = '' where id = any(%(ids)s)",),
    remains_condition="r.query <> ''",
)

RECORDS = RoomRecords(
    tables_by_class={
        LEAD_FILE_CLASS: ("status_line", "shadow_result"),
        ACCESS_CLASS: ("export_request",),
        PROOF_CLASS: ("published_head", "signing_key", "assurance", "incident"),
    },
    tables_about_nobody=(
        *("rollup", "month_rollup", "rollup_delta", "status_file", "shadow_list"),
        *("fair_lending_report", "minority_share_file", "minority_share"),
    ),
    record_sets=(_EXPORT,),
)
