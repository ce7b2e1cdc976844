"""Reading other systems over their interfaces: what is being read, and what happened there."""

import django.contrib.postgres.fields
import django.db.models.deletion
import rooftree.core.uuid7
import rooftree.db.sealed_text
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0029_credit_clocks'),
    ]

    operations = [
        migrations.CreateModel(
            name='PastEntry',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=8)),
                ('key', models.CharField(max_length=200)),
                ('about', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=255), default=list)),
                ('at', models.DateTimeField(null=True)),
                ('title', models.CharField(blank=True, max_length=300)),
                ('text', models.TextField(blank=True)),
                ('direction', models.CharField(blank=True, max_length=3)),
                ('owner_id', models.CharField(blank=True, max_length=80)),
                ('by', models.CharField(blank=True, max_length=200)),
                ('due_at', models.DateTimeField(null=True)),
                ('is_open', models.BooleanField(default=False)),
                ('why', models.CharField(blank=True, max_length=16)),
            ],
            options={
                'db_table': 'past_entry',
            },
        ),
        migrations.CreateModel(
            name='Transfer',
            fields=[
                ('sheet', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='transfer', serialize=False, to='rooftree.spreadsheet')),
                ('cursor', models.JSONField(null=True)),
                ('token', rooftree.db.sealed_text.SealedTextField(blank=True)),
                ('owners', models.JSONField(default=list)),
                ('officers', models.JSONField(default=dict)),
                ('stages', models.JSONField(default=dict)),
                ('declared', models.JSONField(default=dict)),
                ('listed', models.JSONField(default=dict)),
                ('before', models.JSONField(default=dict)),
                ('pages', models.PositiveIntegerField(default=0)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField(null=True)),
                ('problem', models.CharField(blank=True, max_length=400)),
                ('read_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'transfer',
            },
        ),
        migrations.RemoveConstraint(
            model_name='spreadsheet',
            name='spreadsheet_state_known',
        ),
        migrations.AddField(
            model_name='importedrow',
            name='officer',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.loanofficer'),
        ),
        migrations.AddConstraint(
            model_name='spreadsheet',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['reading', 'columns', 'checking', 'checked', 'running', 'done', 'undoing', 'dropped'])), name='spreadsheet_state_known'),
        ),
        migrations.AddField(
            model_name='pastentry',
            name='lead',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='past', to='rooftree.lead'),
        ),
        migrations.AddField(
            model_name='pastentry',
            name='sheet',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='past', to='rooftree.spreadsheet'),
        ),
        migrations.AddField(
            model_name='pastentry',
            name='source',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='past', to='rooftree.source'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(condition=models.Q(('read_at', None)), fields=['due_at'], name='transfer_due'),
        ),
        migrations.AddIndex(
            model_name='pastentry',
            index=models.Index(fields=['lead', 'at'], name='past_entry_by_lead'),
        ),
        migrations.AddIndex(
            model_name='pastentry',
            index=models.Index(condition=models.Q(('lead', None), ('why', '')), fields=['sheet', 'id'], name='past_entry_waiting'),
        ),
        migrations.AddConstraint(
            model_name='pastentry',
            constraint=models.UniqueConstraint(fields=('source', 'kind', 'key'), name='past_entry_once'),
        ),
    ]
