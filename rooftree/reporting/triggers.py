"""Declare the triggers that guard reports and evidence."""

from rooftree.db.triggers import RoomTriggers, append_only_trigger

TRIGGERS = RoomTriggers(
    triggers=(
        append_only_trigger("published_head"),
        append_only_trigger("assurance"),
        append_only_trigger("fair_lending_report"),
    ),
)
