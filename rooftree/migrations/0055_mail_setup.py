"""Outgoing email is set up and checked on a page."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

import rooftree.core.uuid7
import rooftree.db.sealed_text


class Migration(migrations.Migration):
    dependencies = [
        ("rooftree", "0054_carrier_account"),
    ]

    operations = [
        migrations.CreateModel(
            name="MailSetup",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False
                    ),
                ),
                ("sender_name", models.CharField(blank=True, max_length=120)),
                ("sender_address", models.CharField(blank=True, max_length=254)),
                ("service", models.CharField(blank=True, max_length=10)),
                ("host", models.CharField(blank=True, max_length=200)),
                ("port", models.PositiveIntegerField(null=True)),
                ("security", models.CharField(blank=True, max_length=10)),
                ("user", models.CharField(blank=True, max_length=200)),
                ("secret", rooftree.db.sealed_text.SealedTextField(blank=True)),
                ("provider_domain", models.CharField(blank=True, max_length=200)),
                ("checked_at", models.DateTimeField(null=True)),
                ("checked_server", models.CharField(blank=True, max_length=500)),
                ("problem", models.CharField(blank=True, max_length=300)),
                ("trial_at", models.DateTimeField(null=True)),
                ("trial_to", models.CharField(blank=True, max_length=254)),
                ("trial_problem", models.CharField(blank=True, max_length=300)),
                ("dkim_selector", models.CharField(blank=True, max_length=100)),
                ("looked_up_at", models.DateTimeField(null=True)),
                ("looked_up_domain", models.CharField(blank=True, max_length=254)),
                ("records", models.JSONField(default=list)),
                ("lookup_problem", models.CharField(blank=True, max_length=300)),
                ("confirmed_at", models.DateTimeField(null=True)),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "mail_setup",
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(service__in=["", "smtp", "postmark", "sendgrid", "mailgun"]),
                        name="mail_setup_service_known",
                    ),
                    models.CheckConstraint(
                        condition=Q(confirmed_at=None, confirmed_by=None)
                        | Q(confirmed_at__isnull=False, confirmed_by__isnull=False),
                        name="mail_setup_confirmed_by_somebody",
                    ),
                ],
            },
        ),
    ]
