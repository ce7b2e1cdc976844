"""The accounts that the database knows us by: the owner, the program, and rights for single acts.

The owner makes and changes tables. The program runs and owns nothing. A right is an account
that nobody signs in as: the program takes it for as long as one act needs it.
"""

from typing import Any

import psycopg
from psycopg import sql

ROLE_SUFFIXES = ("door", "keeper", "sealer")
SELECT_MISSING_ROLES = (
    "select one from unnest(%s::text[]) one where to_regrole(quote_ident(one)) is null"
)
SELECT_MISSING_GRANTS = """
select one from unnest(%s::text[]) one
 where not exists (select from pg_auth_members m
                    where m.roleid = to_regrole(quote_ident(one))
                      and m.member = to_regrole(quote_ident(%s)))
"""


def role_accounts(program: str) -> dict[str, str]:
    """By right, the account that stands for it; "" is the program itself."""
    return {"": program} | {right: f"{program}_{right}" for right in ROLE_SUFFIXES}


def create_roles(connection: "psycopg.Connection[Any]", program: str) -> None:
    """Make what is missing of the program's account and its rights; to be called in autocommit.

    Raises `psycopg.errors.InsufficientPrivilege` for an account that may not make others.
    """
    wanted = role_accounts(program)
    for (name,) in connection.execute(SELECT_MISSING_ROLES, [list(wanted.values())]).fetchall():
        can = "login" if name == program else "nologin"
        connection.execute(sql.SQL("create role {} {}").format(sql.Identifier(name), sql.SQL(can)))
    rights = [wanted[role_suffix] for role_suffix in ROLE_SUFFIXES]
    for (name,) in connection.execute(SELECT_MISSING_GRANTS, [rights, program]).fetchall():
        # Not inherited: it has the right only while it says so.
        connection.execute(
            sql.SQL("grant {} to {} with inherit false, set true").format(
                sql.Identifier(name), sql.Identifier(program)
            )
        )


def create_roles_sql(program: str) -> str:
    """The same as SQL, for an operator whose owner may not make accounts."""
    rights = [f'"{name}"' for right, name in role_accounts(program).items() if right]
    made = " ".join(f"create role {right};" for right in rights)
    return f'{made} grant {", ".join(rights)} to "{program}" with inherit false, set true;'
