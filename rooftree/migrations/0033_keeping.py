"""Legal holds, what people ask about their data, removals with their proof, second approvers."""

import django.db.models.deletion
import rooftree.core.uuid7
from django.conf import settings
from django.db import migrations, models


# What the law has us keep is kept by the database itself; only what is older may go.
AGED = """
create or replace function access_entry_is_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and old.at < now() - interval '36 months' then
        return old;
    end if;
    raise exception 'The access log is append-only.';
end $$;
"""
NEVER = """
create or replace function access_entry_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'The access log is append-only.';
end $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0032_releases'),
    ]

    operations = [
        migrations.CreateModel(
            name='PrivacyRequest',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=10)),
                ('address', models.CharField(max_length=254)),
                ('state', models.CharField(blank=True, max_length=2)),
                ('came_by', models.CharField(max_length=20)),
                ('received_date', models.DateField()),
                ('due_date', models.DateField()),
                ('extended_because', models.CharField(blank=True, max_length=300)),
                ('extended_at', models.DateTimeField(null=True)),
                ('identity', models.CharField(blank=True, max_length=200)),
                ('identified_at', models.DateTimeField(null=True)),
                ('field', models.CharField(blank=True, max_length=20)),
                ('was', models.CharField(blank=True, max_length=200)),
                ('became', models.CharField(blank=True, max_length=200)),
                ('told_onward', models.CharField(blank=True, max_length=300)),
                ('stays', models.JSONField(default=list)),
                ('carried_at', models.DateTimeField(null=True)),
                ('outcome', models.CharField(blank=True, max_length=10)),
                ('refused_because', models.CharField(blank=True, max_length=300)),
                ('answered_at', models.DateTimeField(null=True)),
                ('entered_at', models.DateTimeField()),
                ('answered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('entered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.person')),
            ],
            options={
                'db_table': 'privacy_request',
            },
        ),
        migrations.CreateModel(
            name='Purge',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('because', models.CharField(max_length=10)),
                ('on_date', models.DateField()),
                ('counts', models.JSONField()),
                ('counted', models.PositiveIntegerField()),
                ('rules_version', models.CharField(max_length=20)),
                ('planned_at', models.DateTimeField()),
                ('asked_at', models.DateTimeField(null=True)),
                ('approved_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='purges', to='rooftree.privacyrequest')),
            ],
            options={
                'db_table': 'purge',
            },
        ),
        migrations.CreateModel(
            name='PurgeRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('nth', models.PositiveSmallIntegerField()),
                ('holding', models.CharField(max_length=20)),
                ('row_id', models.UUIDField()),
                ('event_id', models.UUIDField(null=True)),
                ('removed_at', models.DateTimeField(null=True)),
                ('kept_because', models.CharField(blank=True, max_length=60)),
                ('purge', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rows', to='rooftree.purge')),
            ],
            options={
                'db_table': 'purge_row',
            },
        ),
        migrations.CreateModel(
            name='ExportAsk',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('subject', models.CharField(max_length=80)),
                ('query', models.CharField(blank=True, max_length=500)),
                ('number', models.PositiveIntegerField()),
                ('reason', models.CharField(max_length=300)),
                ('asked_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('is_refused', models.BooleanField(default=False)),
                ('taken_at', models.DateTimeField(null=True)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'export_ask',
                'indexes': [models.Index(condition=models.Q(('is_refused', False), ('taken_at', None)), fields=['asked_by', 'subject'], name='export_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(('decided_by', None), models.Q(('decided_by', models.F('asked_by')), _negated=True), _connector='OR'), name='export_decided_by_another'), models.CheckConstraint(condition=models.Q(('taken_at', None), models.Q(('decided_at__isnull', False), ('is_refused', False)), _connector='OR'), name='export_taken_once_allowed')],
            },
        ),
        migrations.CreateModel(
            name='LegalHold',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('matter', models.CharField(max_length=120)),
                ('why', models.CharField(max_length=400)),
                ('address', models.CharField(blank=True, max_length=254)),
                ('from_date', models.DateField(null=True)),
                ('until_date', models.DateField(null=True)),
                ('placed_at', models.DateTimeField()),
                ('lifted_at', models.DateTimeField(null=True)),
                ('lifted_because', models.CharField(blank=True, max_length=400)),
                ('lifted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.person')),
                ('placed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('source', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.source')),
            ],
            options={
                'db_table': 'legal_hold',
                'constraints': [models.CheckConstraint(condition=models.Q(('person__isnull', False), models.Q(('address', ''), _negated=True), ('source__isnull', False), models.Q(('from_date__isnull', False), ('until_date__isnull', False)), _connector='OR'), name='hold_is_of_something'), models.CheckConstraint(condition=models.Q(models.Q(('lifted_at', None), ('lifted_by', None)), models.Q(('lifted_because', ''), _negated=True), _connector='OR'), name='hold_lifted_for_a_reason')],
            },
        ),
        migrations.AddIndex(
            model_name='privacyrequest',
            index=models.Index(condition=models.Q(('answered_at', None)), fields=['due_date'], name='request_open'),
        ),
        migrations.AddConstraint(
            model_name='privacyrequest',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['access', 'correction', 'deletion'])), name='request_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='privacyrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('answered_at', None), ('outcome', '')), models.Q(('answered_at__isnull', False), models.Q(('outcome', ''), _negated=True), ('outcome__in', ['', 'done', 'refused', 'withdrawn'])), _connector='OR'), name='request_answered_somehow'),
        ),
        migrations.AddConstraint(
            model_name='privacyrequest',
            constraint=models.CheckConstraint(condition=models.Q(('carried_at', None), ('identified_at__isnull', False), _connector='OR'), name='request_carried_for_the_right_one'),
        ),
        migrations.AddIndex(
            model_name='purge',
            index=models.Index(condition=models.Q(('approved_at__isnull', False), ('ended_at', None)), fields=['approved_at'], name='purge_under_way'),
        ),
        migrations.AddConstraint(
            model_name='purge',
            constraint=models.CheckConstraint(condition=models.Q(('because__in', ['schedule', 'request', 'restore'])), name='purge_cause_known'),
        ),
        migrations.AddConstraint(
            model_name='purge',
            constraint=models.CheckConstraint(condition=models.Q(('approved_by', None), models.Q(('approved_by', models.F('asked_by')), _negated=True), _connector='OR'), name='purge_approved_by_another'),
        ),
        migrations.AddConstraint(
            model_name='purge',
            constraint=models.UniqueConstraint(condition=models.Q(('because', 'schedule'), ('ended_at', None)), fields=('because',), name='one_purge_of_the_schedule'),
        ),
        migrations.AddIndex(
            model_name='purgerow',
            index=models.Index(fields=['holding', 'row_id'], name='purge_row_by_row'),
        ),
        migrations.AddIndex(
            model_name='purgerow',
            index=models.Index(condition=models.Q(('kept_because', ''), ('removed_at', None)), fields=['purge', 'nth'], name='purge_row_to_go'),
        ),
        migrations.AddConstraint(
            model_name='purgerow',
            constraint=models.UniqueConstraint(fields=('purge', 'holding', 'row_id'), name='purge_row_once_a_purge'),
        ),
        migrations.RunSQL(AGED, NEVER),
    ]
