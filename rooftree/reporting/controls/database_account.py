"""Check that the program runs as a database account that doesn't own the tables."""

from dataclasses import dataclass

from rooftree.db.statements import query_row

PROTECTED_TABLES = ("event", "published_head", "verdict", "consent", "access_entry", "message")
ACCOUNT_SQL = """
select session_user::text,
       (select rolsuper from pg_roles where rolname = session_user)
       or exists (select from pg_class
                   where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
                     and pg_has_role(session_user, relowner, 'usage')),
       array(select name from unnest(%s::text[]) name
              where has_table_privilege(session_user, name, 'delete, truncate'))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseAccount:
    """The database account of this process, and the rights it has beyond its work."""

    name: str
    is_owner: bool
    removable_tables: tuple[str, ...]  # protected tables whose rows it can delete

    @property
    def is_separate(self) -> bool:
        return not self.is_owner and not self.removable_tables

    @property
    def sentence(self) -> str:
        if self.is_owner:
            return (
                f"One database account, {self.name}, owns the tables and runs the program. "
                "Triggers protect the append-only tables, and that account could switch them off."
            )
        if self.removable_tables:
            tables = ", ".join(self.removable_tables)
            return f"The program’s account, {self.name}, can delete rows from: {tables}."
        return (
            f"The program runs as {self.name}, which owns no table. It cannot change or delete "
            "append-only rows or switch off a trigger. It writes messages only as the send role."
        )


def current_account() -> DatabaseAccount:
    """Return the account of this connection and its rights, read from the database."""
    name, is_owner, removable = query_row(ACCOUNT_SQL, [list(PROTECTED_TABLES)])
    return DatabaseAccount(name=name, is_owner=is_owner, removable_tables=tuple(removable))
