"""What vendors agreed to take back, the claims made of it, and what they are told of their leads."""

import django.contrib.postgres.fields
import django.db.models.deletion
import rooftree.core.uuid7
from django.conf import settings
from django.db import migrations, models


GUARD = """
create function row_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: a row cannot be changed or deleted.', tg_table_name;
end $$;
create trigger claim_step_append_only before update or delete on claim_step
    for each row execute function row_is_append_only();
create trigger partner_permission_append_only before update or delete on partner_permission
    for each row execute function row_is_append_only();
create trigger thing_of_value_append_only before update or delete on thing_of_value
    for each row execute function row_is_append_only();
"""
NO_GUARD = """
drop trigger thing_of_value_append_only on thing_of_value;
drop trigger partner_permission_append_only on partner_permission;
drop trigger claim_step_append_only on claim_step;
drop function row_is_append_only();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0023_wording_editions'),
    ]

    operations = [
        migrations.CreateModel(
            name='Claim',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('reason', models.CharField(max_length=20)),
                ('sentence', models.CharField(max_length=400)),
                ('evidence', models.JSONField(default=list)),
                ('asked_cents', models.BigIntegerField()),
                ('credited_cents', models.BigIntegerField(default=0)),
                ('state', models.CharField(default='drafted', max_length=10)),
                ('closed_as', models.CharField(blank=True, max_length=10)),
                ('send_by', models.DateTimeField()),
                ('due_at', models.DateTimeField(null=True)),
                ('disputes', models.PositiveSmallIntegerField(default=0)),
                ('drafted_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'claim',
            },
        ),
        migrations.CreateModel(
            name='ClaimStep',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=10)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('cents', models.BigIntegerField(null=True)),
                ('at', models.DateTimeField()),
            ],
            options={
                'db_table': 'claim_step',
            },
        ),
        migrations.CreateModel(
            name='Contract',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('from_date', models.DateField()),
                ('until_date', models.DateField(null=True)),
                ('window_days', models.PositiveSmallIntegerField()),
                ('warn_days', models.PositiveSmallIntegerField()),
                ('reasons', models.JSONField(default=dict)),
                ('duplicate_days', models.PositiveSmallIntegerField(default=0)),
                ('states', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), default=list)),
                ('send_to', models.CharField(blank=True, max_length=200)),
                ('statuses', models.JSONField(default=dict)),
                ('look_at', models.DateTimeField(null=True)),
                ('made_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'contract',
            },
        ),
        migrations.CreateModel(
            name='Introduction',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('at', models.DateTimeField()),
            ],
            options={
                'db_table': 'introduction',
            },
        ),
        migrations.CreateModel(
            name='Partner',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=20)),
                ('company', models.CharField(blank=True, max_length=120)),
                ('license_no', models.CharField(blank=True, max_length=40)),
                ('slug', models.SlugField(unique=True)),
                ('added_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'partner',
            },
        ),
        migrations.CreateModel(
            name='Permission',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('steps', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), default=list)),
                ('said', models.CharField(max_length=200)),
                ('at', models.DateTimeField()),
            ],
            options={
                'db_table': 'partner_permission',
            },
        ),
        migrations.CreateModel(
            name='ReturnFile',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('made_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'return_file',
            },
        ),
        migrations.CreateModel(
            name='StatusFile',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('made_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'status_file',
            },
        ),
        migrations.CreateModel(
            name='StatusLine',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('status', models.CharField(max_length=12)),
                ('word', models.CharField(max_length=60)),
                ('since_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'status_line',
            },
        ),
        migrations.CreateModel(
            name='ThingOfValue',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('direction', models.CharField(max_length=8)),
                ('what', models.CharField(max_length=200)),
                ('fair_value_cents', models.BigIntegerField()),
                ('why', models.CharField(max_length=300)),
                ('on_date', models.DateField()),
                ('at', models.DateTimeField()),
            ],
            options={
                'db_table': 'thing_of_value',
            },
        ),
        migrations.RemoveConstraint(
            model_name='user',
            name='user_role_known',
        ),
        migrations.AddField(
            model_name='phone',
            name='dead_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['officer', 'assistant', 'manager', 'operations', 'marketing', 'compliance', 'executive', 'administrator', 'partner'])), name='user_role_known'),
        ),
        migrations.AddField(
            model_name='claim',
            name='entry',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='claim', to='rooftree.entry'),
        ),
        migrations.AddField(
            model_name='claim',
            name='source',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='claims', to='rooftree.source'),
        ),
        migrations.AddField(
            model_name='claim',
            name='touch',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='claim', to='rooftree.touch'),
        ),
        migrations.AddField(
            model_name='claimstep',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='claimstep',
            name='claim',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='rooftree.claim'),
        ),
        migrations.AddField(
            model_name='contract',
            name='made_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='contract',
            name='source',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contracts', to='rooftree.source'),
        ),
        migrations.AddField(
            model_name='contract',
            name='watcher',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='claim',
            name='contract',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='claims', to='rooftree.contract'),
        ),
        migrations.AddField(
            model_name='introduction',
            name='delivery',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='introduction', to='rooftree.delivery'),
        ),
        migrations.AddField(
            model_name='partner',
            name='added_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='partner',
            name='source',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='partners', to='rooftree.source'),
        ),
        migrations.AddField(
            model_name='partner',
            name='user',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='partner', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='introduction',
            name='partner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='introductions', to='rooftree.partner'),
        ),
        migrations.AddField(
            model_name='permission',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='permission',
            name='introduction',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='permissions', to='rooftree.introduction'),
        ),
        migrations.AddField(
            model_name='returnfile',
            name='made_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='returnfile',
            name='source',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='return_files', to='rooftree.source'),
        ),
        migrations.AddField(
            model_name='claim',
            name='file',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='claims', to='rooftree.returnfile'),
        ),
        migrations.AddField(
            model_name='statusfile',
            name='made_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='statusfile',
            name='source',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='status_files', to='rooftree.source'),
        ),
        migrations.AddField(
            model_name='statusline',
            name='file',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='rooftree.statusfile'),
        ),
        migrations.AddField(
            model_name='statusline',
            name='touch',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.touch'),
        ),
        migrations.AddField(
            model_name='thingofvalue',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='thingofvalue',
            name='corrects',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='corrected_by', to='rooftree.thingofvalue'),
        ),
        migrations.AddField(
            model_name='thingofvalue',
            name='partner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='things', to='rooftree.partner'),
        ),
        migrations.AddIndex(
            model_name='claimstep',
            index=models.Index(fields=['claim', 'at'], name='claim_step_by_claim'),
        ),
        migrations.AddIndex(
            model_name='contract',
            index=models.Index(condition=models.Q(('look_at__isnull', False)), fields=['look_at'], name='contract_to_look_at'),
        ),
        migrations.AddConstraint(
            model_name='contract',
            constraint=models.CheckConstraint(condition=models.Q(('until_date', None), ('until_date__gte', models.F('from_date')), _connector='OR'), name='contract_ends_later'),
        ),
        migrations.AddConstraint(
            model_name='contract',
            constraint=models.UniqueConstraint(condition=models.Q(('until_date', None)), fields=('source',), name='one_contract_in_force'),
        ),
        migrations.AddIndex(
            model_name='introduction',
            index=models.Index(fields=['partner', 'at'], name='introduction_by_partner'),
        ),
        migrations.AddConstraint(
            model_name='returnfile',
            constraint=models.UniqueConstraint(fields=('source', 'number'), name='return_file_once'),
        ),
        migrations.AddIndex(
            model_name='claim',
            index=models.Index(fields=['source', 'state'], name='claim_by_source'),
        ),
        migrations.AddIndex(
            model_name='claim',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='claim_due'),
        ),
        migrations.AddConstraint(
            model_name='claim',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['drafted', 'sent', 'credited', 'refused', 'disputed', 'closed'])), name='claim_state_known'),
        ),
        migrations.AddConstraint(
            model_name='claim',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_as__in', ['credited', 'refused', 'withdrawn', 'dropped', 'missed']), ('state', 'closed')), models.Q(models.Q(('state', 'closed'), _negated=True), ('closed_as', '')), _connector='OR'), name='claim_closed_somehow'),
        ),
        migrations.AddConstraint(
            model_name='claim',
            constraint=models.CheckConstraint(condition=models.Q(('asked_cents__gt', 0), ('credited_cents__range', (0, models.F('asked_cents')))), name='claim_credited_within_asked'),
        ),
        migrations.AddConstraint(
            model_name='claim',
            constraint=models.CheckConstraint(condition=models.Q(('disputes__lte', 1)), name='claim_disputed_once'),
        ),
        migrations.AddConstraint(
            model_name='statusfile',
            constraint=models.UniqueConstraint(fields=('source', 'number'), name='status_file_once'),
        ),
        migrations.AddIndex(
            model_name='statusline',
            index=models.Index(fields=['touch'], name='status_line_by_touch'),
        ),
        migrations.AddConstraint(
            model_name='statusline',
            constraint=models.UniqueConstraint(fields=('file', 'touch'), name='status_line_once_a_file'),
        ),
        migrations.AddIndex(
            model_name='thingofvalue',
            index=models.Index(fields=['partner', 'on_date'], name='thing_by_partner'),
        ),
        migrations.AddConstraint(
            model_name='thingofvalue',
            constraint=models.CheckConstraint(condition=models.Q(('direction__in', ['given', 'received'])), name='thing_given_or_received'),
        ),
        migrations.AddConstraint(
            model_name='thingofvalue',
            constraint=models.CheckConstraint(condition=models.Q(('fair_value_cents__gte', 0)), name='thing_value_not_negative'),
        ),
        migrations.RunSQL(GUARD, NO_GUARD),
    ]
