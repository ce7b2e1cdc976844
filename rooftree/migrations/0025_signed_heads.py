"""Heads of the ledger that are signed, and which entry about its person each one is."""

import django.db.models.deletion
import rooftree.db.sealed_text
from django.db import migrations, models

GUARD = """
create trigger published_head_append_only before update or delete on published_head
    for each row execute function row_is_append_only();
"""
NO_GUARD = "drop trigger published_head_append_only on published_head;"


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0024_returns'),
    ]

    operations = [
        migrations.CreateModel(
            name='PublishedHead',
            fields=[
                ('sequence', models.BigIntegerField(primary_key=True, serialize=False)),
                ('first', models.BigIntegerField(unique=True)),
                ('chain_hash', models.CharField(max_length=64)),
                ('root', models.CharField(max_length=64)),
                ('nodes', models.JSONField()),
                ('at', models.DateTimeField()),
                ('signature', models.CharField(max_length=88)),
            ],
            options={
                'db_table': 'published_head',
            },
        ),
        migrations.CreateModel(
            name='SigningKey',
            fields=[
                ('id', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('public', models.CharField(max_length=44)),
                ('private', rooftree.db.sealed_text.SealedTextField()),
                ('from_at', models.DateTimeField()),
                ('until_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'signing_key',
            },
        ),
        migrations.RemoveIndex(
            model_name='event',
            name='event_by_person',
        ),
        migrations.AddField(
            model_name='event',
            name='person_place',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['person_id', 'person_place'], name='event_by_person_place'),
        ),
        migrations.AddConstraint(
            model_name='signingkey',
            constraint=models.UniqueConstraint(models.Value(1), condition=models.Q(('until_at', None)), name='one_key_signs'),
        ),
        migrations.AddField(
            model_name='publishedhead',
            name='key',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.signingkey'),
        ),
        migrations.RunSQL(GUARD, NO_GUARD),
    ]
