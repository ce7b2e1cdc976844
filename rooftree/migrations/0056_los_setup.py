"""A lender's own LOS names, the state of its set-up, and the unmapped statuses of a loan."""

from django.db import migrations, models
from django.db.models import Value


def _json(default):
    """Return a JSON column that starts as an empty list or object."""
    return models.JSONField(default=default, db_default=Value(default(), models.JSONField()))


class Migration(migrations.Migration):
    dependencies = [
        ("rooftree", "0055_mail_setup"),
    ]

    operations = [
        migrations.AddField(model_name="loan", name="unmapped_statuses", field=_json(list)),
        migrations.AddField(model_name="connection", name="los_milestones", field=_json(list)),
        migrations.AddField(model_name="connection", name="milestone_map", field=_json(dict)),
        migrations.AddField(model_name="connection", name="lead_fields", field=_json(dict)),
        migrations.AddField(model_name="connection", name="revenue_fields", field=_json(list)),
        migrations.AddField(model_name="connection", name="check_report", field=_json(dict)),
        migrations.AddField(
            model_name="connection",
            name="subscription_problem",
            field=models.CharField(blank=True, db_default="", max_length=500),
        ),
        *(
            migrations.AddField(
                model_name="connection", name=name, field=models.DateTimeField(null=True)
            )
            for name in ("tested_at", "subscribed_at", "checked_at")
        ),
    ]
