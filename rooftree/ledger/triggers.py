"""Declare the trigger that guards the ledger."""

from rooftree.db.triggers import Function, RoomTriggers, append_only_trigger

# An event gets its place in the ledger once, after the commit (`ledger.seal`).
_EVENT_IS_APPEND_ONLY = Function(
    name="event_is_append_only",
    sql="""
create or replace function event_is_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'The ledger is append-only: an event cannot be deleted.';
    end if;
    if old.sequence is not null or new.sequence is null
       or (new.id, new.kind, new.lead_id, new.person_id, new.actor, new.data,
           new.occurred_at, new.recorded_at)
          is distinct from
          (old.id, old.kind, old.lead_id, old.person_id, old.actor, old.data,
           old.occurred_at, old.recorded_at) then
        raise exception 'The ledger is append-only: an event cannot be changed.';
    end if;
    return new;
end $$
""",
)

TRIGGERS = RoomTriggers(
    triggers=(append_only_trigger("event", _EVENT_IS_APPEND_ONLY),),
)
