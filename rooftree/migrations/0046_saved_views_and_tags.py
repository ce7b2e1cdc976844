"""Lists get saved views, tags on leads, and actions on several leads at once."""

import django.db.models.deletion
import rooftree.core.uuid7
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0045_appointments'),
    ]

    operations = [
        migrations.CreateModel(
            name='BulkAction',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=16)),
                ('target', models.CharField(max_length=80)),
                ('summary', models.CharField(max_length=200)),
                ('at', models.DateTimeField()),
                ('undone_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'bulk_action',
            },
        ),
        migrations.CreateModel(
            name='BulkChange',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('problem', models.CharField(blank=True, max_length=300)),
                ('undo_problem', models.CharField(blank=True, max_length=300)),
                ('action', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='rooftree.bulkaction')),
                ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='rooftree.lead')),
                ('officer_before', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.loanofficer')),
            ],
            options={
                'db_table': 'bulk_change',
            },
        ),
        migrations.CreateModel(
            name='LeadTag',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=40)),
                ('at', models.DateTimeField()),
                ('added_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='rooftree.lead')),
            ],
            options={
                'db_table': 'lead_tag',
            },
        ),
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('page', models.CharField(max_length=16)),
                ('name', models.CharField(max_length=40)),
                ('query', models.CharField(max_length=600)),
                ('is_shared', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField()),
                ('branch', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.branch')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'saved_view',
            },
        ),
        migrations.AddConstraint(
            model_name='bulkaction',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ('reassign', 'snooze', 'tag', 'enroll'))), name='bulk_action_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='bulkchange',
            constraint=models.UniqueConstraint(fields=('action', 'lead'), name='bulk_change_once_a_lead'),
        ),
        migrations.AddIndex(
            model_name='leadtag',
            index=models.Index(fields=['name'], name='tag_by_name'),
        ),
        migrations.AddConstraint(
            model_name='leadtag',
            constraint=models.UniqueConstraint(fields=('lead', 'name'), name='tag_once_a_lead'),
        ),
        migrations.AddIndex(
            model_name='savedview',
            index=models.Index(fields=['page'], name='saved_view_by_page'),
        ),
        migrations.AddConstraint(
            model_name='savedview',
            constraint=models.CheckConstraint(condition=models.Q(('page__in', ('queue', 'pipeline', 'people'))), name='saved_view_page_known'),
        ),
        migrations.AddConstraint(
            model_name='savedview',
            constraint=models.UniqueConstraint(fields=('owner', 'page', 'name'), name='one_saved_view_of_a_name'),
        ),
    ]
