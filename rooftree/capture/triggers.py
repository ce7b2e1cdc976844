"""Declare the triggers that guard the versions of our own form."""

from rooftree.db.triggers import Function, RoomTriggers, Trigger

# Consents point at a version: it stays as it was written, and is decided once, by an approver.
_FORM_VERSION_IS_KEPT = Function(
    name="form_version_is_kept",
    sql="""
create or replace function form_version_is_kept() returns trigger language plpgsql as $$
declare
    moves constant text[] := array['decided_by_id', 'decided_at', 'decision_reason',
        'published_at'];
begin
    if tg_op = 'DELETE' then
        raise exception 'A form version is kept: it cannot be deleted.';
    end if;
    if tg_op = 'INSERT' and new.restores_id is null and new.decided_at is not null then
        raise exception 'A form version waits before it is decided.';
    end if;
    if tg_op = 'INSERT' and new.restores_id is not null and not exists (
        select 1 from form_version v where v.id = new.restores_id
           and v.source_id = new.source_id and v.published_at is not null
           and v.content = new.content
    ) then
        raise exception 'Only the content of a published version can be restored.';
    end if;
    if tg_op = 'UPDATE' and old.decided_at is not null then
        raise exception 'A form version is decided once, and never edited.';
    end if;
    if tg_op = 'UPDATE' and to_jsonb(new) - moves is distinct from to_jsonb(old) - moves then
        raise exception 'A form version is kept: what it says cannot be changed.';
    end if;
    if new.published_at is not null and not exists (
        select 1 from "user" where id = new.decided_by_id and is_active
           and roles && array['compliance', 'administrator']::varchar[]
    ) then
        raise exception 'Compliance or an administrator publishes a form version.';
    end if;
    return new;
end $$
""",
)

TRIGGERS = RoomTriggers(
    triggers=(
        Trigger(
            name="form_version_kept",
            table="form_version",
            events="before insert or update or delete",
            function=_FORM_VERSION_IS_KEPT,
        ),
    ),
)
