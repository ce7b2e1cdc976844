"""Whether what runs is another account of the database than what owns it, asked of the database."""

from dataclasses import dataclass

from django.db import connection

PROTECTED_TABLES = ("event", "published_head", "verdict", "consent", "access_entry", "message")
ACCOUNT_SQL = """
select session_user::text,
       (select rolsuper from pg_roles where rolname = session_user)
       or exists (select from pg_class
                   where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
                     and pg_has_role(session_user, relowner, 'usage')),
       array(select one from unnest(%s::text[]) one
              where has_table_privilege(session_user, one, 'delete, truncate'))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseAccount:
    """The account that this process is signed in as, and what it may beyond its work."""

    name: str
    is_owner: bool
    removable_tables: tuple[str, ...]  # of the tables whose rows must stay

    @property
    def is_separate(self) -> bool:
        return not self.is_owner and not self.removable_tables

    @property
    def sentence(self) -> str:
        if self.is_owner:
            return (
                f"One database account, {self.name}, owns the tables and runs the program: what is "
                "append-only is guarded by triggers, which that account could switch off."
            )
        if self.removable_tables:
            tables = ", ".join(self.removable_tables)
            return f"The program’s account, {self.name}, may remove: {tables}."
        return (
            f"The program runs as {self.name}, which owns no table: it may not change or remove "
            "what is append-only, nor switch off a trigger, nor write a message but by the door."
        )


def current_account() -> DatabaseAccount:
    """What the database says of us now."""
    with connection.cursor() as cursor:
        cursor.execute(ACCOUNT_SQL, [list(PROTECTED_TABLES)])
        name, is_owner, may_remove = cursor.fetchone()
    return DatabaseAccount(name=name, is_owner=is_owner, removable_tables=tuple(may_remove))
