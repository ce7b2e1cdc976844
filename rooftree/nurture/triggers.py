"""Declare the trigger that guards decided sequences."""

from rooftree.db.triggers import RoomTriggers, Trigger
from rooftree.outreach.triggers import EDITION_IS_KEPT

TRIGGERS = RoomTriggers(
    triggers=(
        Trigger(
            name="sequence_kept",
            table="sequence",
            events="before insert or update or delete",
            function=EDITION_IS_KEPT,
        ),
    ),
)
