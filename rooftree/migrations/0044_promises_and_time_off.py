"""Promises to borrowers, each with its warning and escalation, and officers' time off."""

import django.db.models.deletion
import rooftree.core.uuid7
from django.conf import settings
from django.db import migrations, models


# A copy of what routing/promise_triggers.py declares.
PROMISES = """
create or replace function open_promise(
    the_lead uuid, the_kind text, the_officer uuid, since timestamptz, due timestamptz
) returns void language plpgsql as $$
begin
    insert into promise (id, lead_id, kind, officer_id, made_at, due_at, warn_at, escalate_at,
                         end_reason, sentence)
    values (gen_random_uuid(), the_lead, the_kind, the_officer, least(since, due), due,
            due - least(promise_warning(the_kind), (due - least(since, due)) / 2),
            due + promise_patience(the_kind), '', '')
        on conflict (lead_id, kind) where kept_at is null and canceled_at is null do nothing;
end $$;

create or replace function promise_warning(the_kind text) returns interval
language sql immutable as $$
    select case the_kind when 'callback' then interval '15 minutes'
                         when 'reply' then interval '2 minutes'
                         else interval '1 minute' end
$$;

create or replace function promise_patience(the_kind text) returns interval
language sql immutable as $$
    select case the_kind when 'first_attempt' then interval '5 minutes'
                         else interval '15 minutes' end
$$;

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
       or tg_op = 'UPDATE' and old.response_due_at is not distinct from new.response_due_at then
        return null;
    end if;
    if is_owed then
        perform open_promise(
            new.id, 'first_attempt', new.officer_id, new.last_inquiry_at, new.response_due_at);
    elsif new.first_attempt_at is not null and tg_op = 'UPDATE' then
        select max(a.at) into heard from contact_attempt a
         where a.lead_id = new.id and a.direction = 'in';
        perform open_promise(new.id, 'reply', new.officer_id,
                             greatest(heard, new.last_inquiry_at), new.response_due_at);
    end if;
    return null;
end $$;

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
end $$;

create or replace function follow_task_promises() returns trigger language plpgsql as $$
declare
    due timestamptz := new.due_at + interval '5 minutes';
begin
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
end $$;

create or replace trigger begin_lead_promises after insert on "lead" for each row when (new.response_due_at is not null) execute function follow_lead_promises();
create or replace trigger follow_lead_promises after update of response_due_at, first_attempt_at, officer_id, state, retired_at on "lead" for each row when ((old.response_due_at, old.first_attempt_at, old.officer_id, old.state, old.retired_at) is distinct from (new.response_due_at, new.first_attempt_at, new.officer_id, new.state, new.retired_at)) execute function follow_lead_promises();
create or replace trigger follow_attempt_promises after insert or update of result on "contact_attempt" for each row when (new.direction = 'out' and not new.is_automated or new.direction = 'in' and (new.result in ('revoke', 'wrong_person') or new.medium = 'call' and new.result = 'spoken')) execute function follow_attempt_promises();
create or replace trigger follow_task_promises after insert or update of due_at, done_at, canceled_at on "task" for each row when (new.kind = 'call_back') execute function follow_task_promises();
"""

