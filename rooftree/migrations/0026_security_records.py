"""What people do to keep data safe, as they write it down, and what went wrong."""

import django.db.models.deletion
import rooftree.core.uuid7
from django.conf import settings
from django.db import migrations, models

GUARD = """
create trigger assurance_append_only before update or delete on assurance
    for each row execute function row_is_append_only();
"""
NO_GUARD = "drop trigger assurance_append_only on assurance;"


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0025_signed_heads'),
    ]

    operations = [
        migrations.CreateModel(
            name='Assurance',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=30)),
                ('on_date', models.DateField()),
                ('said', models.CharField(max_length=600)),
                ('document', models.CharField(blank=True, max_length=200)),
                ('figures', models.JSONField(default=dict)),
                ('at', models.DateTimeField()),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'assurance',
                'indexes': [models.Index(fields=['kind', '-on_date'], name='assurance_by_kind')],
            },
        ),
        migrations.CreateModel(
            name='Incident',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('what', models.CharField(max_length=600)),
                ('discovered_on', models.DateField()),
                ('consumers', models.PositiveIntegerField()),
                ('is_encrypted', models.BooleanField()),
                ('was_key_taken', models.BooleanField()),
                ('told_ftc_on', models.DateField(null=True)),
                ('ended', models.CharField(blank=True, max_length=600)),
                ('opened_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(null=True)),
                ('opened_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'incident',
                'indexes': [models.Index(fields=['-opened_at'], name='incident_by_time')],
            },
        ),
        migrations.RunSQL(GUARD, NO_GUARD),
    ]
