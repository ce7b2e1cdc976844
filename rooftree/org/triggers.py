"""Declare the trigger that guards the access log."""

from rooftree.db.triggers import Function, RoomTriggers, append_only_trigger

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

TRIGGERS = RoomTriggers(
    triggers=(append_only_trigger("access_entry", _ACCESS_ENTRY_IS_APPEND_ONLY),),
)
