"""Declare the triggers by which shadow mode writes nothing to the LOS."""

from rooftree.db.triggers import Function, RoomTriggers, Trigger

_HANDOFF_STAYS_IN_SHADOW = Function(
    name="handoff_stays_in_shadow",
    sql="""
create or replace function handoff_stays_in_shadow() returns trigger language plpgsql as $$
begin
    if is_shadow_on() then
        raise exception 'Shadow mode is on: nothing is written to the LOS.';
    end if;
    return new;
end $$
""",
)

TRIGGERS = RoomTriggers(
    triggers=(
        Trigger(
            name="new_handoff_stays_in_shadow",
            table="handoff",
            events="before insert",
            function=_HANDOFF_STAYS_IN_SHADOW,
        ),
        Trigger(
            name="handoff_stays_in_shadow",
            table="handoff",
            events="before update of state",
            function=_HANDOFF_STAYS_IN_SHADOW,
            condition="new.state = 'sending' and old.state <> 'sending'",
        ),
    ),
)
