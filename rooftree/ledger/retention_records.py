"""The ledger's tables, for retention."""

from rooftree.db.record_sets import PROOF_CLASS, RoomRecords

RECORDS = RoomRecords(tables_by_class={PROOF_CLASS: ("event",)})
