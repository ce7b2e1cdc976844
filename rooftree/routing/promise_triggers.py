"""The triggers that make and end promises, in the transaction of the change they follow from.

A deadline on a lead makes the promise of a first call, or of a reply once somebody has tried. A
callback task makes the promise of that callback. An attempt by a person keeps them. Whoever
writes the row, by whatever path, nothing is owed that is not on file.
"""

from rooftree.db.triggers import Function, Trigger

# An act that is undone puts back the row that ended a promise, and so the promise. In shadow mode
# another system works the leads: Rooftree owes nothing.
OPEN_PROMISE = Function(
    name="open_promise",
    sql="""
create or replace function open_promise(
    the_lead uuid, the_kind text, the_officer uuid, since timestamptz, due timestamptz
) returns void language plpgsql as $$
begin
    if exists (select from shadow_period where ended_at is null) then
        return;
    end if;
    update promise set kept_at = null, canceled_at = null, end_reason = '', cleared_at = null
     where id = (select id from promise p
                  where p.lead_id = the_lead and p.kind = the_kind and p.due_at = due
                    and not exists (select from promise o
                                     where o.lead_id = the_lead and o.kind = the_kind
                                       and o.kept_at is null and o.canceled_at is null)
                  limit 1);
    if found then
        return;
    end if;
    insert into promise (id, lead_id, kind, officer_id, made_at, due_at, warn_at, escalate_at,
                         end_reason, sentence)
    values (gen_random_uuid(), the_lead, the_kind, the_officer, least(since, due), due,
            due - least(promise_warning(the_kind), (due - least(since, due)) / 2),
            due + promise_patience(the_kind), '', '')
        on conflict (lead_id, kind) where kept_at is null and canceled_at is null do nothing;
end $$
""",
)
# House: how long before its end a promise is announced to the officer.
PROMISE_WARNING = Function(
    name="promise_warning",
    sql="""
create or replace function promise_warning(the_kind text) returns interval
language sql immutable as $$
    select case the_kind when 'callback' then interval '15 minutes'
                         when 'reply' then interval '2 minutes'
                         else interval '1 minute' end
$$
""",
)
# House: how late a promise can be before the backup or the managers hear of it.
PROMISE_PATIENCE = Function(
    name="promise_patience",
    sql="""
create or replace function promise_patience(the_kind text) returns interval
language sql immutable as $$
    select case the_kind when 'first_attempt' then interval '5 minutes'
                         else interval '15 minutes' end
$$
""",
)

_FOLLOW_LEAD = Function(
    name="follow_lead_promises",
    sql="""
create or replace function follow_lead_promises() returns trigger language plpgsql as $$
declare
    is_over boolean := new.retired_at is not null or new.state in ('funded', 'retired');
    is_owed boolean := new.first_attempt_at is null and new.state in ('new', 'working')
                       and new.retired_at is null;
    heard timestamptz;
begin
    if tg_op = 'UPDATE' then
        update promise set kept_at = greatest(new.first_attempt_at, made_at)
         where lead_id = new.id and kind = 'first_attempt' and kept_at is null
           and canceled_at is null and new.first_attempt_at is not null;
        update promise set canceled_at = said_moment(), end_reason = 'nothing is owed anymore'
         where lead_id = new.id and kept_at is null and canceled_at is null
           and (is_over or kind = 'first_attempt'
                           and (not is_owed or new.response_due_at is null));
        update promise set officer_id = new.officer_id
         where lead_id = new.id and kept_at is null and canceled_at is null
           and breached_at is null and officer_id is distinct from new.officer_id;
    end if;
    if new.response_due_at is null or is_over
       or tg_op = 'UPDATE' and old.response_due_at is not distinct from new.response_due_at
          and (old.first_attempt_at is null or new.first_attempt_at is not null) then
        return null;
    end if;
    if is_owed then
        perform open_promise(
            new.id, 'first_attempt', new.officer_id, new.last_inquiry_at, new.response_due_at);
    elsif new.first_attempt_at is not null and tg_op = 'UPDATE' then
        select max(a.at) into heard from contact_attempt a
         where a.lead_id = new.id and a.direction = 'in';
        heard := greatest(heard, new.last_inquiry_at);
        if heard > new.first_attempt_at then
            perform open_promise(new.id, 'reply', new.officer_id, heard, new.response_due_at);
        end if;
    end if;
    return null;
end $$
""",
)

