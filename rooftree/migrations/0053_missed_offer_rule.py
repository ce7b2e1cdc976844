"""A company's rule for officers who miss offers."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("rooftree", "0052_lock_free_entitlement"),
    ]

    operations = [
        migrations.AddField(
            model_name="company",
            name="missed_offers_limit",
            field=models.PositiveSmallIntegerField(db_default=2, default=2),
        ),
        migrations.AddField(
            model_name="company",
            name="missed_offers_hours",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="company",
            name="missed_offers_off_hours",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddConstraint(
            model_name="company",
            constraint=models.CheckConstraint(
                condition=Q(missed_offers_limit__lte=5), name="company_missed_offers_few"
            ),
        ),
    ]
