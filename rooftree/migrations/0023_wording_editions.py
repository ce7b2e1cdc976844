"""Wording and sequences as editions: proposed, approved by a second person, kept as they were."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

# What is in use came with the program; it is approved for a year from now.
APPROVED = """
update "{table}" set written_at = from_at, decided_at = from_at,
    approved_until = greatest(from_at, now()) + interval '365 days'
"""
GUARD = """
create function edition_is_kept() returns trigger language plpgsql as $$
declare
    moves constant text[] := array['decided_by_id', 'decided_at', 'refusal', 'is_alone',
        'from_at', 'until_at', 'approved_until', 'ended_because'];
begin
    if tg_op = 'DELETE' then
        raise exception 'An edition is kept: it cannot be deleted.';
    end if;
    if new.is_alone and exists (
        select 1 from "user" where is_active and role in ('compliance', 'administrator')
           and id <> new.decided_by_id
    ) and (tg_op = 'INSERT' or not old.is_alone) then
        raise exception 'An author approves alone only where nobody else may approve.';
    end if;
    if tg_op = 'INSERT' then
        return new;
    end if;
    if to_jsonb(new) - moves is distinct from to_jsonb(old) - moves then
        raise exception 'An edition is kept: what it says cannot be changed.';
    end if;
    if old.decided_at is not null
       and (new.decided_by_id, new.decided_at, new.refusal, new.is_alone, new.from_at)
           is distinct from
           (old.decided_by_id, old.decided_at, old.refusal, old.is_alone, old.from_at) then
        raise exception 'An edition is decided once.';
    end if;
    if old.until_at is not null and new.until_at is distinct from old.until_at then
        raise exception 'An edition ends once.';
    end if;
    if old.approved_until is not null
       and (new.approved_until is null or new.approved_until > old.approved_until) then
        raise exception 'An approval is never made longer: approve it anew.';
    end if;
    return new;
end $$;
create trigger template_kept before insert or update or delete on template
    for each row execute function edition_is_kept();
create trigger sequence_kept before insert or update or delete on sequence
    for each row execute function edition_is_kept();
"""
NO_GUARD = """
drop trigger template_kept on template;
drop trigger sequence_kept on sequence;
drop function edition_is_kept();
"""
PLACE = ["key", "medium", "language", "loan_kind", "hours"]


def person() -> models.ForeignKey:
    return models.ForeignKey(
        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+",
        to=settings.AUTH_USER_MODEL,
    )  # fmt: skip


def columns(table: str) -> list[migrations.AddField]:
    added = {
        "summary": models.CharField(blank=True, default="", max_length=300),
        "written_by": person(),
        "written_at": models.DateTimeField(null=True),
        "decided_at": models.DateTimeField(null=True),
        "refusal": models.CharField(blank=True, default="", max_length=300),
        "is_alone": models.BooleanField(default=False),
        "approved_until": models.DateTimeField(null=True),
        "ended_because": models.CharField(blank=True, default="", max_length=300),
    }
    kept = ("is_alone",)
    return [
        migrations.AddField(table, name, field, preserve_default=name in kept or field.null)
        for name, field in added.items()
    ]


def rules(table: str) -> list[migrations.AddConstraint]:
    return [
        migrations.AddConstraint(
            table,
            models.CheckConstraint(
                condition=Q(from_at=None)
                | Q(written_by=None)
                | Q(is_alone=True)
                | ~Q(decided_by=F("written_by")),
                name=f"{table}_second_person",
            ),
        ),
        migrations.AddConstraint(
            table,
            models.CheckConstraint(
                condition=Q(from_at=None)
                | Q(decided_at__isnull=False, approved_until__isnull=False)
                & (Q(decided_by__isnull=False) | Q(written_by=None)),
                name=f"{table}_approved",
            ),
        ),
    ]


def one(table: str, fields: list[str], condition: Q, name: str) -> migrations.AddConstraint:
    return migrations.AddConstraint(
        table, models.UniqueConstraint(fields=fields, condition=condition, name=name)
    )


LIVE, WAITING = Q(from_at__isnull=False, until_at=None), Q(decided_at=None)


class Migration(migrations.Migration):
    dependencies = [("rooftree", "0022_source_terms")]

    operations = [
        migrations.RenameField("template", "approved_by", "decided_by"),
        migrations.RenameField("sequence", "published_by", "decided_by"),
        *columns("template"),
        *columns("sequence"),
        *(migrations.RunSQL(APPROVED.format(table=table), migrations.RunSQL.noop)
          for table in ("template", "sequence")),
        *(migrations.AlterField(table, "written_at", models.DateTimeField())
          for table in ("template", "sequence")),
        *(migrations.AlterField(table, "from_at", models.DateTimeField(null=True))
          for table in ("template", "sequence")),
        migrations.RemoveConstraint("template", "one_live_template"),
        *rules("template"),
        *rules("sequence"),
        one("template", PLACE, LIVE, "one_live_template"),
        one("template", PLACE, WAITING, "one_waiting_template"),
        one("sequence", ["key"], LIVE, "one_live_sequence"),
        one("sequence", ["key"], WAITING, "one_waiting_sequence"),
        migrations.RunSQL(GUARD, NO_GUARD),
    ]  # fmt: skip
