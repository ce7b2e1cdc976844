"""Corrections and reasons of entries, dated prices and vendor invoices."""

import django.db.models.deletion
import rooftree.core.uuid7
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("rooftree", "0056_los_setup"),
    ]

    operations = [
        migrations.AddField(
            model_name='entry',
            name='corrects',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='rooftree.entry'),
        ),
        migrations.AddField(
            model_name='entry',
            name='reason',
            field=models.CharField(blank=True, db_default='', default='', max_length=300),
        ),
        migrations.CreateModel(
            name='SourcePrice',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('from_date', models.DateField()),
                ('cents', models.PositiveIntegerField()),
                ('reason', models.CharField(max_length=300)),
                ('made_at', models.DateTimeField()),
                ('applied_at', models.DateTimeField(null=True)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='prices', to='rooftree.source')),
            ],
            options={
                'db_table': 'source_price',
                'indexes': [models.Index(fields=['source', 'from_date'], name='price_by_source'), models.Index(condition=models.Q(('applied_at', None)), fields=['from_date'], name='price_to_apply')],
            },
        ),
        migrations.CreateModel(
            name='VendorInvoice',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('number', models.CharField(max_length=60)),
                ('month', models.DateField()),
                ('amount_cents', models.BigIntegerField()),
                ('note', models.CharField(blank=True, max_length=300)),
                ('made_at', models.DateTimeField()),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invoices', to='rooftree.source')),
            ],
            options={
                'db_table': 'vendor_invoice',
                'constraints': [models.UniqueConstraint(fields=('source', 'number'), name='invoice_once_a_source'), models.CheckConstraint(condition=models.Q(('amount_cents__gte', 0)), name='invoice_not_negative')],
            },
        ),
    ]