_FOLLOW_ATTEMPT = Function(
    name="follow_attempt_promises",
    sql="""
create or replace function follow_attempt_promises() returns trigger language plpgsql as $$
begin
    if new.direction = 'in' and new.result in ('revoke', 'wrong_person') then
        update promise set canceled_at = new.at, end_reason = 'the borrower opted out'
         where lead_id = new.lead_id and kind <> 'first_attempt'
           and kept_at is null and canceled_at is null;
        return null;
    end if;
    update promise set kept_at = greatest(new.at, made_at)
     where lead_id = new.lead_id and kept_at is null and canceled_at is null
       and (kind = 'reply' and made_at <= new.at
            or kind = 'callback' and new.medium = 'call'
               and new.at >= due_at - interval '35 minutes');
    return null;
end $$
""",
)

# A callback is late five minutes after the agreed time.
_FOLLOW_TASK = Function(
    name="follow_task_promises",
    sql="""
create or replace function follow_task_promises() returns trigger language plpgsql as $$
declare
    due timestamptz := new.due_at + interval '5 minutes';
begin
    if tg_op = 'UPDATE' and (old.due_at, old.done_at, old.canceled_at)
                            is not distinct from (new.due_at, new.done_at, new.canceled_at) then
        return null;
    end if;
    if new.done_at is not null then
        update promise set kept_at = greatest(new.done_at, made_at)
         where lead_id = new.lead_id and kind = 'callback'
           and kept_at is null and canceled_at is null;
        return null;
    end if;
    if new.canceled_at is not null then
        update promise set canceled_at = new.canceled_at, end_reason = new.cancel_reason
         where lead_id = new.lead_id and kind = 'callback'
           and kept_at is null and canceled_at is null;
        return null;
    end if;
    if tg_op = 'UPDATE' and old.due_at <> new.due_at then
        update promise set canceled_at = said_moment(), end_reason = 'a new time was agreed'
         where lead_id = new.lead_id and kind = 'callback' and kept_at is null
           and canceled_at is null;
    end if;
    perform open_promise(new.lead_id, 'callback', l.officer_id, new.created_at, due)
       from lead l where l.id = new.lead_id;
    return null;
end $$
""",
)

PROMISE_FUNCTIONS = (OPEN_PROMISE, PROMISE_WARNING, PROMISE_PATIENCE)
PROMISE_TRIGGERS = (
    Trigger(
        name="begin_lead_promises",
        table="lead",
        events="after insert",
        function=_FOLLOW_LEAD,
        condition="new.response_due_at is not null",
    ),
    Trigger(
        name="follow_lead_promises",
        table="lead",
        events="after update of response_due_at, first_attempt_at, officer_id, state, retired_at",
        function=_FOLLOW_LEAD,
        condition=(
            "(old.response_due_at, old.first_attempt_at, old.officer_id, old.state,"
            " old.retired_at) is distinct from (new.response_due_at, new.first_attempt_at,"
            " new.officer_id, new.state, new.retired_at)"
        ),
    ),
    Trigger(
        name="follow_attempt_promises",
        table="contact_attempt",
        events="after insert or update of result",
        function=_FOLLOW_ATTEMPT,
        condition=(
            "new.direction = 'out' and not new.is_automated"
            " or new.direction = 'in' and (new.result in ('revoke', 'wrong_person')"
            " or new.medium = 'call' and new.result = 'spoken')"
        ),
    ),
    Trigger(
        name="follow_task_promises",
        table="task",
        events="after insert or update of due_at, done_at, canceled_at",
        function=_FOLLOW_TASK,
        condition="new.kind = 'call_back'",
    ),
)
