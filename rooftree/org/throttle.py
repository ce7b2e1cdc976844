"""Rate limits of attempts, counted in the database so that any number of processes agree."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.crypto import salted_hmac

from rooftree.db.statements import query_row
from rooftree.org.models import Throttle

COUNT_ATTEMPT = """
insert into throttle (key, began_at, count) values (%(key)s, %(at)s, 1)
on conflict (key) do update set
    count = case when throttle.began_at <= %(since)s then 1 else throttle.count + 1 end,
    began_at = case when throttle.began_at <= %(since)s then %(at)s else throttle.began_at end
returning count
"""
MAX_COUNTER_AGE = timedelta(days=2)  # longer than any limit counts


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleLimit:
    """At most `max_attempts` within a window that starts with the first attempt."""

    name: str
    max_attempts: int
    window: timedelta


QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
# An account is also limited per address, so a stranger can't lock its owner out.
ACCOUNT_FROM_ADDRESS = ThrottleLimit(name="password here", max_attempts=10, window=QUARTER)
ACCOUNT = ThrottleLimit(name="password", max_attempts=100, window=QUARTER)
ADDRESS = ThrottleLimit(name="address", max_attempts=200, window=QUARTER)  # an office can share one
CODE = ThrottleLimit(name="code", max_attempts=10, window=QUARTER)
RESET_ACCOUNT = ThrottleLimit(name="reset", max_attempts=3, window=HOUR)
RESET_ADDRESS = ThrottleLimit(name="reset address", max_attempts=20, window=HOUR)
PASSKEY_ADDRESS = ThrottleLimit(name="passkey", max_attempts=120, window=QUARTER)


def consume_attempt(limit: ThrottleLimit, subject: str, *, at: datetime) -> bool:
    """Count one attempt; return False if it exceeds the limit.

    Committed with the caller's transaction.

    Args:
        subject: an address, an email or an id; only its keyed hash is stored.
    """
    (attempts,) = query_row(
        COUNT_ATTEMPT,
        {"key": _counter_key(limit, subject), "at": at, "since": at - limit.window},
    )
    return bool(attempts <= limit.max_attempts)


def reset_attempts(limit: ThrottleLimit, subject: str) -> None:
    """Reset the count, after a successful attempt."""
    Throttle.objects.filter(pk=_counter_key(limit, subject)).delete()


def delete_expired_counters(*, at: datetime) -> int:
    """Delete counters that no limit uses any more; return how many."""
    return Throttle.objects.filter(began_at__lt=at - MAX_COUNTER_AGE).delete()[0]


def _counter_key(limit: ThrottleLimit, subject: str) -> str:
    identity = f"{limit.name}:{subject.strip().lower()}"
    return salted_hmac("rooftree.throttle", identity, algorithm="sha256").hexdigest()
