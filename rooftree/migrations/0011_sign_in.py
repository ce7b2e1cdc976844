"""Sessions whose owner is known, the access log, keys of machines, and counted tries."""

import django.contrib.postgres.fields
import django.db.models.deletion
import rooftree.core.uuid7
from django.conf import settings
from django.db import migrations, models

GUARD = """
create function access_entry_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'The access log is append-only.';
end $$;
create trigger access_entry_append_only before update or delete on access_entry
    for each row execute function access_entry_is_append_only();
"""
NO_GUARD = """
drop trigger access_entry_append_only on access_entry;
drop function access_entry_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("rooftree", "0010_one_person")]

    operations = [
        migrations.CreateModel(
            name="AccessEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                ("kind", models.CharField(max_length=30)),
                ("tried", models.CharField(blank=True, max_length=16)),
                ("address", models.CharField(blank=True, max_length=43)),
                ("device", models.CharField(blank=True, max_length=60)),
                ("factor", models.CharField(blank=True, max_length=20)),
                ("lead_id", models.UUIDField(null=True)),
                ("subject", models.CharField(blank=True, max_length=120)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("number", models.IntegerField(null=True)),
            ],
            options={
                "db_table": "access_entry",
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("start", models.CharField(max_length=12, unique=True)),
                ("secret_hash", models.CharField(max_length=64)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=30)
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "api_key",
            },
        ),
        migrations.CreateModel(
            name="StaffSession",
            fields=[
                (
                    "session_key",
                    models.CharField(
                        max_length=40, primary_key=True, serialize=False, verbose_name="session key"
                    ),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("began_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("factor", models.CharField(blank=True, max_length=20)),
                ("device", models.CharField(blank=True, max_length=60)),
                ("address", models.CharField(blank=True, max_length=43)),
            ],
            options={
                "db_table": "staff_session",
            },
        ),
        migrations.CreateModel(
            name="Throttle",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("began_at", models.DateTimeField()),
                ("count", models.IntegerField()),
            ],
            options={
                "db_table": "throttle",
            },
        ),
        migrations.AddField(
            model_name="accessentry",
            name="user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="created_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="api_keys",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="accessentry",
            name="api_key",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="rooftree.apikey",
            ),
        ),
        migrations.AddField(
            model_name="staffsession",
            name="user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="sessions",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="throttle",
            index=models.Index(fields=["began_at"], name="throttle_by_age"),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("created_at"))),
                name="api_key_ends_later",
            ),
        ),
        migrations.AddIndex(
            model_name="accessentry",
            index=models.Index(fields=["-at"], name="access_entry_by_time"),
        ),
        migrations.AddIndex(
            model_name="accessentry",
            index=models.Index(fields=["user", "-at"], name="access_entry_by_user"),
        ),
        migrations.AddIndex(
            model_name="accessentry",
            index=models.Index(
                condition=models.Q(("lead_id__isnull", False)),
                fields=["lead_id"],
                name="access_entry_by_lead",
            ),
        ),
        migrations.AddIndex(
            model_name="staffsession",
            index=models.Index(fields=["user"], name="staff_session_by_user"),
        ),
        migrations.AddIndex(
            model_name="staffsession",
            index=models.Index(fields=["expire_date"], name="staff_session_by_end"),
        ),
        migrations.RunSQL(GUARD, NO_GUARD),
    ]
