"""Tasks with an owner and an end, a reason for a snooze, one outcome a call, people's decisions."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

import rooftree.core.uuid7

# Until now the kind was the first word of the cause. Of several open ones the newest stays.
KINDS = """
update task set kind = split_part(cause, ':', 1) where kind = 'typed';
update task old set cancelled_at = old.due_at, cancelled_because = 'A later one took its place.'
 where old.kind <> 'typed' and old.done_at is null and exists (
       select from task newer where newer.lead_id = old.lead_id and newer.kind = old.kind
          and newer.done_at is null and newer.id > old.id);
"""


class Migration(migrations.Migration):
    dependencies = [("rooftree", "0011_sign_in")]

    operations = [
        migrations.AddField("task", "kind", models.CharField(default="typed", max_length=60)),
        migrations.AddField(
            "task", "role", models.CharField(blank=True, default="", max_length=16)
        ),
        migrations.AddField(
            "task",
            "done_by",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField("task", "cancelled_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "task", "cancelled_because", models.CharField(blank=True, default="", max_length=200)
        ),
        migrations.RunSQL(KINDS, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "task",
            models.UniqueConstraint(
                condition=Q(cancelled_at=None, done_at=None) & ~Q(kind__in=("typed",)),
                fields=("lead", "kind"),
                name="one_open_task_a_kind",
            ),
        ),
        migrations.AddConstraint(
            "task",
            models.CheckConstraint(
                condition=Q(done_at=None) | Q(cancelled_at=None), name="task_done_or_cancelled"
            ),
        ),
        migrations.AddIndex(
            "task",
            models.Index(
                condition=Q(cancelled_at=None, done_at=None),
                fields=["due_at"],
                name="task_open_by_due",
            ),
        ),
        migrations.AddField(
            "lead", "snoozed_because", models.CharField(blank=True, default="", max_length=200)
        ),
        migrations.AddField("contactattempt", "result_at", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "message",
            models.Index(
                condition=Q(state="review"), fields=["created_at"], name="message_in_review"
            ),
        ),
        migrations.CreateModel(
            name="MessageReview",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False
                    ),
                ),
                ("is_release", models.BooleanField()),
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
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reviews",
                        to="rooftree.message",
                    ),
                ),
                (
                    "verdict",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rooftree.verdict",
                    ),
                ),
            ],
            options={"db_table": "message_review"},
        ),
    ]
