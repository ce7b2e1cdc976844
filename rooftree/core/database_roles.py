"""The database accounts: the owner, the program, and one role for each restricted action.

The owner creates and changes tables. The program runs and owns nothing. A role is an account
without login: the program assumes it for as long as one action needs it.
"""

from typing import Any

import psycopg
from psycopg import sql

ROLE_SUFFIXES = ("door", "keeper", "sealer")
SELECT_MISSING_ROLES = (
    "select name from unnest(%s::text[]) name where to_regrole(quote_ident(name)) is null"
)
SELECT_MISSING_GRANTS = """
select name from unnest(%s::text[]) name
 where not exists (select from pg_auth_members m
                    where m.roleid = to_regrole(quote_ident(name))
                      and m.member = to_regrole(quote_ident(%s)))
"""


def role_accounts(program: str) -> dict[str, str]:
    """Return the account of each role, by role suffix; "" is the program itself."""
    return {"": program} | {suffix: f"{program}_{suffix}" for suffix in ROLE_SUFFIXES}


def create_roles(connection: "psycopg.Connection[Any]", program: str) -> None:
    """Create missing accounts and grant the roles to the program; call it in autocommit mode.

    Raises `psycopg.errors.InsufficientPrivilege` for an account that cannot create roles.
    """
    accounts = role_accounts(program)
    for (name,) in connection.execute(SELECT_MISSING_ROLES, [list(accounts.values())]).fetchall():
        login = "login" if name == program else "nologin"
        connection.execute(
            sql.SQL("create role {} {}").format(sql.Identifier(name), sql.SQL(login))
        )
    roles = [accounts[suffix] for suffix in ROLE_SUFFIXES]
    for (name,) in connection.execute(SELECT_MISSING_GRANTS, [roles, program]).fetchall():
        # Not inherited: the program has the role only while it sets it.
        connection.execute(
            sql.SQL("grant {} to {} with inherit false, set true").format(
                sql.Identifier(name), sql.Identifier(program)
            )
        )


def create_roles_sql(program: str) -> str:
    """Return the same as SQL, for an administrator when the owner cannot create roles."""
    roles = [f'"{name}"' for suffix, name in role_accounts(program).items() if suffix]
    statements = " ".join(f"create role {role};" for role in roles)
    return f'{statements} grant {", ".join(roles)} to "{program}" with inherit false, set true;'
