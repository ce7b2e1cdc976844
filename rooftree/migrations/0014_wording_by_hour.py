"""Wording by kind of loan and hour, and the hours in which the company calls."""

from django.db import migrations, models

import rooftree.org.models


class Migration(migrations.Migration):
    dependencies = [("rooftree", "0013_generic_and_spreadsheets")]

    operations = [
        migrations.AddField(
            "company", "hours", models.JSONField(default=rooftree.org.models.office_hours)
        ),
        migrations.AddField(
            "loanofficer", "is_texted", models.BooleanField(default=True, db_default=True)
        ),
        migrations.AddField("ring", "texted_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "template", "loan_kind", models.CharField(blank=True, default="", max_length=10),
            preserve_default=False,
        ),
        migrations.AddField(
            "template", "hours", models.CharField(blank=True, default="", max_length=6),
            preserve_default=False,
        ),
        migrations.RemoveConstraint("template", "template_edition_once"),
        migrations.RemoveConstraint("template", "one_live_template"),
        migrations.AddConstraint(
            "template",
            models.UniqueConstraint(
                fields=["key", "medium", "language", "loan_kind", "hours", "version"],
                name="template_edition_once",
            ),
        ),
        migrations.AddConstraint(
            "template",
            models.UniqueConstraint(
                fields=["key", "medium", "language", "loan_kind", "hours"],
                condition=models.Q(until_at=None),
                name="one_live_template",
            ),
        ),
        migrations.AddConstraint(
            "template",
            models.CheckConstraint(
                condition=models.Q(loan_kind__in=["", "purchase", "refinance", "equity"])
                & models.Q(hours__in=["", "closed"]),
                name="template_place_known",
            ),
        ),
    ]  # fmt: skip
