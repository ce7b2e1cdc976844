"""Assume a database role for as long as a restricted action needs it.

`management.database_grants` defines what each role can do. An installation with one account for
everything has no roles, and its program keeps that account's privileges.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

SET_ROLE = "select set_config('role', %s, true)"
# An account without such roles, as where one account does everything, stays as it is.
SELECT_ACCOUNT = """
select case when to_regrole(quote_ident(session_user || '_door')) is null then ''
            else session_user end
"""


@contextmanager
def assume_role(name: str, *, savepoint: bool = True) -> Iterator[None]:
    """Run a transaction, or a part of one, with the role `name` of `core.database_roles`.

    Args:
        savepoint: as for `transaction.atomic`; without one an error rolls back everything.
    """
    wrapper: Any = connection
    previous_role, is_outermost = wrapper.active_role, not wrapper.in_atomic_block
    with transaction.atomic(savepoint=savepoint):
        _set_role(name)
        try:
            yield
        finally:
            wrapper.active_role = previous_role  # an error rolls the role back with the rest
        if not is_outermost:  # otherwise the role ends with the transaction
            wrapper.active_role = name
            _set_role(previous_role)


def _set_role(name: str) -> None:
    wrapper: Any = connection
    if wrapper.active_role == name:
        return
    with connection.cursor() as cursor:
        if wrapper.role_prefix is None:
            cursor.execute(SELECT_ACCOUNT)
            wrapper.role_prefix = str(cursor.fetchone()[0])
        if wrapper.role_prefix:
            cursor.execute(SET_ROLE, [f"{wrapper.role_prefix}_{name}" if name else "none"])
    wrapper.active_role = name
