"""How often something may be tried: counted in the database, so any number of processes agree."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils.crypto import salted_hmac

from rooftree.org.models import Throttle

COUNT = """
insert into throttle (key, began_at, count) values (%(key)s, %(at)s, 1)
on conflict (key) do update set
    count = case when throttle.began_at <= %(since)s then 1 else throttle.count + 1 end,
    began_at = case when throttle.began_at <= %(since)s then %(at)s else throttle.began_at end
returning count
"""
OLDEST = timedelta(days=2)  # longer than any limit counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most so many within a time, from the first of them."""

    name: str
    most: int
    within: timedelta


QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
# An account's own limit is by address as well, so that a stranger cannot lock its owner out.
ACCOUNT_HERE = Limit(name="password here", most=10, within=QUARTER)
ACCOUNT = Limit(name="password", most=100, within=QUARTER)
ADDRESS = Limit(name="address", most=200, within=QUARTER)  # an office may share one
CODE = Limit(name="code", most=10, within=QUARTER)
RESET_ACCOUNT = Limit(name="reset", most=3, within=HOUR)
RESET_ADDRESS = Limit(name="reset address", most=20, within=HOUR)
PASSKEY_ADDRESS = Limit(name="passkey", most=120, within=QUARTER)


def allow(limit: Limit, whom: str, *, at: datetime) -> bool:
    """Count one try; False when it is one too many. Committed with the caller's transaction.

    Args:
        whom: an address, an e-mail or an id; only its keyed hash is kept.
    """
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"key": _key(limit, whom), "at": at, "since": at - limit.within})
        return bool(cursor.fetchone()[0] <= limit.most)


def forgive(limit: Limit, whom: str) -> None:
    """Whoever proved who they are begins again at nothing."""
    Throttle.objects.filter(pk=_key(limit, whom)).delete()


def forget(*, at: datetime) -> int:
    """Drop what no limit counts any more; how many."""
    return Throttle.objects.filter(began_at__lt=at - OLDEST).delete()[0]


def _key(limit: Limit, whom: str) -> str:
    said = f"{limit.name}:{whom.strip().lower()}"
    return salted_hmac("rooftree.throttle", said, algorithm="sha256").hexdigest()
