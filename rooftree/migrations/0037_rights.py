"""Messages leave by the door alone: whoever may not write one may not let one go."""

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


class Migration(migrations.Migration):
    dependencies = [("rooftree", "0035_rule_changes")]

    operations = [
        migrations.RunSQL(
            GUARD,
            "drop trigger message_leaves_by_the_door on message; "
            "drop function message_leaves_by_the_door()",
        ),
    ]
