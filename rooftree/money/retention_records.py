"""The tables of money, for retention; returned leads lose their evidence with the lead."""

from rooftree.db.record_sets import LEAD_FILE_CLASS, RecordSetPart, RoomRecords

RECORDS = RoomRecords(
    tables_by_class={LEAD_FILE_CLASS: ("claim", "claim_step")},
    tables_about_nobody=(
        *("contract", "money_entry", "return_file"),
        *("source_price", "vendor_invoice"),
    ),
    parts=(
        RecordSetPart(
            record_set="lead",
            removal_statements=(
                """update claim set evidence = '[]', sentence = '' where touch_id in
                     (select id from touch where lead_id = any(%(ids)s))""",
                """update claim_step set note = '' where note <> '' and claim_id in
                     (select id from claim where touch_id in
                       (select id from touch where lead_id = any(%(ids)s)))""",
            ),
        ),
    ),
)
