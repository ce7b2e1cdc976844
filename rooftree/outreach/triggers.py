"""Declare the triggers that guard messages, templates, campaigns and shadow mode."""

from rooftree.db.triggers import Function, RoomTriggers, Trigger
from rooftree.outreach.shadow_triggers import IS_SHADOW_MESSAGE, SHADOW_TRIGGERS

# Shared with sequences (`nurture.triggers`).
EDITION_IS_KEPT = Function(
    name="edition_is_kept",
    sql="""
create or replace function edition_is_kept() returns trigger language plpgsql as $$
declare
    moves constant text[] := array['decided_by_id', 'decided_at', 'refusal', 'is_alone',
        'from_at', 'until_at', 'approved_until', 'end_reason'];
begin
    if tg_op = 'DELETE' then
        raise exception 'An edition is kept: it cannot be deleted.';
    end if;
    if new.is_alone and exists (
        select 1 from "user" where is_active
           and roles && array['compliance', 'administrator']::varchar[] and id <> new.decided_by_id
    ) and (tg_op = 'INSERT' or not old.is_alone) then
        raise exception 'An author approves alone only where nobody else may approve.';
    end if;
    if tg_op = 'INSERT' then
        return new;
    end if;
    if to_jsonb(new) - moves is distinct from to_jsonb(old) - moves then
        raise exception 'An edition is kept: what it says cannot be changed.';
    end if;
    if old.decided_at is not null
       and (new.decided_by_id, new.decided_at, new.refusal, new.is_alone, new.from_at)
           is distinct from
           (old.decided_by_id, old.decided_at, old.refusal, old.is_alone, old.from_at) then
        raise exception 'An edition is decided once.';
    end if;
    if old.until_at is not null and new.until_at is distinct from old.until_at then
        raise exception 'An edition ends once.';
    end if;
    if old.approved_until is not null
       and (new.approved_until is null or new.approved_until > old.approved_until) then
        raise exception 'An approval is never made longer: approve it anew.';
    end if;
    return new;
end $$
""",
)

_RELEASE_IS_KEPT = Function(
    name="release_is_kept",
    sql="""
create or replace function release_is_kept() returns trigger language plpgsql as $$
declare
    moves constant text[] := array['state', 'size', 'findings', 'last_added_at', 'approved_by_id',
        'approved_at', 'checked_at', 'resumed_by_id', 'resumed_at', 'ended_at', 'stopped_by_id',
        'stop_reason'];
    follows constant jsonb := '{"draft": ["waiting", "going", "stopped"],
        "waiting": ["canary", "stopped"], "canary": ["looking", "done", "stopped"],
        "looking": ["going", "stopped"], "going": ["done", "stopped"],
        "done": [], "stopped": []}';
begin
    if tg_op = 'DELETE' then
        raise exception 'A release is kept: it cannot be deleted.';
    end if;
    if tg_op = 'INSERT' then
        if new.state <> 'draft' then
            raise exception 'A release begins as a draft.';
        end if;
        return new;
    end if;
    if to_jsonb(new) - moves is distinct from to_jsonb(old) - moves then
        raise exception 'A release is kept: what it is and its limits cannot be changed.';
    end if;
    if new.state <> old.state and not follows -> old.state ? new.state then
        raise exception 'A release that is % cannot become %.', old.state, new.state;
    end if;
    if old.state <> 'draft'
       and (new.size, new.last_added_at) is distinct from (old.size, old.last_added_at) then
        raise exception 'A release is kept: whom it is for cannot be changed.';
    end if;
    if old.state not in ('draft', 'waiting') and new.findings is distinct from old.findings then
        raise exception 'A release is kept: what its second person read cannot be changed.';
    end if;
    if new.state <> 'draft' and old.state = 'draft' and new.size <> (
        select count(*) from release_member where release_id = new.id
    ) then
        raise exception 'A release counts all its people.';
    end if;
    if old.approved_at is not null
       and (new.approved_by_id, new.approved_at)
           is distinct from (old.approved_by_id, old.approved_at) then
        raise exception 'A release is approved once.';
    end if;
    return new;
end $$
""",
)

_RELEASE_MEMBER_IS_KEPT = Function(
    name="release_member_is_kept",
    sql="""
create or replace function release_member_is_kept() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' and not exists (
        select 1 from release where id = new.release_id and state = 'draft' for share
    ) then
        raise exception 'Nobody is added to a release that is no draft.';
    end if;
    if tg_op = 'UPDATE' and (new.release_id, new.idempotency_key) is distinct from
        (old.release_id, old.idempotency_key) then
        raise exception 'Whom a release is for cannot be changed.';
    end if;
    return new;
end $$
""",
)

# The door is the role that can insert messages (`db.db_role`).
_MESSAGE_LEAVES_BY_THE_DOOR = Function(
    name="message_leaves_by_the_door",
    sql="""
create or replace function message_leaves_by_the_door() returns trigger language plpgsql as $$
begin
    if not has_table_privilege('message', 'insert') then
        raise insufficient_privilege using message = 'Only the door lets a message go.';
    end if;
    return new;
end $$
""",
)

TRIGGERS = RoomTriggers(
    functions=(IS_SHADOW_MESSAGE,),
    triggers=(
        Trigger(
            name="template_kept",
            table="template",
            events="before insert or update or delete",
            function=EDITION_IS_KEPT,
        ),
        Trigger(
            name="release_kept",
            table="release",
            events="before insert or update or delete",
            function=_RELEASE_IS_KEPT,
        ),
        Trigger(
            name="release_member_kept",
            table="release_member",
            events="before insert or update",
            function=_RELEASE_MEMBER_IS_KEPT,
        ),
        Trigger(
            name="message_leaves_by_the_door",
            table="message",
            events="before update of state",
            function=_MESSAGE_LEAVES_BY_THE_DOOR,
            condition=(
                "new.state is distinct from old.state and"
                " new.state in ('claimed', 'uncertain', 'sent', 'delivered', 'failed')"
            ),
        ),
        *SHADOW_TRIGGERS,
    ),
)
