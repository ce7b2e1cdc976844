"""Guards broken on purpose, so that the proofs are seen to fail. Never part of a clean run."""

from django.db import connection

WAYS = {
    # An acknowledged delivery vanishes now and then.
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
    # What was handed over with an unknown fate is put in line again.
    "repeat": """
        create function sabotage() returns trigger language plpgsql as $$
        begin new.state := 'waiting'; new.due_at := now(); return new; end $$;
        create trigger sabotage before update on message
        for each row when (new.state = 'uncertain') execute function sabotage();
    """,
    # A STOP is taken and not kept.
    "deafen": """
        create function sabotage() returns trigger language plpgsql as $$
        begin delete from revocation where id = new.id; return null; end $$;
        create constraint trigger sabotage after insert on revocation
        deferrable initially deferred for each row execute function sabotage();
    """,
    # A hand-off of unknown fate is made anew instead of looked up.
    "remake": """
        create function sabotage() returns trigger language plpgsql as $$
        begin new.state := 'pending'; new.due_at := now(); return new; end $$;
        create trigger sabotage before update on handoff
        for each row when (new.state = 'uncertain') execute function sabotage();
    """,
}


def commit(way: str) -> None:
    """Break the guard of this name in the running database."""
    with connection.cursor() as cursor:
        cursor.execute(WAYS[way])
