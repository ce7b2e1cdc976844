"""Who could be asked is written once between two changes of staff, not once a lead."""

from django.db import migrations, models

import rooftree.core.uuid7


class Migration(migrations.Migration):
    dependencies = [
        ("rooftree", "0015_floods"),
    ]

    operations = [
        migrations.CreateModel(
            name="Roster",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False
                    ),
                ),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("people", models.JSONField()),
                ("at", models.DateTimeField()),
            ],
            options={"db_table": "roster"},
        ),
    ]
