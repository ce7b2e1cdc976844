"""Rate watches for several leads at once."""

from django.db import migrations, models
from django.db.models import Q

KINDS = ("reassign", "snooze", "tag", "enroll", "watch")


class Migration(migrations.Migration):
    dependencies = [
        ("rooftree", "0058_source_editing"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="bulkaction", name="bulk_action_kind_known"),
        migrations.AddConstraint(
            model_name="bulkaction",
            constraint=models.CheckConstraint(
                condition=Q(kind__in=KINDS), name="bulk_action_kind_known"
            ),
        ),
    ]
