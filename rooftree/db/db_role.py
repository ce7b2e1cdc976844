"""Rights that the running program does not have by itself, taken for as long as an act needs them.

What each of them may is `management.rights`; an installation with one account for
everything has none, and its program may what it may.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

SET_ROLE = "select set_config('role', %s, true)"
# An account that has no such rights, as where one does everything, goes on as it is.
SELECT_ACCOUNT = """
select case when to_regrole(quote_ident(session_user || '_door')) is null then ''
            else session_user end
"""


@contextmanager
def assume_role(name: str, *, savepoint: bool = True) -> Iterator[None]:
    """A transaction, or a part of one, that holds the right `name` of `core.database_roles`.

    Args:
        savepoint: as for `transaction.atomic`; without one an error undoes the whole.
    """
    held: Any = connection
    before, is_whole = held.active_role, not held.in_atomic_block
    with transaction.atomic(savepoint=savepoint):
        _set_role(name)
        try:
            yield
        finally:
            held.active_role = before  # undone with the rest after an error
        if not is_whole:  # else it ends with the transaction
            held.active_role = name
            _set_role(before)


def _set_role(name: str) -> None:
    held: Any = connection
    if held.active_role == name:
        return
    with connection.cursor() as cursor:
        if held.role_prefix is None:
            cursor.execute(SELECT_ACCOUNT)
            held.role_prefix = str(cursor.fetchone()[0])
        if held.role_prefix:
            cursor.execute(SET_ROLE, [f"{held.role_prefix}_{name}" if name else "none"])
    held.active_role = name
