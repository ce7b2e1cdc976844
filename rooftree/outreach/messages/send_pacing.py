"""Messages that waited together leave one after the other, at a pace that releases share.

A pause that ends, an hour that many waited for, a program that was down: each makes many
messages due in the same moment. Their due times are drawn apart, so that whoever stops
everything finds at most two seconds of them at the carrier. What was just written goes at
once: a borrower who asks does not stand in line behind them.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from rooftree.outreach.models import Message

FRESH_FOR = timedelta(minutes=5)
SECOND = timedelta(seconds=1)
QUEUED_STATES = ("waiting", "held")
_MUTEX = 0x726F_6F66_0037  # of the advisory lock

# Each leaves when it is due, but no sooner than its step after every one before it; what is
# overdue counts as due within this last second, so that a second's worth of it goes now.
SPREAD_SQL = """
with line as (
    select id, due_at, greatest(due_at, %(from)s) as earliest,
           (row_number() over (order by due_at, id) - 1)
           * (interval '1 second' / %(pace)s::int) as after
      from message
     where state in ('waiting', 'held') and release_id is null
       and due_at <= %(at)s and created_at <= %(stale)s
       and not exists (select from sending_pause where released_at is null)
), placed as (
    select id, after + max(earliest - after) over (order by due_at, id) as leaves_at from line
)
update message set due_at = placed.leaves_at from placed
 where message.id = placed.id and placed.leaves_at > %(at)s
   and message.state in ('waiting', 'held')
"""


def count_leaving(*, at: datetime) -> int:
    """How many of them leave within the next second, which releases leave to them."""
    waited = Message.objects.filter(
        release=None,
        state__in=QUEUED_STATES,
        due_at__lte=at + SECOND,
        created_at__lte=at - FRESH_FOR,
    )
    return waited[: settings.RELEASE_PER_SECOND].count()


def spread_due_messages(*, at: datetime) -> int:
    """Draw apart what is due; how many have to wait a little longer. Twice is once."""
    step = SECOND / settings.RELEASE_PER_SECOND
    moments = {"at": at, "from": at - SECOND + step, "stale": at - FRESH_FOR}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_MUTEX])
        cursor.execute(SPREAD_SQL, {**moments, "pace": settings.RELEASE_PER_SECOND})
        return int(cursor.rowcount)
