"""The database itself keeps the ledger append-only: a row may be sealed once, and nothing else."""

from django.db import migrations

GUARD = """
create function event_is_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'The ledger is append-only: an event cannot be deleted.';
    end if;
    if old.sequence is not null or new.sequence is null
       or (new.id, new.kind, new.lead_id, new.person_id, new.actor, new.data,
           new.occurred_at, new.recorded_at)
          is distinct from
          (old.id, old.kind, old.lead_id, old.person_id, old.actor, old.data,
           old.occurred_at, old.recorded_at) then
        raise exception 'The ledger is append-only: an event cannot be changed.';
    end if;
    return new;
end $$;
create trigger event_append_only before update or delete on event
    for each row execute function event_is_append_only();
"""
NO_GUARD = """
drop trigger event_append_only on event;
drop function event_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("rooftree", "0007_month_rollup")]

    operations = [migrations.RunSQL(GUARD, NO_GUARD)]
