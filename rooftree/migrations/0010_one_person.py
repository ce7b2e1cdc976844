"""One human is one person: merging and splitting, names to look up, whose a text is."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import rooftree.core.uuid7

# A name as people are looked up by; those of new people are written in full by the product.
NAMES = """
update person
   set name_key = trim(regexp_replace(lower(first_name || ' ' || last_name), '[^[:alnum:]]+', ' ', 'g'))
 where first_name <> '' or last_name <> ''
"""

# What a vendor calls its own is unique at one account of ours, which is one source.
KEYS = """
update delivery_key
   set key = replace(delivery.source_id::text, '-', '') || ':' || key
  from delivery
 where delivery.id = delivery_key.delivery_id and length(key) <= 267
"""
KEYS_BACK = "update delivery_key set key = substr(key, 34) where key ~ '^[0-9a-f]{32}:'"


class Migration(migrations.Migration):
    dependencies = [
        ("rooftree", "0009_sending_pause"),
    ]

    operations = [
        migrations.CreateModel(
            name="LoanChange",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False
                    ),
                ),
                ("state", models.CharField(default="pending", max_length=12)),
                ("record", models.JSONField()),
                ("wanted", models.JSONField()),
                ("left", models.JSONField(default=dict)),
                ("asked_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("done_at", models.DateTimeField(null=True)),
                ("problem", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "db_table": "loan_change",
            },
        ),
        migrations.CreateModel(
            name="PersonMerge",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False
                    ),
                ),
                ("reason", models.CharField(max_length=24)),
                ("evidence", models.CharField(blank=True, max_length=200)),
                ("moved", models.JSONField()),
                ("changed", models.JSONField()),
                ("at", models.DateTimeField()),
                ("split_at", models.DateTimeField(null=True)),
                ("split_reason", models.CharField(blank=True, max_length=24)),
            ],
            options={
                "db_table": "person_merge",
            },
        ),
        migrations.CreateModel(
            name="UnmatchedText",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False
                    ),
                ),
                ("carrier", models.CharField(max_length=20)),
                ("carrier_id", models.CharField(max_length=120)),
                ("from_address", models.CharField(max_length=254)),
                ("body", models.TextField()),
                ("meaning", models.CharField(max_length=16)),
                ("at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "unmatched_text",
            },
        ),
        migrations.AddField(
            model_name="email",
            name="stated_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="person",
            name="merged_into",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="absorbed",
                to="rooftree.person",
            ),
        ),
        migrations.AddField(
            model_name="person",
            name="name_key",
            field=models.CharField(blank=True, db_default="", max_length=250),
        ),
        migrations.AddField(
            model_name="phone",
            name="stated_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state", "uncertain")),
                fields=["due_at"],
                name="message_uncertain",
            ),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(
                condition=models.Q(("name_key", ""), _negated=True),
                fields=["name_key"],
                name="person_by_name",
            ),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", False)),
                fields=["merged_into"],
                name="person_parts",
            ),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("merged_into", None),
                    models.Q(("merged_into", models.F("id")), _negated=True),
                    _connector="OR",
                ),
                name="merged_into_another",
            ),
        ),
        migrations.AddField(
            model_name="loanchange",
            name="asked_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="loanchange",
            name="handoff",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="changes",
                to="rooftree.handoff",
            ),
        ),
        migrations.AddField(
            model_name="personmerge",
            name="by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="personmerge",
            name="gone",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merged_as",
                to="rooftree.person",
            ),
        ),
        migrations.AddField(
            model_name="personmerge",
            name="kept",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merges",
                to="rooftree.person",
            ),
        ),
        migrations.AddField(
            model_name="personmerge",
            name="split_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="unmatchedtext",
            name="closed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="unmatchedtext",
            name="message",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="unmatched",
                to="rooftree.message",
            ),
        ),
        migrations.AddIndex(
            model_name="loanchange",
            index=models.Index(
                condition=models.Q(("state", "pending")), fields=["due_at"], name="loan_change_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="loanchange",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["pending", "done", "rejected"])),
                name="loan_change_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="personmerge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("split_at", None)), fields=("gone",), name="part_of_one_person"
            ),
        ),
        migrations.AddIndex(
            model_name="unmatchedtext",
            index=models.Index(
                condition=models.Q(("closed_at", None)), fields=["at"], name="unmatched_open"
            ),
        ),
        migrations.AddIndex(
            model_name="unmatchedtext",
            index=models.Index(fields=["from_address"], name="unmatched_by_number"),
        ),
        migrations.AddConstraint(
            model_name="unmatchedtext",
            constraint=models.UniqueConstraint(
                fields=("carrier", "carrier_id"), name="unmatched_once_at_carrier"
            ),
        ),
        migrations.RunSQL(NAMES, migrations.RunSQL.noop),
        migrations.RunSQL(KEYS, KEYS_BACK),
    ]
