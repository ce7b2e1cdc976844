"""Temporary authority without an end is refused as well: a comparison with nothing had passed."""

import datetime
import django.db.models.expressions
from django.db import migrations, models

# What was let through ends where it should have. Whom that leaves unlicensed gives leads back.
END_THEM = """
update license set until_date = from_date + 120
 where lower(status) = 'temporary authority' and until_date is null;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0033_keeping'),
    ]

    operations = [
        migrations.RunSQL(END_THEM, migrations.RunSQL.noop),
        migrations.RemoveConstraint(
            model_name='license',
            name='temporary_authority_is_short',
        ),
        migrations.AddConstraint(
            model_name='license',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__iexact', 'Temporary Authority'), _negated=True), models.Q(('until_date__isnull', False), ('until_date__lte', django.db.models.expressions.CombinedExpression(models.F('from_date'), '+', models.Value(datetime.timedelta(days=120))))), _connector='OR'), name='temporary_authority_is_short'),
        ),
    ]
