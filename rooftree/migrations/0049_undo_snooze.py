"""An act that can be undone need not be a call's outcome."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("rooftree", "0048_undo_snippets_drafts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="undoableact",
            name="attempt_id",
            field=models.UUIDField(null=True),
        ),
    ]
