"""The tables of rates, for retention; a lead whose rate is watched is in use."""

from rooftree.db.record_sets import LEAD_FILE_CLASS, RATES_CLASS, RecordSetPart, RoomRecords

RECORDS = RoomRecords(
    tables_by_class={LEAD_FILE_CLASS: ("rate_watch",), RATES_CLASS: ("rate_observation",)},
    parts=(
        RecordSetPart(
            record_set="lead",
            pauses=(
                (
                    LEAD_FILE_CLASS,
                    "exists (select from rate_watch w "
                    "where w.lead_id = r.id and w.ended_at is null)",
                ),
            ),
            removal_statements=("delete from rate_watch where lead_id = any(%(ids)s)",),
        ),
    ),
)
