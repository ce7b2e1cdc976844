"""The record sets of all rooms, each joined with what the rooms above add, in removal order."""

from dataclasses import replace

from rooftree.capture.retention_records import RECORDS as CAPTURE_RECORDS
from rooftree.compliance.retention_records import RECORDS as COMPLIANCE_RECORDS
from rooftree.db.record_sets import Clock, RecordSet, RecordSetPart, RoomRecords
from rooftree.leads.retention_records import RECORDS as LEADS_RECORDS
from rooftree.ledger.retention_records import RECORDS as LEDGER_RECORDS
from rooftree.los.retention_records import RECORDS as LOS_RECORDS
from rooftree.money.retention_records import RECORDS as MONEY_RECORDS
from rooftree.nurture.retention_records import RECORDS as NURTURE_RECORDS
from rooftree.org.retention_records import RECORDS as ORG_RECORDS
from rooftree.outreach.retention_records import RECORDS as OUTREACH_RECORDS
from rooftree.rates.retention_records import RECORDS as RATES_RECORDS
from rooftree.reporting.retention_records import RECORDS as REPORTING_RECORDS
from rooftree.retention.retention_records import RECORDS as RETENTION_RECORDS
from rooftree.routing.retention_records import RECORDS as ROUTING_RECORDS
from rooftree.scoring.retention_records import RECORDS as SCORING_RECORDS

# From the lowest room to the highest.
RECORDS_BY_ROOM: dict[str, RoomRecords] = {
    "ledger": LEDGER_RECORDS,
    "org": ORG_RECORDS,
    "leads": LEADS_RECORDS,
    "money": MONEY_RECORDS,
    "rates": RATES_RECORDS,
    "compliance": COMPLIANCE_RECORDS,
    "los": LOS_RECORDS,
    "scoring": SCORING_RECORDS,
    "routing": ROUTING_RECORDS,
    "capture": CAPTURE_RECORDS,
    "outreach": OUTREACH_RECORDS,
    "nurture": NURTURE_RECORDS,
    "reporting": REPORTING_RECORDS,
    "retention": RETENTION_RECORDS,
}
# Dependent records first, the person last.
REMOVAL_ORDER = (
    *("lead", "message", "verdict", "attempt", "delivery", "consent", "basis", "revocation"),
    *("unmatched text", "introduction", "spreadsheet", "notice", "access", "export", "request"),
    "person",
)


def join_parts(own: RecordSet, parts: tuple[RecordSetPart, ...]) -> RecordSet:
    """Return a record set with the parts of higher rooms, which are given from the lowest up."""
    last_uses = [moment for part in parts for moment in part.last_uses]
    own_clocks = [_start_later(clock, last_uses) for clock in own.clocks]
    pauses = [pause for part in parts for pause in part.pauses]
    conditions = [own.condition, *(part.condition for part in parts)]
    added = [statement for part in reversed(parts) for statement in part.removal_statements]
    return replace(
        own,
        clocks=(
            *(clock for part in parts for clock in part.clocks),
            *own_clocks,
            *(
                Clock(record_class=record_class, starts_at="null", condition=condition)
                for record_class, condition in pauses
            ),
        ),
        condition=" and ".join(f"({text})" for text in conditions if text != "true") or "true",
        removal_statements=(*added, *own.removal_statements),
    )


def _start_later(clock: Clock, last_uses: list[str]) -> Clock:
    if not last_uses:
        return clock
    return replace(clock, starts_at=f"greatest({', '.join((clock.starts_at, *last_uses))})")


def _join_rooms() -> tuple[RecordSet, ...]:
    rooms = RECORDS_BY_ROOM.values()
    own = {record_set.name: record_set for room in rooms for record_set in room.record_sets}
    parts = [part for room in rooms for part in room.parts]
    return tuple(
        join_parts(own[name], tuple(part for part in parts if part.record_set == name))
        for name in REMOVAL_ORDER
    )


RECORD_SETS: tuple[RecordSet, ...] = _join_rooms()
RECORD_SETS_BY_NAME = {record_set.name: record_set for record_set in RECORD_SETS}
