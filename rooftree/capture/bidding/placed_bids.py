"""Bids placed on a source's pings, and the facts that the next bid depends on.

A ping is answered during the request, by index only. Every bid is a row of `placed_bid`, without
the person, and nothing else of a ping is stored. A ping writes no ledger event; a lead
bought through it does.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rooftree.capture.bidding.bid_rules import AnsweredBid, Bid, BidRules, Ping, post_key
from rooftree.capture.intake.source_quota import load_limit_facts
from rooftree.capture.intake.store_delivery import delivery_key
from rooftree.capture.models import PlacedBid
from rooftree.capture.source_setup.acceptance_limits import LimitFacts
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_row_if_new
from rooftree.db.statements import query_row
from rooftree.leads.models import DeliveryKey, Source

RETENTION = timedelta(days=30)
_RECENT_INQUIRER_SQL = """
select exists (
  select from phone join touch using (person_id)
  where phone_hash(e164) = decode(%s, 'hex') and touch.at > %s
) or exists (
  select from email join touch using (person_id)
  where email_hash(address) = decode(%s, 'hex') and touch.at > %s
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMarket:
    """The facts a bid depends on, as of `at`; must be loaded in a transaction."""

    source: Source
    at: datetime

    def find_bid(self, ping_id: str, /) -> AnsweredBid | None:
        """Return the bid that was placed on a ping of this source; None if there is none."""
        row = PlacedBid.objects.filter(source=self.source, ping_id=ping_id).first()
        if row is None:
            return None
        post = DeliveryKey.objects.filter(key=delivery_key(self.source, post_key(ping_id)))
        return _build_answered_bid(row, is_taken=post.exists())

    def load_limit_facts(self, ping: Ping, rules: BidRules, /) -> LimitFacts:
        """Load the facts; two concurrent pings never both take the last place under a cap."""
        return load_limit_facts(
            self.source,
            rules.limits,
            state=ping.state,
            has_asked_recently=self._has_asked_recently(ping, rules),
            at=self.at,
        )

    def _has_asked_recently(self, ping: Ping, rules: BidRules) -> bool:
        if not rules.limits.duplicate_days or not (ping.phone_hash or ping.email_hash):
            return False
        since = self.at - timedelta(days=rules.limits.duplicate_days)
        return bool(
            query_row(_RECENT_INQUIRER_SQL, [ping.phone_hash, since, ping.email_hash, since])[0]
        )


def store_bid(source: Source, answered: AnsweredBid, *, at: datetime) -> None:
    """Store a bid that is about to be answered; an earlier bid that is still valid is kept."""
    columns: dict[str, Any] = {
        "ping_fields": dict(answered.ping.ping_fields),
        "state": answered.ping.state,
        "purpose": answered.ping.purpose,
        "phone_hash": answered.ping.phone_hash,
        "email_hash": answered.ping.email_hash,
        "cents": answered.bid.cents,
        "reason": answered.bid.no_bid_reason,
        "seconds": answered.seconds,
        "expires_at": answered.expires_at,
        "requested_at": at,
    }
    row = PlacedBid(id=uuid7_at(at), source=source, ping_id=answered.ping_id, **columns)
    if insert_row_if_new(row):
        return
    expired = PlacedBid.objects.filter(source=source, ping_id=answered.ping_id, expires_at__lt=at)
    expired.update(**columns)


def delete_old_bids(*, at: datetime) -> int:
    """Delete bids older than `RETENTION`; return the number deleted."""
    return PlacedBid.objects.filter(requested_at__lt=at - RETENTION).delete()[0]


def _build_answered_bid(row: PlacedBid, *, is_taken: bool) -> AnsweredBid:
    ping = Ping(
        ping_fields=row.ping_fields,
        state=row.state,
        purpose=row.purpose,
        phone_hash=row.phone_hash,
        email_hash=row.email_hash,
    )
    bid = Bid(cents=row.cents, no_bid_reason=row.reason)
    return AnsweredBid(
        ping_id=row.ping_id,
        ping=ping,
        bid=bid,
        seconds=row.seconds,
        expires_at=row.expires_at,
        is_taken=is_taken,
    )
