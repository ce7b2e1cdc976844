"""Declare the trigger that guards the steps of a claim."""

from rooftree.db.triggers import Function, RoomTriggers, append_only_trigger

# Retention empties a note that can name a person; the step itself stays.
_CLAIM_STEP_IS_APPEND_ONLY = Function(
    name="claim_step_is_append_only",
    sql="""
create or replace function claim_step_is_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and new.note = '' and to_jsonb(new) - 'note' = to_jsonb(old) - 'note' then
        return new;
    end if;
    raise exception 'claim_step is append-only: a row cannot be changed or deleted.';
end $$
""",
)

TRIGGERS = RoomTriggers(
    triggers=(append_only_trigger("claim_step", _CLAIM_STEP_IS_APPEND_ONLY),),
)