# What is owed at the time of the upgrade.
BACKFILL = """
insert into promise (id, lead_id, kind, officer_id, made_at, due_at, warn_at, escalate_at,
                     end_reason, sentence)
select gen_random_uuid(), l.id, 'first_attempt', l.officer_id, least(l.last_inquiry_at, l.response_due_at),
       l.response_due_at, l.response_due_at, l.response_due_at + promise_patience('first_attempt'), '', ''
  from lead l
 where l.response_due_at is not null and l.first_attempt_at is null
   and l.state in ('new', 'working') and l.retired_at is null
union all
select gen_random_uuid(), l.id, 'callback', l.officer_id, least(t.created_at, t.due_at),
       t.due_at + interval '5 minutes', t.due_at - interval '10 minutes',
       t.due_at + interval '5 minutes' + promise_patience('callback'), '', ''
  from task t join lead l on l.id = t.lead_id
 where t.kind = 'call_back' and t.done_at is null and t.canceled_at is null
   and l.retired_at is null;
"""
DROP = """
drop trigger begin_lead_promises on lead;
drop trigger follow_lead_promises on lead;
drop trigger follow_attempt_promises on contact_attempt;
drop trigger follow_task_promises on task;
drop function follow_lead_promises, follow_attempt_promises, follow_task_promises;
drop function open_promise, promise_warning, promise_patience;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0043_limit_overrides'),
    ]

    operations = [
        migrations.AddField(
            model_name='loanofficer',
            name='pause_reason',
            field=models.CharField(blank=True, db_default='', default='', max_length=120),
        ),
        migrations.AddField(
            model_name='loanofficer',
            name='paused_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='loanofficer',
            name='resumed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='Promise',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=16)),
                ('made_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('warn_at', models.DateTimeField()),
                ('escalate_at', models.DateTimeField()),
                ('warned_at', models.DateTimeField(null=True)),
                ('breached_at', models.DateTimeField(null=True)),
                ('escalated_at', models.DateTimeField(null=True)),
                ('kept_at', models.DateTimeField(null=True)),
                ('canceled_at', models.DateTimeField(null=True)),
                ('end_reason', models.CharField(blank=True, max_length=60)),
                ('cleared_at', models.DateTimeField(null=True)),
                ('sentence', models.CharField(blank=True, max_length=300)),
                ('backup', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='covers', to='rooftree.loanofficer')),
                ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='promises', to='rooftree.lead')),
                ('officer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='promises', to='rooftree.loanofficer')),
            ],
            options={
                'db_table': 'promise',
                'indexes': [models.Index(fields=['due_at'], name='promise_by_due'), models.Index(condition=models.Q(('canceled_at', None), ('kept_at', None), ('escalated_at', None)), fields=['warn_at'], name='promise_watched'), models.Index(condition=models.Q(('canceled_at', None), ('kept_at', None), ('breached_at__isnull', False)), fields=['due_at'], name='promise_late'), models.Index(condition=models.Q(('canceled_at', None), ('kept_at', None), ('backup__isnull', False)), fields=['backup'], name='promise_covered'), models.Index(condition=models.Q(models.Q(('canceled_at', None), ('kept_at', None), _negated=True), ('cleared_at', None), ('warned_at__isnull', False)), fields=['lead'], name='promise_uncleared')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['first_attempt', 'reply', 'callback'])), name='promise_kind_known'), models.CheckConstraint(condition=models.Q(('kept_at', None), ('canceled_at', None), _connector='OR'), name='promise_ends_one_way'), models.UniqueConstraint(condition=models.Q(('canceled_at', None), ('kept_at', None)), fields=('lead', 'kind'), name='one_open_promise_a_kind')],
            },
        ),
        migrations.CreateModel(
            name='TimeOff',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('from_date', models.DateField()),
                ('until_date', models.DateField()),
                ('note', models.CharField(blank=True, max_length=120)),
                ('entered_at', models.DateTimeField()),
                ('canceled_at', models.DateTimeField(null=True)),
                ('entered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('officer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='time_off', to='rooftree.loanofficer')),
            ],
            options={
                'db_table': 'time_off',
                'indexes': [models.Index(condition=models.Q(('canceled_at', None)), fields=['until_date'], name='time_off_current')],
                'constraints': [models.CheckConstraint(condition=models.Q(('until_date__gt', models.F('from_date'))), name='time_off_ends_later')],
            },
        ),
        migrations.AddIndex(
            model_name='ownership',
            index=models.Index(condition=models.Q(('until_at__isnull', False)), fields=['-until_at'], name='ownership_by_end'),
        ),
        migrations.RunSQL([PROMISES, BACKFILL], DROP),
    ]
