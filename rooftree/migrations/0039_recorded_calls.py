"""Calls are recorded after a notice, and what the telemarketing rule wants of each is kept."""

import django.db.models.deletion
import rooftree.core.uuid7
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rooftree", "0038_squashed"),
    ]

    operations = [
        migrations.CreateModel(
            name="CallRecording",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False
                    ),
                ),
                ("notice", models.CharField(max_length=600)),
                ("language", models.CharField(max_length=5)),
                ("call_id", models.CharField(blank=True, max_length=120)),
                ("told_at", models.DateTimeField(null=True)),
                ("objected_at", models.DateTimeField(null=True)),
                ("asked_at", models.DateTimeField(null=True)),
                ("carrier", models.CharField(blank=True, max_length=20)),
                ("carrier_id", models.CharField(blank=True, max_length=120)),
                ("seconds", models.PositiveIntegerField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("erase_from", models.DateTimeField(null=True)),
                ("erased_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
                ("problem", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "db_table": "call_recording",
            },
        ),
        migrations.AddField(
            model_name="company",
            name="records_calls_from",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="contactattempt",
            name="completed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="contactattempt",
            name="our_number",
            field=models.CharField(blank=True, db_default="", default="", max_length=20),
        ),
        migrations.AddField(
            model_name="contactattempt",
            name="seconds",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name="contactattempt",
            index=models.Index(
                condition=models.Q(("completed_at", None), ("medium", "call")),
                fields=["at"],
                name="call_incomplete",
            ),
        ),
        migrations.AddField(
            model_name="callrecording",
            name="attempt",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="recording",
                to="rooftree.contactattempt",
            ),
        ),
        migrations.AddField(
            model_name="callrecording",
            name="objected_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="callrecording",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["due_at"],
                name="recording_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="callrecording",
            constraint=models.CheckConstraint(
                condition=models.Q(("asked_at", None), ("told_at__isnull", False), _connector="OR"),
                name="recorded_after_notice",
            ),
        ),
        migrations.AddConstraint(
            model_name="callrecording",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("erased_at", None), ("erase_from__isnull", False), _connector="OR"
                ),
                name="recording_erased_for_a_reason",
            ),
        ),
    ]
