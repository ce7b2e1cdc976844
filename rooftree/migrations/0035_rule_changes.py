"""Changes of the rule data: dated, by two people, kept as they were written."""

import django.db.models.deletion
import rooftree.core.uuid7
from django.conf import settings
from django.db import migrations, models

# A change is kept as it was written, decided once, and approved by compliance alone.
GUARD = """
create function rule_change_is_kept() returns trigger language plpgsql as $$
declare
    moves constant text[] := array['dry_run', 'tried_at', 'approved_by_id', 'approved_at',
        'dropped_by_id', 'dropped_at', 'dropped_because'];
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
               and role = 'compliance' and branch_id is null
        ) then
            raise exception 'Compliance of the whole company approves a rule change.';
        end if;
        if new.from_date < (new.approved_at at time zone 'UTC')::date - 1 then
            raise exception 'A rule change counts for no day that is over.';
        end if;
    end if;
    return new;
end $$;
create trigger rule_change_kept before insert or update or delete on rule_change
    for each row execute function rule_change_is_kept();
"""
NO_GUARD = """
drop trigger rule_change_kept on rule_change;
drop function rule_change_is_kept();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0034_temporary_authority_ends'),
    ]

    operations = [
        migrations.CreateModel(
            name='RuleChange',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(unique=True)),
                ('place', models.CharField(max_length=2)),
                ('item', models.CharField(max_length=40)),
                ('value', models.TextField(blank=True)),
                ('from_date', models.DateField()),
                ('cite', models.CharField(max_length=300)),
                ('why', models.CharField(max_length=300)),
                ('is_looser', models.BooleanField()),
                ('counsel', models.CharField(blank=True, max_length=200)),
                ('dry_run', models.JSONField(null=True)),
                ('tried_at', models.DateTimeField(null=True)),
                ('written_at', models.DateTimeField()),
                ('approved_at', models.DateTimeField(null=True)),
                ('dropped_at', models.DateTimeField(null=True)),
                ('dropped_because', models.CharField(blank=True, max_length=300)),
                ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('dropped_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('withdraws', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='withdrawals', to='rooftree.rulechange')),
                ('written_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'rule_change',
                'constraints': [models.UniqueConstraint(condition=models.Q(('approved_at', None), ('dropped_at', None)), fields=('place', 'item'), name='one_waiting_rule_change'), models.UniqueConstraint(condition=models.Q(('approved_at__isnull', False)), fields=('withdraws',), name='rule_change_withdrawn_once'), models.CheckConstraint(condition=models.Q(models.Q(('approved_at', None), ('approved_by', None)), models.Q(('approved_at__isnull', False), ('approved_by__isnull', False), models.Q(('approved_by', models.F('written_by')), _negated=True)), _connector='OR'), name='rule_change_second_person'), models.CheckConstraint(condition=models.Q(('approved_at', None), ('dropped_at', None), _connector='OR'), name='rule_change_decided_once'), models.CheckConstraint(condition=models.Q(models.Q(('withdraws', None), models.Q(('value', ''), _negated=True)), models.Q(('value', ''), ('withdraws__isnull', False)), _connector='OR'), name='rule_change_sets_or_withdraws'), models.CheckConstraint(condition=models.Q(models.Q(('cite', ''), _negated=True), models.Q(('why', ''), _negated=True)), name='rule_change_says_why'), models.CheckConstraint(condition=models.Q(('is_looser', False), models.Q(('counsel', ''), _negated=True), _connector='OR'), name='rule_change_looser_has_counsel')],
            },
        ),
        migrations.RunSQL(GUARD, NO_GUARD),
    ]
