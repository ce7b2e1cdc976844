"""Give lenders sequences of their own: rules, drafts, switches and the steps people left behind."""

import django.db.models.deletion
import rooftree.core.uuid7
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0069_los_systems'),
    ]

    operations = [
        migrations.AddField(
            model_name='enrollment',
            name='idempotency_key',
            field=models.CharField(max_length=160, null=True, unique=True),
        ),
        migrations.AddField(
            model_name='enrollment',
            name='started_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='sequence',
            name='rules',
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.CreateModel(
            name='SequenceDraft',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=60, unique=True)),
                ('name', models.CharField(max_length=120)),
                ('steps', models.JSONField()),
                ('rules', models.JSONField()),
                ('edited_at', models.DateTimeField()),
                ('edited_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'sequence_draft',
            },
        ),
        migrations.CreateModel(
            name='SequenceSwitch',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=60, unique=True)),
                ('paused_at', models.DateTimeField(null=True)),
                ('retired_at', models.DateTimeField(null=True)),
                ('changed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'sequence_switch',
            },
        ),
        migrations.CreateModel(
            name='EnrollmentStep',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('number', models.PositiveSmallIntegerField()),
                ('outcome', models.CharField(max_length=10)),
                ('at', models.DateTimeField()),
                ('enrollment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='rooftree.enrollment')),
            ],
            options={
                'db_table': 'enrollment_step',
                'constraints': [models.UniqueConstraint(fields=('enrollment', 'number'), name='one_row_a_step_of_enrollment'), models.CheckConstraint(condition=models.Q(('outcome__in', ['done', 'skipped', 'passed', 'ended'])), name='enrollment_step_outcome_known')],
            },
        ),
    ]
