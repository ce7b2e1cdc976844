"""The tables of hand-offs, for retention; a lead that was handed off is kept as an application."""

from rooftree.db.record_sets import APPLICATION_CLASS, Clock, RecordSetPart, RoomRecords

_HANDED_OFF_AT = "(select max(h.requested_at) from handoff h where h.lead_id = r.id)"

RECORDS = RoomRecords(
    tables_by_class={APPLICATION_CLASS: ("handoff", "loan_change", "los_event")},
    tables_about_nobody=("los_connection",),
    parts=(
        RecordSetPart(
            record_set="lead",
            clocks=(
                Clock(
                    record_class=APPLICATION_CLASS,
                    starts_at=_HANDED_OFF_AT,
                    condition=f"{_HANDED_OFF_AT} is not null",
                ),
            ),
            removal_statements=(
                """delete from los_event where los_loan_id in
                     (select los_loan_id from loan where lead_id = any(%(ids)s))""",
                """update loan_change set record = '{}', changes = '{}', skipped = '{}',
                        problem = ''
                     where handoff_id in (select id from handoff where lead_id = any(%(ids)s))""",
                """update handoff set record = '{}', later_fields = '{}', problem = ''
                     where lead_id = any(%(ids)s)""",
            ),
        ),
    ),
)
