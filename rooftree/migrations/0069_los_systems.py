"""Connections to several systems: their own settings, the leads they take, what a push said."""

from django.db import migrations, models
from django.db.models import Value


def _json(default: type[dict[str, object]] | type[list[object]]) -> models.JSONField:
    return models.JSONField(default=default, db_default=Value(default(), models.JSONField()))


class Migration(migrations.Migration):
    dependencies = [("rooftree", "0066_form_versions")]

    operations = [
        migrations.AddField("connection", "options", _json(dict)),
        migrations.AddField(
            "connection", "position", models.PositiveSmallIntegerField(default=0, db_default=0)
        ),
        migrations.AddField("connection", "branch_ids", _json(list)),
        migrations.AddField("connection", "purposes", _json(list)),
        migrations.AddField(
            "connection", "is_for_tests", models.BooleanField(default=False, db_default=False)
        ),
        migrations.AddField("losevent", "content", _json(dict)),
        migrations.AddField("handoff", "later_fields", _json(dict)),
        migrations.RemoveIndex("handoff", "handoff_due"),
        migrations.AddIndex(
            "handoff",
            models.Index(
                fields=["due_at"], condition=models.Q(due_at__isnull=False), name="handoff_due"
            ),
        ),
    ]
