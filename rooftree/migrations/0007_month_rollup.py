"""The sums of the reports by month of arrival as well."""

import django.db.models.deletion
from django.db import migrations, models

import rooftree.core.uuid7

FILL = """
insert into month_rollup (id, arrival_month, source_id, branch_id, measure, bucket, amount)
select gen_random_uuid(), date_trunc('month', arrival_date)::date, source_id, branch_id,
       measure, bucket, sum(amount)
  from rollup group by 2, 3, 4, 5, 6
"""


class Migration(migrations.Migration):
    dependencies = [("rooftree", "0006_los_users")]

    operations = [
        migrations.CreateModel(
            name="MonthRollup",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False
                    ),
                ),
                ("arrival_month", models.DateField()),
                ("measure", models.CharField(max_length=16)),
                ("bucket", models.SmallIntegerField(default=0)),
                ("amount", models.BigIntegerField()),
                (
                    "branch",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="rooftree.branch",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="rooftree.source",
                    ),
                ),
            ],
            options={
                "db_table": "month_rollup",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("arrival_month", "source", "branch", "measure", "bucket"),
                        name="month_rollup_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
