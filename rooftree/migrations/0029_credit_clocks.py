"""Credit clocks, what proves that a credit bureau's lead may be used, and what the LOS tracks."""

import django.db.models.deletion
import rooftree.core.uuid7
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0028_fairness_and_pay'),
    ]

    operations = [
        migrations.AddField(
            model_name='loan',
            name='notices',
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.AddField(
            model_name='sourceterms',
            name='criteria',
            field=models.TextField(blank=True, db_default='', default=''),
        ),
        migrations.AddField(
            model_name='sourceterms',
            name='is_authorized',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='sourceterms',
            name='is_firm_offer',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='sourceterms',
            name='source_class',
            field=models.CharField(blank=True, db_default='', default='', max_length=20),
        ),
        migrations.CreateModel(
            name='CreditClock',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=16)),
                ('began_on', models.DateField()),
                ('due_on', models.DateField()),
                ('due_at', models.DateTimeField()),
                ('sentence', models.CharField(max_length=500)),
                ('evidence', models.JSONField(default=list)),
                ('alarm_at', models.DateTimeField(null=True)),
                ('opened_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(null=True)),
                ('closed_as', models.CharField(blank=True, max_length=12)),
                ('proof', models.JSONField(default=dict)),
                ('cause', models.CharField(max_length=160, unique=True)),
                ('closed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('lead', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credit_clocks', to='rooftree.lead')),
                ('loan', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credit_clocks', to='rooftree.loan')),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'credit_clock',
                'indexes': [models.Index(condition=models.Q(('closed_at', None)), fields=['alarm_at'], name='clock_alarm_due'), models.Index(condition=models.Q(('closed_at', None)), fields=['due_at'], name='clock_by_due')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('closed_at', None)), fields=('lead', 'kind'), name='one_open_clock_a_kind'), models.CheckConstraint(condition=models.Q(models.Q(('alarm_at__isnull', False), ('closed_as', ''), ('closed_at', None)), models.Q(('alarm_at', None), ('closed_at__isnull', False), models.Q(('closed_as', ''), _negated=True)), _connector='OR'), name='clock_closed_with_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='LeadBasis',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('is_authorized', models.BooleanField(default=False)),
                ('relationship', models.CharField(blank=True, max_length=30)),
                ('has_opted_out', models.BooleanField(default=False)),
                ('reference', models.CharField(max_length=200)),
                ('at', models.DateTimeField()),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='bases', to='rooftree.lead')),
            ],
            options={
                'db_table': 'lead_basis',
                'indexes': [models.Index(fields=['lead', 'at'], name='basis_by_lead')],
            },
        ),
    ]
