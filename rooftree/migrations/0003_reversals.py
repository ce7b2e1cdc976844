"""Revenue that is given back, and an index for reading one measure over many days."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rooftree", "0002_tasks")]

    operations = [
        migrations.RemoveConstraint(model_name="entry", name="entry_kind_known"),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(kind__in=["cost", "credit", "revenue", "reversal"]),
                name="entry_kind_known",
            ),
        ),
        migrations.AddIndex(
            model_name="rollup",
            index=models.Index(fields=["measure", "arrival_date"], name="rollup_by_measure"),
        ),
    ]
