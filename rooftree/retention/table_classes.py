"""The record class of each table, from the rooms; a table in neither list has none yet.

Each table about a person is in `CLASS_BY_TABLE`, once. A test compares the two lists with the
database.
"""

from rooftree.retention.record_sets import RECORDS_BY_ROOM

CLASS_BY_TABLE = {
    table: key
    for records in RECORDS_BY_ROOM.values()
    for key, tables in records.tables_by_class.items()
    for table in tables
}
TABLES_ABOUT_NOBODY = frozenset(
    table for records in RECORDS_BY_ROOM.values() for table in records.tables_about_nobody
)
