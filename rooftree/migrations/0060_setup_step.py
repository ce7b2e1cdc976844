"""The steps of setup: owner, due date and last check."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rooftree", "0059_bulk_rate_watch"),
    ]

    operations = [
        migrations.CreateModel(
            name="SetupStep",
            fields=[
                ("key", models.SlugField(primary_key=True, serialize=False)),
                ("due_date", models.DateField(null=True)),
                ("checked_at", models.DateTimeField(null=True)),
                ("has_passed", models.BooleanField(default=False)),
                ("finding", models.CharField(blank=True, max_length=300)),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"db_table": "setup_step"},
        ),
    ]
