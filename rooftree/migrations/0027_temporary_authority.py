"""Officers with temporary authority (12 USC 5117) may have leads, for 120 days at most."""

import datetime
import django.db.models.expressions
from django.db import migrations, models

# Only the words under which an officer may originate change in the guard of 0004.
WORDS = """
do $do$ begin
    execute replace(pg_get_functiondef('entitlement_problem'::regproc), $${old}$$, $${new}$$);
end $do$;
"""
APPROVED = "lower(l.status) = 'approved'"
AUTHORIZING = "lower(l.status) in ('approved', 'temporary authority')"


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0026_security_records'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='license',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__iexact', 'Temporary Authority'), _negated=True), ('until_date__lte', django.db.models.expressions.CombinedExpression(models.F('from_date'), '+', models.Value(datetime.timedelta(days=120)))), _connector='OR'), name='temporary_authority_is_short'),
        ),
        migrations.RunSQL(
            WORDS.format(old=APPROVED, new=AUTHORIZING),
            WORDS.format(old=AUTHORIZING, new=APPROVED),
        ),
    ]
