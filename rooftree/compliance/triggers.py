"""Declare the triggers that guard tables of compliance."""

from rooftree.db.triggers import Function, RoomTriggers, Trigger

# A change is stored as it was written, is decided once, and is approved by compliance alone.
_RULE_CHANGE_IS_KEPT = Function(
    name="rule_change_is_kept",
    sql="""
create or replace function rule_change_is_kept() returns trigger language plpgsql as $$
declare
    moves constant text[] := array['dry_run', 'tried_at', 'approved_by_id', 'approved_at',
        'dropped_by_id', 'dropped_at', 'drop_reason'];
begin
    if tg_op = 'DELETE' then
        raise exception 'A rule change is kept: it cannot be deleted.';
    end if;
    if tg_op = 'INSERT' then
        if new.approved_at is not null or new.dropped_at is not null then
            raise exception 'A rule change waits before it is decided.';
        end if;
        if new.withdraws_id is not null and not exists (
            select 1 from rule_change c where c.id = new.withdraws_id and c.withdraws_id is null
               and c.approved_at is not null and (c.place, c.item) = (new.place, new.item)
        ) then
            raise exception 'Only an approved change of the same value can be withdrawn.';
        end if;
        return new;
    end if;
    if old.approved_at is not null or old.dropped_at is not null then
        raise exception 'A rule change is decided once, and never edited.';
    end if;
    if to_jsonb(new) - moves is distinct from to_jsonb(old) - moves then
        raise exception 'A rule change is kept: what it says cannot be changed.';
    end if;
    if new.approved_at is not null then
        if not exists (
            select 1 from "user" where id = new.approved_by_id and is_active
               and 'compliance' = any(roles) and branch_id is null
        ) then
            raise exception 'Compliance of the whole company approves a rule change.';
        end if;
        if new.from_date < (new.approved_at at time zone 'UTC')::date - 1 then
            raise exception 'A rule change counts for no day that is over.';
        end if;
    end if;
    return new;
end $$
""",
)

TRIGGERS = RoomTriggers(
    triggers=(
        Trigger(
            name="rule_change_kept",
            table="rule_change",
            events="before insert or update or delete",
            function=_RULE_CHANGE_IS_KEPT,
        ),
    ),
)
