"""Numbers are asked about at a vendor; a folder is watched for do-not-contact files."""

import django.contrib.postgres.fields
import django.db.models.deletion
import rooftree.compliance.numbers.number_vendor
import rooftree.core.uuid7
import rooftree.db.sealed_text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rooftree", "0035_rule_changes"),
    ]

    operations = [
        migrations.CreateModel(
            name="NumberService",
            fields=[
                ("id", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("key", rooftree.db.sealed_text.SealedTextField()),
                ("project", models.CharField(blank=True, max_length=60)),
                (
                    "covers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=9), default=list
                    ),
                ),
                ("asks_reassigned", models.BooleanField(default=False)),
                ("changed_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                ("failing_since", models.DateTimeField(null=True)),
                ("problem", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "db_table": "number_service",
            },
        ),
        migrations.AddField(
            model_name="dncfile",
            name="strays",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.CreateModel(
            name="DncFound",
            fields=[
                ("path", models.CharField(max_length=300, primary_key=True, serialize=False)),
                ("size", models.BigIntegerField()),
                ("changed_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("problem", models.CharField(blank=True, max_length=300)),
                (
                    "file",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rooftree.dncfile",
                    ),
                ),
            ],
            options={
                "db_table": "dnc_found",
            },
        ),
        migrations.CreateModel(
            name="NumberQuestion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(max_length=10)),
                ("number", models.CharField(max_length=16)),
                ("since", models.DateField(null=True)),
                ("asked_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("problem", models.CharField(blank=True, max_length=300)),
                ("service", models.CharField(blank=True, max_length=20)),
                ("answered_at", models.DateTimeField(null=True)),
                ("response", models.CharField(blank=True, max_length=7)),
                (
                    "covers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=9), default=list
                    ),
                ),
                (
                    "listed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=9), default=list
                    ),
                ),
                ("said", models.JSONField(null=True)),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="rooftree.person",
                    ),
                ),
            ],
            options={
                "db_table": "number_question",
                "indexes": [
                    models.Index(
                        condition=models.Q(("answered_at", None)),
                        fields=["kind", "due_at"],
                        name="question_due",
                    ),
                    models.Index(
                        fields=["number", "kind", "-answered_at"], name="question_of_number"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind", rooftree.compliance.numbers.number_vendor.QuestionKind["LISTS"]),
                                ("response", ""),
                                ("since", None),
                            ),
                            models.Q(
                                ("covers", []),
                                ("kind", rooftree.compliance.numbers.number_vendor.QuestionKind["REASSIGNED"]),
                                ("since__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="question_of_its_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("answered_at", None),
                                ("due_at__isnull", False),
                                ("said__isnull", True),
                            ),
                            models.Q(
                                ("answered_at__isnull", False),
                                ("due_at", None),
                                ("said__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="question_open_or_answered",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("answered_at", None)),
                        fields=("kind", "number", "since", "person"),
                        name="one_open_question",
                        nulls_distinct=False,
                    ),
                ],
            },
        ),
    ]
