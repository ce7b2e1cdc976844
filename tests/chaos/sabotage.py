"""Guards broken on purpose, to see the checks fail. Never part of a clean run."""

from django.db import connection

SABOTAGES = {
    # Some acknowledged deliveries are deleted.
    "lose": """
        create function sabotage() returns trigger language plpgsql as $$
        begin
          delete from delivery_key where delivery_id = new.id;
          delete from delivery where id = new.id;
          return null;
        end $$;
        create constraint trigger sabotage after insert on delivery deferrable initially deferred
        for each row when (right(new.id::text, 1) in ('3', '7')) execute function sabotage();
    """,
    # A message with an unknown outcome is queued again.
    "repeat": """
        create function sabotage() returns trigger language plpgsql as $$
        begin new.state := 'waiting'; new.due_at := now(); return new; end $$;
        create trigger sabotage before update on message
        for each row when (new.state = 'uncertain') execute function sabotage();
    """,
    # A STOP is acknowledged and not stored.
    "deafen": """
        create function sabotage() returns trigger language plpgsql as $$
        begin delete from revocation where id = new.id; return null; end $$;
        create constraint trigger sabotage after insert on revocation
        deferrable initially deferred for each row execute function sabotage();
    """,
    # A hand-off with an unknown outcome is repeated instead of looked up.
    "remake": """
        create function sabotage() returns trigger language plpgsql as $$
        begin new.state := 'pending'; new.due_at := now(); return new; end $$;
        create trigger sabotage before update on handoff
        for each row when (new.state = 'uncertain') execute function sabotage();
    """,
}


def break_guard(name: str) -> None:
    """Break the guard with this name in the running database."""
    with connection.cursor() as cursor:
        cursor.execute(SABOTAGES[name])
