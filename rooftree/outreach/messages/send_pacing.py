"""Pacing of messages that become due together, at a rate shared with releases.

The end of a pause, the end of quiet hours or a restart makes many messages due at the same
moment. Their due times are spread, so that an emergency stop finds at most two seconds of
them at the carrier. New messages go at once: a borrower who just asked does not queue behind
them.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from rooftree.db.statements import execute, query_row
from rooftree.outreach.models import Message

FRESH_FOR = timedelta(minutes=5)
SECOND = timedelta(seconds=1)
QUEUED_STATES = ("waiting", "held")
_MUTEX = 0x726F_6F66_0037  # advisory lock id

# Each message leaves when due, but at least one step after every message before it. Overdue
# messages count as due within the last second, so that one second's worth of them goes now.
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
COUNT_DUE_SQL = """
select count(*) from (
    select from message
     where state in ('waiting', 'held') and release_id is null
       and due_at <= %(at)s and created_at <= %(stale)s limit 2
) due
"""


def count_leaving(*, at: datetime) -> int:
    """Count spread messages due within the next second; releases leave room for them."""
    leaving = Message.objects.filter(
        release=None,
        state__in=QUEUED_STATES,
        due_at__lte=at + SECOND,
        created_at__lte=at - FRESH_FOR,
    )
    return leaving[: settings.RELEASE_PER_SECOND].count()


def spread_due_messages(*, at: datetime) -> int:
    """Spread the due messages; return how many were delayed. Safe to repeat.

    A message alone is never delayed, so most calls take no lock.
    """
    step = SECOND / settings.RELEASE_PER_SECOND
    times = {"at": at, "from": at - SECOND + step, "stale": at - FRESH_FOR}
    if query_row(COUNT_DUE_SQL, times)[0] < 2:
        return 0
    with transaction.atomic():
        execute("select pg_advisory_xact_lock(%s)", [_MUTEX])
        return execute(SPREAD_SQL, {**times, "pace": settings.RELEASE_PER_SECOND})
