"""Declare the triggers that guard the access log and the periods of shadow mode."""

from rooftree.db.triggers import Function, RoomTriggers, Trigger, append_only_trigger

# The database keeps what the law has us keep; only older entries can be deleted.
_ACCESS_ENTRY_IS_APPEND_ONLY = Function(
    name="access_entry_is_append_only",
    sql="""
create or replace function access_entry_is_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and old.at < now() - interval '36 months' then
        return old;
    end if;
    raise exception 'The access log is append-only.';
end $$
""",
)

_SHADOW_PERIOD_IS_KEPT = Function(
    name="shadow_period_is_kept",
    sql="""
create or replace function shadow_period_is_kept() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'A period of shadow mode is kept: it cannot be deleted.';
    end if;
    if old.ended_at is not null
       or (new.id, new.from_at, new.started_by_id)
          is distinct from (old.id, old.from_at, old.started_by_id) then
        raise exception 'A period of shadow mode ends once, and nothing else about it changes.';
    end if;
    return new;
end $$
""",
)

# Whatever sends takes the lock shared, in the transaction that claims; the switch waits for it.
_IS_SHADOW_ON = Function(
    name="is_shadow_on",
    sql="""
create or replace function is_shadow_on() returns boolean language plpgsql as $$
begin
    perform pg_advisory_xact_lock_shared(7210);
    return exists (select from shadow_period where ended_at is null);
end $$
""",
)

TRIGGERS = RoomTriggers(
    triggers=(
        append_only_trigger("access_entry", _ACCESS_ENTRY_IS_APPEND_ONLY),
        Trigger(
            name="shadow_period_kept",
            table="shadow_period",
            events="before update or delete",
            function=_SHADOW_PERIOD_IS_KEPT,
        ),
    ),
    functions=(_IS_SHADOW_ON,),
)
