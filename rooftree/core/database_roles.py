"""The accounts that the database knows us by: the owner, the program, and rights for single acts.

The owner makes and changes tables. The program runs and owns nothing. A right is an account
that nobody signs in as: the program takes it for as long as one act needs it.
"""

from typing import Any

import psycopg
from psycopg import sql

RIGHTS = ("door", "keeper", "sealer")
MISSING = "select one from unnest(%s::text[]) one where to_regrole(quote_ident(one)) is null"
LACKS = """
select one from unnest(%s::text[]) one
 where not exists (select from pg_auth_members m
                    where m.roleid = to_regrole(quote_ident(one))
                      and m.member = to_regrole(quote_ident(%s)))
"""


def of(program: str) -> dict[str, str]:
    """By right, the account that stands for it; "" is the program itself."""
    return {"": program} | {right: f"{program}_{right}" for right in RIGHTS}


def make(connection: "psycopg.Connection[Any]", program: str) -> None:
    """Make what is missing of the program's account and its rights; to be called in autocommit.

    Raises `psycopg.errors.InsufficientPrivilege` for an account that may not make others.
    """
    wanted = of(program)
    for (name,) in connection.execute(MISSING, [list(wanted.values())]).fetchall():
        can = "login" if name == program else "nologin"
        connection.execute(sql.SQL("create role {} {}").format(sql.Identifier(name), sql.SQL(can)))
    rights = [wanted[one] for one in RIGHTS]
    for (name,) in connection.execute(LACKS, [rights, program]).fetchall():
        # Not inherited: it has the right only while it says so.
        connection.execute(
            sql.SQL("grant {} to {} with inherit false, set true").format(
                sql.Identifier(name), sql.Identifier(program)
            )
        )


def by_hand(program: str) -> str:
    """The same as SQL, for an operator whose owner may not make accounts."""
    rights = [f'"{name}"' for right, name in of(program).items() if right]
    made = " ".join(f"create role {one};" for one in rights)
    return f'{made} grant {", ".join(rights)} to "{program}" with inherit false, set true;'
