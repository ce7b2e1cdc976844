"""What the running program may do with each table, said to the database by the owner.

The program may read everything; add and change rows where nothing is said here; and delete
only where it says so. For three acts it takes a right (`tasks.postgresql.right`): the door
writes messages, the keeper removes what is no longer kept, the sealer gives events their
place. Nothing of it may empty, alter or make a table.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg import sql

from rooftree.core import database_roles
from rooftree.core.embedded_database import StartupError

# Rows that are added and stay as they are.
APPEND_ONLY = frozenset(
    {
        *("event", "published_head", "access_entry", "assurance", "fair_report"),
        *("verdict", "consent", "revocation", "lead_basis", "message_review"),
        *("money_entry", "claim_step", "partner_permission", "thing_of_value"),
        *("routing_decision", "rule_set", "map_edition", "score", "rate_observation"),
    }
)
# Of those, and of messages, the columns that change all the same: whose a row is found to be...
UPDATABLE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "verdict": ("person_id",),
    "consent": ("person_id",),
    "revocation": ("person_id", "ended_at", "ended_by"),
    "message": (
        *("state", "due_at", "problem", "person_id", "release_id", "read_at", "opened_at"),
    ),
}
# What is of use for a while: sessions, sums that are counted anew, drafts, the queue.
DELETABLE = frozenset(
    {
        *("staff_session", "mfa_authenticator", "throttle", "assistance"),
        *("delta", "rollup", "month_rollup", "dnc_block"),
        *("bid", "form_draft", "past_entry", "spreadsheet_part", "number_service"),
        "call_recording",  # of a call that is no longer kept, once the carrier has erased it
        *("oban_jobs", "oban_leaders", "oban_producers"),
    }
)
OWNER_ONLY = frozenset(
    {"django_migrations", "django_content_type", "auth_permission", "auth_group"}
)
# What the keeper deletes from, or changes where the program may not (`compliance.keeping`).
KEEPER_TABLES = frozenset(
    {
        *("message", "message_review", "unmatched_text", "verdict", "contact_attempt", "consent"),
        *("lead_basis", "revocation", "certificate", "form_certificate", "past_entry"),
        *("remark", "signal", "task", "score", "rate_watch", "los_event", "spreadsheet_part"),
        *("staff_notice", "access_entry", "likeness", "phone", "email", "routing_decision"),
        *("release_member", "claim_step"),
    }
)
SEQUENCE_PRIVILEGES = ("SELECT", "USAGE")  # to read is what a backup wants
SEALER_COLUMNS = ("sequence", "person_place", "chain_hash")

type Grant = tuple[str, str, str, str]  # right, table, column or "", privilege

SELECT_TABLES = """
select relname, relkind = 'S' from pg_class
 where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'S')
"""
SELECT_GRANTS = """
with given as (
    select c.relname, '' as attname, a.grantee, a.privilege_type
      from pg_class c, aclexplode(c.relacl) a
     where c.relnamespace = 'public'::regnamespace
 union all
    select c.relname, t.attname, a.grantee, a.privilege_type
      from pg_class c join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
     where c.relnamespace = 'public'::regnamespace and not t.attisdropped
)
select r.rolname, g.relname, g.attname, g.privilege_type
  from given g join pg_roles r on r.oid = g.grantee where r.rolname = any(%s)
"""


def expected_grants(tables: Iterable[str], sequences: Iterable[str]) -> set[Grant]:
    """Everything that the program and its rights may, of a database with these tables."""
    found: set[Grant] = set()
    for right in ("", *database_roles.ROLE_SUFFIXES):
        found |= {
            (right, sequence, "", may) for sequence in sequences for may in SEQUENCE_PRIVILEGES
        }
        for table in tables:
            found |= {
                (right, table, column, may) for column, may in _table_privileges(right, table)
            }
    return found


def are_grants_current(connection: "psycopg.Connection[Any]", program: str) -> bool:
    """Whether the database of this connection gives the program just what it should."""
    roles = {name: right for right, name in database_roles.role_accounts(program).items()}
    rows = connection.execute(SELECT_GRANTS, [list(roles)]).fetchall()
    return {(roles[role], *rest) for role, *rest in rows} == expected_grants(
        *_list_relations(connection)
    )


def apply_grants(address: str, program: str) -> None:
    """Give the program its rights in the database at `address`, which is the owner's; and no more.

    Raises `CannotStart` when the accounts are missing and the owner may not make them.
    """
    with psycopg.connect(address, autocommit=True) as connection:
        if program in {"", connection.info.user}:  # one account does everything
            return
        try:
            database_roles.create_roles(connection, program)
        except psycopg.errors.InsufficientPrivilege as problem:
            raise StartupError(
                f"the database's owner may not make accounts; have an administrator of the "
                f"database say: {database_roles.create_roles_sql(program)}"
            ) from problem
        with connection.transaction():
            _replace_grants(connection, database_roles.role_accounts(program))


def _replace_grants(connection: "psycopg.Connection[Any]", roles: Mapping[str, str]) -> None:
    tables, sequences = _list_relations(connection)
    every = sql.SQL(", ").join(map(sql.Identifier, roles.values()))
    for kind in ("tables", "sequences"):
        connection.execute(
            sql.SQL("revoke all on all {} in schema public from {}").format(sql.SQL(kind), every)
        )
    name = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("revoke temporary on database {} from public").format(name))
    if sequences:
        names = sql.SQL(", ").join(map(sql.Identifier, sequences))
        use = sql.SQL(", ".join(SEQUENCE_PRIVILEGES))
        connection.execute(sql.SQL("grant {} on sequence {} to {}").format(use, names, every))
    together: dict[tuple[str, str, str], list[str]] = {}
    for right, table, column, may in sorted(expected_grants(tables, ())):
        together.setdefault((right, column, may), []).append(table)
    for (right, column, may), some in together.items():
        connection.execute(
            sql.SQL("grant {}{} on {} to {}").format(
                sql.SQL(may),
                sql.SQL("({})").format(sql.Identifier(column)) if column else sql.SQL(""),
                sql.SQL(", ").join(map(sql.Identifier, some)),
                sql.Identifier(roles[right]),
            )
        )


def _table_privileges(right: str, table: str) -> set[tuple[str, str]]:
    """Column ("" is the whole row) and privilege."""
    may = {("", "SELECT")}
    if table in OWNER_ONLY:
        return may
    if table != "message":
        may.add(("", "INSERT"))
    if table in UPDATABLE_COLUMNS:
        may |= {(column, "UPDATE") for column in UPDATABLE_COLUMNS[table]}
    elif table not in APPEND_ONLY:
        may.add(("", "UPDATE"))
    if table in DELETABLE:
        may.add(("", "DELETE"))
    return may | _role_privileges(right, table)


def _role_privileges(right: str, table: str) -> set[tuple[str, str]]:
    match right, table:
        case "door", "message":
            return {("", "INSERT"), ("", "UPDATE")}
        case "door", "contact_attempt":  # which is gone when nothing left
            return {("", "DELETE")}
        case "sealer", "event":
            return {(column, "UPDATE") for column in SEALER_COLUMNS}
        case "keeper", one if one in KEEPER_TABLES:
            return {("", "DELETE"), ("", "UPDATE")}
    return set()


def _list_relations(connection: "psycopg.Connection[Any]") -> tuple[list[str], list[str]]:
    """The names of the tables and of the sequences."""
    rows = connection.execute(SELECT_TABLES).fetchall()
    names = {is_sequence: sorted(name for name, flag in rows if flag is is_sequence)
             for is_sequence in (False, True)}  # fmt: skip
    return names[False], names[True]
