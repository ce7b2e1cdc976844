"""Shadow mode: leads of another system are decided, and the database lets nothing go."""

import django.db.models.deletion
import rooftree.core.uuid7
from django.conf import settings
from django.db import migrations, models

FORMER_OPEN_PROMISE = """
create or replace function open_promise(
    the_lead uuid, the_kind text, the_officer uuid, since timestamptz, due timestamptz
) returns void language plpgsql as $$
begin
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
"""
OPEN_PROMISE = """
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
"""
FUNCTIONS = [
    """
create or replace function is_shadow_on() returns boolean language plpgsql as $$
begin
    perform pg_advisory_xact_lock_shared(7210);
    return exists (select from shadow_period where ended_at is null);
end $$
""",
    """
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
    """
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
    """
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
    """
create or replace function ring_stays_in_shadow() returns trigger language plpgsql as $$
begin
    if is_shadow_on() then
        raise exception 'Shadow mode is on: nobody is called.';
    end if;
    return new;
end $$
""",
    """
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
    """
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
    """
create or replace function handoff_stays_in_shadow() returns trigger language plpgsql as $$
begin
    if is_shadow_on() then
        raise exception 'Shadow mode is on: nothing is written to the LOS.';
    end if;
    return new;
end $$
""",
]
TRIGGERS = [
    """create or replace trigger shadow_period_kept before update or delete on "shadow_period" for each row execute function shadow_period_is_kept()""",
    """create or replace trigger message_stays_in_shadow before update of state on "message" for each row when (new.state is distinct from old.state and (old.state = 'shadow' or new.state in ('claimed', 'uncertain', 'sent', 'delivered', 'failed') and old.state not in ('claimed', 'uncertain', 'sent', 'delivered', 'failed'))) execute function message_stays_in_shadow()""",
    """create or replace trigger new_message_stays_in_shadow before insert on "message" for each row when (new.direction = 'out' and new.state in ('claimed', 'uncertain', 'sent', 'delivered', 'failed')) execute function message_stays_in_shadow()""",
    """create or replace trigger ring_stays_in_shadow before insert or update of state on "ring" for each row when (new.state in ('claimed', 'placed')) execute function ring_stays_in_shadow()""",
    """create or replace trigger shadow_waits_for_senders before insert on "shadow_period" for each row execute function shadow_waits_for_senders()""",
    """create or replace trigger shadow_ends_its_messages after update of ended_at on "shadow_period" for each row when (old.ended_at is null and new.ended_at is not null) execute function end_shadow_messages()""",
    """create or replace trigger new_handoff_stays_in_shadow before insert on "handoff" for each row execute function handoff_stays_in_shadow()""",
    """create or replace trigger handoff_stays_in_shadow before update of state on "handoff" for each row when (new.state = 'sending' and old.state <> 'sending') execute function handoff_stays_in_shadow()""",
]
DROP = [
    "drop trigger shadow_period_kept on shadow_period",
    "drop trigger message_stays_in_shadow on message",
    "drop trigger new_message_stays_in_shadow on message",
    "drop trigger ring_stays_in_shadow on ring",
    "drop trigger shadow_waits_for_senders on shadow_period",
    "drop trigger shadow_ends_its_messages on shadow_period",
    "drop trigger new_handoff_stays_in_shadow on handoff",
    "drop trigger handoff_stays_in_shadow on handoff",
    "drop function handoff_stays_in_shadow",
    "drop function end_shadow_messages",
    "drop function shadow_waits_for_senders",
    "drop function ring_stays_in_shadow",
    "drop function message_stays_in_shadow",
    "drop function shadow_period_is_kept",
    "drop function is_shadow_message",
    "drop function is_shadow_on",
]


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0064_go_live_gaps'),
    ]

    operations = [
        migrations.CreateModel(
            name='ShadowLead',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('arrived_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'shadow_lead',
            },
        ),
        migrations.CreateModel(
            name='ShadowList',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('uploaded_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'shadow_list',
            },
        ),
        migrations.CreateModel(
            name='ShadowPeriod',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('from_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'shadow_period',
            },
        ),
        migrations.CreateModel(
            name='ShadowResult',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('received_at', models.DateTimeField(null=True)),
                ('first_contact_at', models.DateTimeField(null=True)),
                ('officer_name', models.CharField(blank=True, max_length=120)),
                ('funded_date', models.DateField(null=True)),
                ('revenue_cents', models.BigIntegerField(null=True)),
            ],
            options={
                'db_table': 'shadow_result',
            },
        ),
        migrations.RemoveConstraint(
            model_name='message',
            name='message_state_known',
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'held', 'blocked', 'review', 'claimed', 'sent', 'delivered', 'failed', 'uncertain', 'cancelled', 'received', 'shadow'])), name='message_state_known'),
        ),
        migrations.AddField(
            model_name='shadowlead',
            name='lead',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shadow_entries', to='rooftree.lead'),
        ),
        migrations.AddField(
            model_name='shadowlead',
            name='touch',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='rooftree.touch'),
        ),
        migrations.AddField(
            model_name='shadowlist',
            name='uploaded_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='shadowperiod',
            name='ended_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='shadowperiod',
            name='started_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='shadowlist',
            name='period',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='list', to='rooftree.shadowperiod'),
        ),
        migrations.AddField(
            model_name='shadowlead',
            name='period',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='leads', to='rooftree.shadowperiod'),
        ),
        migrations.AddField(
            model_name='shadowresult',
            name='lead',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='rooftree.lead'),
        ),
        migrations.AddField(
            model_name='shadowresult',
            name='list',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='results', to='rooftree.shadowlist'),
        ),
        migrations.AddField(
            model_name='shadowresult',
            name='source',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.source'),
        ),
        migrations.AddConstraint(
            model_name='shadowperiod',
            constraint=models.UniqueConstraint(fields=('ended_at',), name='one_open_shadow_period', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='shadowperiod',
            constraint=models.CheckConstraint(condition=models.Q(('ended_at', None), ('ended_at__gte', models.F('from_at')), _connector='OR'), name='shadow_period_ends_later'),
        ),
        migrations.AddIndex(
            model_name='shadowlead',
            index=models.Index(fields=['period', 'arrived_at'], name='shadow_lead_by_period'),
        ),
        migrations.AddConstraint(
            model_name='shadowlead',
            constraint=models.UniqueConstraint(fields=('lead', 'period'), name='shadow_lead_once_a_period'),
        ),
        migrations.AddConstraint(
            model_name='shadowresult',
            constraint=models.UniqueConstraint(fields=('list', 'lead'), name='shadow_result_once_a_lead'),
        ),
        migrations.RunSQL([*FUNCTIONS, *TRIGGERS, OPEN_PROMISE], [FORMER_OPEN_PROMISE, *DROP]),
    ]
