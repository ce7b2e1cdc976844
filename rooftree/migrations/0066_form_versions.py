"""Versions of our own form: questions, texts and consent text, published by a second person."""

import django.db.models.deletion
import rooftree.core.uuid7
from django.conf import settings
from django.db import migrations, models

# A version stays as it was written, and is decided once, by an approver.
GUARD = """
create or replace function form_version_is_kept() returns trigger language plpgsql as $$
declare
    moves constant text[] := array['decided_by_id', 'decided_at', 'decision_reason',
        'published_at'];
begin
    if tg_op = 'DELETE' then
        raise exception 'A form version is kept: it cannot be deleted.';
    end if;
    if tg_op = 'INSERT' and new.restores_id is null and new.decided_at is not null then
        raise exception 'A form version waits before it is decided.';
    end if;
    if tg_op = 'INSERT' and new.restores_id is not null and not exists (
        select 1 from form_version v where v.id = new.restores_id
           and v.source_id = new.source_id and v.published_at is not null
           and v.content = new.content
    ) then
        raise exception 'Only the content of a published version can be restored.';
    end if;
    if tg_op = 'UPDATE' and old.decided_at is not null then
        raise exception 'A form version is decided once, and never edited.';
    end if;
    if tg_op = 'UPDATE' and to_jsonb(new) - moves is distinct from to_jsonb(old) - moves then
        raise exception 'A form version is kept: what it says cannot be changed.';
    end if;
    if new.published_at is not null and not exists (
        select 1 from "user" where id = new.decided_by_id and is_active
           and roles && array['compliance', 'administrator']::varchar[]
    ) then
        raise exception 'Compliance or an administrator publishes a form version.';
    end if;
    return new;
end $$;
create or replace trigger form_version_kept before insert or update or delete on "form_version"
    for each row execute function form_version_is_kept();
"""
NO_GUARD = """
drop trigger form_version_kept on form_version;
drop function form_version_is_kept();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0065_shadow_mode'),
    ]

    operations = [
        migrations.CreateModel(
            name='FormVersion',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('content', models.JSONField()),
                ('summary', models.CharField(max_length=300)),
                ('written_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_reason', models.CharField(blank=True, max_length=300)),
                ('published_at', models.DateTimeField(null=True)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('restores', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.formversion')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='form_versions', to='rooftree.source')),
                ('written_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'form_version',
                'constraints': [models.UniqueConstraint(fields=('source', 'number'), name='form_version_once'), models.UniqueConstraint(condition=models.Q(('decided_at', None)), fields=('source',), name='one_waiting_form_version'), models.CheckConstraint(condition=models.Q(('published_at', None), ('restores__isnull', False), models.Q(('decided_by', models.F('written_by')), _negated=True), _connector='OR'), name='form_version_second_person'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('decision_reason', ''), ('published_at', None)), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), models.Q(('decision_reason', ''), _negated=True)), _connector='OR'), name='form_version_decided_with_reason'), models.CheckConstraint(condition=models.Q(('summary', ''), _negated=True), name='form_version_says_why')],
            },
        ),
        migrations.RunSQL(GUARD, NO_GUARD),
    ]
