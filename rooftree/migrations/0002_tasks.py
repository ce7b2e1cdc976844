"""The tables of the job queue, as the pinned queue package lays them out."""

from django.db import migrations
from oban.schema import install_sql, uninstall_sql

# The queue refuses a priority above 9 only while fetching, and then stands still.
FENCE = "alter table oban_jobs add constraint priority_is_fetchable check (priority <= 9)"


class Migration(migrations.Migration):
    dependencies = [("rooftree", "0001_tables")]

    operations = [
        migrations.RunSQL(
            install_sql(),
            uninstall_sql() + "; drop function if exists oban_count_estimate(text, text)",
        ),
        migrations.RunSQL(FENCE, migrations.RunSQL.noop),
    ]
