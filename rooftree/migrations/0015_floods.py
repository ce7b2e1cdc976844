"""How much of a source is taken a minute, and how much was turned away."""

import django.db.models.deletion
from django.db import migrations, models

import rooftree.core.uuid7


class Migration(migrations.Migration):
    dependencies = [
        ("rooftree", "0014_wording_by_hour"),
    ]

    operations = [
        migrations.AddField(
            model_name="source",
            name="per_minute",
            field=models.PositiveIntegerField(db_default=6000, default=6000, null=True),
        ),
        migrations.CreateModel(
            name="Flood",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False
                    ),
                ),
                ("on_date", models.DateField()),
                ("count", models.PositiveIntegerField(default=0)),
                ("last_at", models.DateTimeField()),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="floods",
                        to="rooftree.source",
                    ),
                ),
            ],
            options={
                "db_table": "flood",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "on_date"), name="floods_once_a_day"
                    )
                ],
            },
        ),
    ]
