"""What staff tell a source: field maps in editions, and spreadsheets on their way in."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import rooftree.core.uuid7


class Migration(migrations.Migration):
    dependencies = [
        ("rooftree", "0012_staff_tasks"),
    ]

    operations = [
        migrations.AddField(
            model_name="source",
            name="setup",
            field=models.JSONField(default=dict),
        ),
        migrations.CreateModel(
            name="Spreadsheet",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField(unique=True)),
                ("file_name", models.CharField(max_length=200)),
                ("body_sha256", models.CharField(max_length=64)),
                ("columns", models.JSONField()),
                ("remarks", models.JSONField(default=list)),
                ("rows", models.BinaryField()),
                ("row_count", models.PositiveIntegerField()),
                ("lines", models.JSONField(default=list)),
                ("options", models.JSONField(default=dict)),
                ("findings", models.JSONField(default=dict)),
                ("state", models.CharField(default="columns", max_length=10)),
                ("seen_rows", models.PositiveIntegerField(default=0)),
                ("counts", models.JSONField(default=dict)),
                ("uploaded_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("undone_at", models.DateTimeField(null=True)),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="spreadsheets",
                        to="rooftree.source",
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "spreadsheet",
            },
        ),
        migrations.CreateModel(
            name="ImportedRow",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False
                    ),
                ),
                ("line", models.PositiveIntegerField()),
                ("became", models.CharField(max_length=12)),
                ("why", models.CharField(blank=True, max_length=80)),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rooftree.delivery",
                    ),
                ),
                (
                    "spreadsheet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="imported",
                        to="rooftree.spreadsheet",
                    ),
                ),
            ],
            options={
                "db_table": "imported_row",
            },
        ),
        migrations.CreateModel(
            name="MapEdition",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("lines", models.JSONField()),
                ("summary", models.CharField(blank=True, max_length=300)),
                ("published_at", models.DateTimeField()),
                (
                    "published_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="map_editions",
                        to="rooftree.source",
                    ),
                ),
            ],
            options={
                "db_table": "map_edition",
                "constraints": [
                    models.UniqueConstraint(fields=("source", "number"), name="map_edition_once")
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="spreadsheet",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["columns", "checking", "checked", "running", "done", "dropped"])
                ),
                name="spreadsheet_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="spreadsheet",
            constraint=models.CheckConstraint(
                condition=models.Q(("seen_rows__lte", models.F("row_count"))),
                name="spreadsheet_rows_seen",
            ),
        ),
        migrations.AddConstraint(
            model_name="spreadsheet",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "dropped"), _negated=True),
                fields=("source", "body_sha256"),
                name="spreadsheet_once_a_source",
            ),
        ),
        migrations.AddIndex(
            model_name="importedrow",
            index=models.Index(fields=["delivery"], name="imported_row_delivery"),
        ),
        migrations.AddConstraint(
            model_name="importedrow",
            constraint=models.UniqueConstraint(
                fields=("spreadsheet", "line"), name="imported_row_once"
            ),
        ),
    ]
