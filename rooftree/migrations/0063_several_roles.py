"""Let a user hold several roles: `roles`, the primary one first, replaces `role`."""

import django.contrib.postgres.fields
from django.db import migrations, models
from django.db.models import Q

ROLES = [
    "officer", "assistant", "manager", "operations", "marketing", "compliance", "executive",
    "administrator", "partner",
]  # fmt: skip

RULE_CHANGE_IS_KEPT = """
create or replace function rule_change_is_kept() returns trigger language plpgsql as $$
declare
    moves constant text[] := array['dry_run', 'tried_at', 'approved_by_id', 'approved_at',
        'dropped_by_id', 'dropped_at', 'drop_reason'];
begin
    if tg_op = 'DELETE' then
        raise exception 'A rule change is kept: it cannot be deleted.';
    end if;
    if tg_op = 'INSERT' then
        if new.approved_at is not null or new.dropped_at is not null then
            raise exception 'A rule change waits before it is decided.';
        end if;
        if new.withdraws_id is not null and not exists (
            select 1 from rule_change c where c.id = new.withdraws_id and c.withdraws_id is null
               and c.approved_at is not null and (c.place, c.item) = (new.place, new.item)
        ) then
            raise exception 'Only an approved change of the same value can be withdrawn.';
        end if;
        return new;
    end if;
    if old.approved_at is not null or old.dropped_at is not null then
        raise exception 'A rule change is decided once, and never edited.';
    end if;
    if to_jsonb(new) - moves is distinct from to_jsonb(old) - moves then
        raise exception 'A rule change is kept: what it says cannot be changed.';
    end if;
    if new.approved_at is not null then
        if not exists (
            select 1 from "user" where id = new.approved_by_id and is_active
               and 'compliance' = any(roles) and branch_id is null
        ) then
            raise exception 'Compliance of the whole company approves a rule change.';
        end if;
        if new.from_date < (new.approved_at at time zone 'UTC')::date - 1 then
            raise exception 'A rule change counts for no day that is over.';
        end if;
    end if;
    return new;
end $$
"""

EDITION_IS_KEPT = """
create or replace function edition_is_kept() returns trigger language plpgsql as $$
declare
    moves constant text[] := array['decided_by_id', 'decided_at', 'refusal', 'is_alone',
        'from_at', 'until_at', 'approved_until', 'end_reason'];
begin
    if tg_op = 'DELETE' then
        raise exception 'An edition is kept: it cannot be deleted.';
    end if;
    if new.is_alone and exists (
        select 1 from "user" where is_active
           and roles && array['compliance', 'administrator']::varchar[] and id <> new.decided_by_id
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
end $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("rooftree", "0060_setup_step"),
    ]

    operations = [
        migrations.AddField(
            "user",
            "roles",
            django.contrib.postgres.fields.ArrayField(
                models.CharField(max_length=20), default=list, size=None
            ),
            preserve_default=False,
        ),
        migrations.RunSQL('update "user" set roles = array[role]'),
        migrations.RemoveConstraint("user", "user_role_known"),
        migrations.RemoveField("user", "role"),
        migrations.AddConstraint(
            "user",
            models.CheckConstraint(
                condition=Q(roles__contained_by=ROLES, roles__len__gte=1), name="user_roles_known"
            ),
        ),
        migrations.AddConstraint(
            "user",
            models.CheckConstraint(
                condition=~Q(roles__contains=["partner"]) | Q(roles__len=1),
                name="user_partner_is_no_staff",
            ),
        ),
        migrations.AddConstraint(
            "user",
            models.CheckConstraint(
                condition=~Q(
                    roles__contains=["compliance"],
                    roles__overlap=["officer", "assistant", "manager"],
                ),
                name="user_compliance_is_apart",
            ),
        ),
        migrations.RunSQL([RULE_CHANGE_IS_KEPT, EDITION_IS_KEPT]),
    ]
