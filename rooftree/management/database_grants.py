"""The privileges of the running program on each table, granted by the owner.

The program can read everything, insert and update rows unless a table is listed here, and
delete only from the tables listed for it. For three actions it assumes a role (`db.db_role`):
the door writes messages, the keeper deletes data past its retention, and the sealer gives
ledger events their place. None of them can truncate, alter or create a table.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg import sql

from rooftree.core import database_roles
from rooftree.core.embedded_database import StartupError

# Tables whose rows are inserted and never change.
APPEND_ONLY = frozenset(
    {
        *("event", "published_head", "access_entry", "assurance", "fair_lending_report"),
        *("verdict", "consent", "revocation", "lead_basis", "message_review"),
        *("money_entry", "claim_step", "partner_permission", "thing_of_value", "lead_edit"),
        *("limit_override", "shadow_lead", "enrollment_step"),
        *("routing_decision", "rule_set", "map_edition", "score", "rate_observation"),
    }
)
# The columns of those tables and of messages that can change, such as the person of a row.
UPDATABLE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "verdict": ("person_id",),
    "consent": ("person_id",),
    "revocation": ("person_id", "ended_at", "ended_by"),
    "form_version": ("decided_by_id", "decided_at", "decision_reason", "published_at"),
    "message": (*("state", "due_at", "problem", "person_id", "release_id", "read_at"),),
}
# Short-lived data: sessions, totals that can be recomputed, drafts, the queue.
DELETABLE = frozenset(
    {
        *("staff_session", "mfa_authenticator", "throttle", "assistance"),
        *("rollup_delta", "rollup", "month_rollup", "dnc_block"),
        *("saved_view", "lead_tag"),
        *("placed_bid", "form_draft", "imported_activity", "spreadsheet_part"),
        *("number_service", "carrier_account"),
        *("message_draft", "undoable_act", "sequence_draft"),
        *("shadow_list", "shadow_result"),  # a newer list replaces them
        "call_recording",  # past its retention, once the carrier has deleted it
        *("oban_jobs", "oban_leaders", "oban_producers"),
    }
)
OWNER_ONLY = frozenset(
    {"django_migrations", "django_content_type", "auth_permission", "auth_group"}
)
# Tables that the keeper deletes from, or updates where the program cannot (`retention`).
KEEPER_TABLES = frozenset(
    {
        *("message", "message_review", "unmatched_text", "verdict", "contact_attempt", "consent"),
        *("lead_basis", "revocation", "certificate", "form_certificate", "imported_activity"),
        *("remark", "lead_edit", "signal", "task", "score", "rate_watch"),
        *("los_event", "spreadsheet_part"),
        *("staff_notice", "access_entry", "possible_duplicate", "phone", "email"),
        *("routing_decision", "lead_tag", "bulk_change"),
        *("release_member", "claim_step", "limit_override", "message_draft", "undoable_act"),
    }
)
SEQUENCE_PRIVILEGES = ("SELECT", "USAGE")  # a backup needs SELECT
SEALER_COLUMNS = ("sequence", "person_place", "chain_hash")

type Grant = tuple[str, str, str, str]  # role suffix, table, column or "", privilege

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
    """Return every grant to the program and its roles in a database with these tables."""
    grants: set[Grant] = set()
    for suffix in ("", *database_roles.ROLE_SUFFIXES):
        grants |= {
            (suffix, sequence, "", privilege)
            for sequence in sequences
            for privilege in SEQUENCE_PRIVILEGES
        }
        for table in tables:
            grants |= {
                (suffix, table, column, privilege)
                for column, privilege in _table_privileges(suffix, table)
            }
    return grants


def are_grants_current(connection: "psycopg.Connection[Any]", program: str) -> bool:
    """Return True if the program and its roles have exactly the expected grants."""
    roles = {name: suffix for suffix, name in database_roles.role_accounts(program).items()}
    rows = connection.execute(SELECT_GRANTS, [list(roles)]).fetchall()
    return {(roles[role], *rest) for role, *rest in rows} == expected_grants(
        *_list_relations(connection)
    )


def apply_grants(address: str, program: str) -> None:
    """Grant the program and its roles exactly the expected privileges.

    `address` connects to the database as its owner. Raises `StartupError` when the accounts are
    missing and the owner cannot create them.
    """
    with psycopg.connect(address, autocommit=True) as connection:
        if program in {"", connection.info.user}:  # one account does everything
            return
        try:
            database_roles.create_roles(connection, program)
        except psycopg.errors.InsufficientPrivilege as problem:
            raise StartupError(
                f"the database's owner can't create roles. Ask a database administrator to "
                f"run: {database_roles.create_roles_sql(program)}"
            ) from problem
        with connection.transaction():
            _replace_grants(connection, database_roles.role_accounts(program))


def _replace_grants(connection: "psycopg.Connection[Any]", roles: Mapping[str, str]) -> None:
    tables, sequences = _list_relations(connection)
    all_roles = sql.SQL(", ").join(map(sql.Identifier, roles.values()))
    for kind in ("tables", "sequences"):
        connection.execute(
            sql.SQL("revoke all on all {} in schema public from {}").format(
                sql.SQL(kind), all_roles
            )
        )
    name = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("revoke temporary on database {} from public").format(name))
    if sequences:
        names = sql.SQL(", ").join(map(sql.Identifier, sequences))
        privileges = sql.SQL(", ".join(SEQUENCE_PRIVILEGES))
        connection.execute(
            sql.SQL("grant {} on sequence {} to {}").format(privileges, names, all_roles)
        )
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for suffix, table, column, privilege in sorted(expected_grants(tables, ())):
        grouped.setdefault((suffix, column, privilege), []).append(table)
    for (suffix, column, privilege), group in grouped.items():
        connection.execute(
            sql.SQL("grant {}{} on {} to {}").format(
                sql.SQL(privilege),
                sql.SQL("({})").format(sql.Identifier(column)) if column else sql.SQL(""),
                sql.SQL(", ").join(map(sql.Identifier, group)),
                sql.Identifier(roles[suffix]),
            )
        )


def _table_privileges(suffix: str, table: str) -> set[tuple[str, str]]:
    """Return pairs of a column ("" is the whole row) and a privilege."""
    privileges = {("", "SELECT")}
    if table in OWNER_ONLY:
        return privileges
    if table != "message":
        privileges.add(("", "INSERT"))
    if table in UPDATABLE_COLUMNS:
        privileges |= {(column, "UPDATE") for column in UPDATABLE_COLUMNS[table]}
    elif table not in APPEND_ONLY:
        privileges.add(("", "UPDATE"))
    if table in DELETABLE:
        privileges.add(("", "DELETE"))
    return privileges | _role_privileges(suffix, table)


def _role_privileges(suffix: str, table: str) -> set[tuple[str, str]]:
    match suffix, table:
        case "door", "message":
            return {("", "INSERT"), ("", "UPDATE")}
        case "door", "contact_attempt":  # deleted when nothing was sent after all
            return {("", "DELETE")}
        case "sealer", "event":
            return {(column, "UPDATE") for column in SEALER_COLUMNS}
        case "keeper", name if name in KEEPER_TABLES:
            return {("", "DELETE"), ("", "UPDATE")}
    return set()


def _list_relations(connection: "psycopg.Connection[Any]") -> tuple[list[str], list[str]]:
    """Return the names of the tables and of the sequences."""
    rows = connection.execute(SELECT_TABLES).fetchall()
    names = {is_sequence: sorted(name for name, flag in rows if flag is is_sequence)
             for is_sequence in (False, True)}  # fmt: skip
    return names[False], names[True]
