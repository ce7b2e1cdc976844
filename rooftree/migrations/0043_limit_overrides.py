"""Keep overrides of house contact limits, who can make them, and wording without a call."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import rooftree.core.uuid7


class Migration(migrations.Migration):
    dependencies = [("rooftree", "0042_lead_edits")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="overrides_limits_from",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="template",
            name="hours",
            field=models.CharField(blank=True, max_length=8),
        ),
        migrations.RemoveConstraint(model_name="template", name="template_place_known"),
        migrations.AddConstraint(
            model_name="template",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("loan_kind__in", ["", "purchase", "refinance", "equity"]),
                    ("hours__in", ["", "closed", "no_call"]),
                ),
                name="template_place_known",
            ),
        ),
        migrations.CreateModel(
            name="LimitOverride",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False
                    ),
                ),
                ("medium", models.CharField(max_length=10)),
                (
                    "limits",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), size=None
                    ),
                ),
                ("reason", models.CharField(max_length=300)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "lead",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="limit_overrides",
                        to="rooftree.lead",
                    ),
                ),
            ],
            options={
                "db_table": "limit_override",
                "indexes": [
                    models.Index(fields=["lead", "at"], name="limit_override_by_lead")
                ],
            },
        ),
    ]
