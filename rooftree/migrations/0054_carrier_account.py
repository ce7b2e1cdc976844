"""The company's account at its carrier, entered in Setup."""

import django.contrib.postgres.fields
from django.db import migrations, models

import rooftree.db.sealed_text


class Migration(migrations.Migration):
    dependencies = [
        ("rooftree", "0053_missed_offer_rule"),
    ]

    operations = [
        migrations.CreateModel(
            name="CarrierAccount",
            fields=[
                ("id", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("account_sid", models.CharField(blank=True, max_length=34)),
                ("auth_token", rooftree.db.sealed_text.SealedTextField(blank=True)),
                (
                    "numbers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16), default=list, size=None
                    ),
                ),
                ("changed_at", models.DateTimeField(null=True)),
                ("checked_key", models.CharField(blank=True, max_length=64)),
                ("checked_at", models.DateTimeField(null=True)),
                ("problem", models.CharField(blank=True, max_length=300)),
                ("account_name", models.CharField(blank=True, max_length=80)),
                ("is_trial", models.BooleanField(default=False)),
                ("listed_numbers", models.JSONField(default=list)),
                ("trials", models.JSONField(default=dict)),
            ],
            options={"db_table": "carrier_account"},
        ),
    ]
