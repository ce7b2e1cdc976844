"""Mailboxes that are read for letters, returns asked for by hand, calls a carrier failed at."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import rooftree.core.uuid7
import rooftree.db.sealed_text


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('rooftree', '0030_crm_transfers'),
    ]

    operations = [
        migrations.AddField(
            model_name='contactattempt',
            name='failed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='claim',
            name='asked_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.CreateModel(
            name='Mailbox',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('host', models.CharField(max_length=200)),
                ('port', models.PositiveIntegerField()),
                ('security', models.CharField(max_length=10)),
                ('user', models.CharField(max_length=200)),
                ('password', rooftree.db.sealed_text.SealedTextField()),
                ('folder', models.CharField(max_length=200)),
                ('validity', models.BigIntegerField()),
                ('uid', models.BigIntegerField()),
                ('read_at', models.DateTimeField()),
                ('taken', models.PositiveIntegerField(default=0)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField(null=True)),
                ('problem', models.CharField(blank=True, max_length=300)),
                ('source', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='mailboxes', to='rooftree.source')),
            ],
            options={
                'db_table': 'mailbox',
                'constraints': [models.UniqueConstraint(fields=('host', 'user', 'folder'), name='mailbox_once')],
            },
        ),
    ]
