"""A long spreadsheet is kept in parts, so that a step reads only the rows it needs."""

import json
import zlib

import django.db.models.deletion
from django.db import migrations, models

import rooftree.core.uuid7

PART = 500
STATES = ["columns", "checking", "checked", "running", "done", "undoing", "dropped"]


def divide(apps, schema_editor):
    sheets, parts = (apps.get_model("rooftree", n) for n in ("Spreadsheet", "SpreadsheetPart"))
    for sheet in sheets.objects.exclude(rows=b"").iterator(1):
        rows = json.loads(zlib.decompress(bytes(sheet.rows)))
        for nth, begin in enumerate(range(0, len(rows), PART)):
            said = json.dumps(rows[begin : begin + PART], ensure_ascii=False)
            packed = zlib.compress(said.encode("utf-8", "replace"), 6)
            parts.objects.create(spreadsheet=sheet, nth=nth, rows=packed)


class Migration(migrations.Migration):
    dependencies = [("rooftree", "0019_dnc_registries")]

    operations = [
        migrations.CreateModel(
            name="SpreadsheetPart",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False
                    ),
                ),
                ("nth", models.PositiveIntegerField()),
                ("rows", models.BinaryField()),
                (
                    "spreadsheet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="rooftree.spreadsheet",
                    ),
                ),
            ],
            options={"db_table": "spreadsheet_part"},
        ),
        migrations.AddConstraint(
            model_name="spreadsheetpart",
            constraint=models.UniqueConstraint(
                fields=("spreadsheet", "nth"), name="spreadsheet_part_once"
            ),
        ),
        migrations.RunPython(divide, migrations.RunPython.noop),
        migrations.RemoveField(model_name="spreadsheet", name="rows"),
        migrations.RemoveConstraint(model_name="spreadsheet", name="spreadsheet_state_known"),
        migrations.AddConstraint(
            model_name="spreadsheet",
            constraint=models.CheckConstraint(
                condition=models.Q(state__in=STATES), name="spreadsheet_state_known"
            ),
        ),
    ]
