"""The triggers by which shadow mode lets no message and no call go, whoever writes the row.

A message made in shadow mode, or that answers an inquiry from it, can never be sent, also after
shadow mode has ended.
"""

from rooftree.db.triggers import Function, Trigger

IS_SHADOW_MESSAGE = Function(
    name="is_shadow_message",
    sql="""
create or replace function is_shadow_message(the_cause text, made timestamptz) returns boolean
language sql stable as $$
    select exists (
        select from shadow_period s
         where s.ended_at is null
            or made >= s.from_at and made < s.ended_at
            or exists (
                select from touch t join delivery d on d.id = t.delivery_id
                 where t.id = case when the_cause ~ '^touch:[0-9a-f-]{36}$'
                                   then substr(the_cause, 7)::uuid end
                   and d.received_at >= s.from_at and d.received_at < s.ended_at))
$$
""",
)

_MESSAGE_STAYS_IN_SHADOW = Function(
    name="message_stays_in_shadow",
    sql="""
create or replace function message_stays_in_shadow() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.state = 'shadow' then
        raise exception 'A message of shadow mode is never sent.';
    end if;
    if is_shadow_on() or is_shadow_message(new.idempotency_key, new.created_at) then
        raise exception 'Shadow mode: this message is never sent.';
    end if;
    return new;
end $$
""",
)

_RING_STAYS_IN_SHADOW = Function(
    name="ring_stays_in_shadow",
    sql="""
create or replace function ring_stays_in_shadow() returns trigger language plpgsql as $$
begin
    if is_shadow_on() then
        raise exception 'Shadow mode is on: nobody is called.';
    end if;
    return new;
end $$
""",
)

# What is at the carrier or the LOS right now reaches somebody: the switch waits for its result.
_SHADOW_WAITS_FOR_SENDERS = Function(
    name="shadow_waits_for_senders",
    sql="""
create or replace function shadow_waits_for_senders() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(7210);
    if exists (select from message where state = 'claimed')
       or exists (select from ring where state = 'claimed')
       or exists (select from handoff where state = 'sending') then
        raise lock_not_available using message =
            'A message, a call or a hand-off is going out right now.';
    end if;
    return new;
end $$
""",
)

# A message that a worker is deciding right now is left to that worker: it cannot be sent either.
_END_SHADOW_MESSAGES = Function(
    name="end_shadow_messages",
    sql="""
create or replace function end_shadow_messages() returns trigger language plpgsql as $$
begin
    update message set state = 'shadow', due_at = null, problem = 'Not sent: shadow mode.'
     where id in (select id from message
                   where direction = 'out' and state in ('waiting', 'held', 'review')
                     and created_at >= new.from_at and created_at < new.ended_at
                     for update skip locked);
    return null;
end $$
""",
)

_GONE = "('claimed', 'uncertain', 'sent', 'delivered', 'failed')"

SHADOW_TRIGGERS = (
    Trigger(
        name="message_stays_in_shadow",
        table="message",
        events="before update of state",
        function=_MESSAGE_STAYS_IN_SHADOW,
        condition=(
            "new.state is distinct from old.state and (old.state = 'shadow'"
            f" or new.state in {_GONE} and old.state not in {_GONE})"
        ),
    ),
    Trigger(
        name="new_message_stays_in_shadow",
        table="message",
        events="before insert",
        function=_MESSAGE_STAYS_IN_SHADOW,
        condition=f"new.direction = 'out' and new.state in {_GONE}",
    ),
    Trigger(
        name="ring_stays_in_shadow",
        table="ring",
        events="before insert or update of state",
        function=_RING_STAYS_IN_SHADOW,
        condition="new.state in ('claimed', 'placed')",
    ),
    Trigger(
        name="shadow_waits_for_senders",
        table="shadow_period",
        events="before insert",
        function=_SHADOW_WAITS_FOR_SENDERS,
    ),
    Trigger(
        name="shadow_ends_its_messages",
        table="shadow_period",
        events="after update of ended_at",
        function=_END_SHADOW_MESSAGES,
        condition="old.ended_at is null and new.ended_at is not null",
    ),
)
