"""Messages leave by the door alone; and what somebody wrote about a claim need not stay for ever."""

from django.db import migrations

GUARD = """
create function message_leaves_by_the_door() returns trigger language plpgsql as $$
begin
    if not has_table_privilege('message', 'insert') then
        raise insufficient_privilege using message = 'Only the door lets a message go.';
    end if;
    return new;
end $$;
create trigger message_leaves_by_the_door before update of state on message for each row
    when (new.state is distinct from old.state
          and new.state in ('claimed', 'uncertain', 'sent', 'delivered', 'failed'))
    execute function message_leaves_by_the_door();
"""

# The keeper empties a note that may say who it was; the step itself stays.
EMPTIED = """
create function claim_step_is_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and new.note = '' and to_jsonb(new) - 'note' = to_jsonb(old) - 'note' then
        return new;
    end if;
    raise exception 'claim_step is append-only: a row cannot be changed or deleted.';
end $$;
create or replace trigger claim_step_append_only before update or delete on claim_step
    for each row execute function claim_step_is_append_only();
"""
NEVER = """
create or replace trigger claim_step_append_only before update or delete on claim_step
    for each row execute function row_is_append_only();
drop function claim_step_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("rooftree", "0037_words_and_purposes")]

    operations = [
        migrations.RunSQL(
            GUARD,
            "drop trigger message_leaves_by_the_door on message; "
            "drop function message_leaves_by_the_door()",
        ),
        migrations.RunSQL(EMPTIED, NEVER),
    ]
