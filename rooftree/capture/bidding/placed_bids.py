"""Pings of a source: the bids we placed, and what the next one depends on.

A ping is answered in the request, from indexes alone: every bid is a row of `bid`, without
the person, and nothing else is kept of a ping. It writes no ledger event: what it led to,
a lead that was bought, does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from rooftree.capture.bidding.bid_rules import AnsweredBid, Bid, BidRules, Ping, post_key
from rooftree.capture.intake.source_quota import load_limit_facts
from rooftree.capture.intake.store_delivery import delivery_key
from rooftree.capture.models import PlacedBid
from rooftree.capture.source_setup.acceptance_limits import LimitFacts
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_row_if_new
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
    """What a bid rests on, as it is at one moment. Must be asked in a transaction."""

    source: Source
    at: datetime

    def find_bid(self, ping_id: str, /) -> AnsweredBid | None:
        """The bid that was placed on a ping of this source."""
        row = PlacedBid.objects.filter(source=self.source, ping_id=ping_id).first()
        if row is None:
            return None
        post = DeliveryKey.objects.filter(key=delivery_key(self.source, post_key(ping_id)))
        return _build_answered_bid(row, is_taken=post.exists())

    def load_limit_facts(self, ask: Ping, rules: BidRules, /) -> LimitFacts:
        """Two pings at once never both take the last place under a cap: one waits."""
        is_known = self._has_asked_recently(ask, rules)
        return load_limit_facts(
            self.source, rules.limits, state=ask.state, has_asked_recently=is_known, at=self.at
        )

    def _has_asked_recently(self, ask: Ping, rules: BidRules) -> bool:
        if not rules.limits.duplicate_days or not (ask.phone_hash or ask.email_hash):
            return False
        since = self.at - timedelta(days=rules.limits.duplicate_days)
        with connection.cursor() as cursor:
            cursor.execute(_RECENT_INQUIRER_SQL, [ask.phone_hash, since, ask.email_hash, since])
            return bool(cursor.fetchone()[0])


def takes_bids(source: Source) -> bool:
    """Whether it pings, and a bid of ours is its answer."""
    return source.adapter == "ping_post"


def market_of(source: Source, *, at: datetime) -> SourceMarket | None:
    """Its market, where a source is bid to."""
    return SourceMarket(source=source, at=at) if takes_bids(source) else None


def store_bid(source: Source, offer: AnsweredBid, *, at: datetime) -> None:
    """Keep a bid that is about to be answered. One that still holds stays as it was."""
    facts: dict[str, Any] = {**_bid_columns(offer), "asked_at": at}
    if insert_row_if_new(PlacedBid(id=uuid7_at(at), source=source, ping_id=offer.ping_id, **facts)):
        return
    known = PlacedBid.objects.filter(source=source, ping_id=offer.ping_id, expires_at__lt=at)
    known.update(**facts)


def delete_old_bids(*, at: datetime) -> int:
    """Let pings go that are older than KEPT_FOR; how many."""
    return PlacedBid.objects.filter(asked_at__lt=at - RETENTION).delete()[0]


def _bid_columns(offer: AnsweredBid) -> Mapping[str, Any]:
    return {
        "told": dict(offer.ping.ping_fields),
        "state": offer.ping.state,
        "purpose": offer.ping.purpose,
        "phone_hash": offer.ping.phone_hash,
        "email_hash": offer.ping.email_hash,
        "cents": offer.bid.cents,
        "why": offer.bid.no_bid_reason,
        "seconds": offer.seconds,
        "expires_at": offer.expires_at,
    }


def _build_answered_bid(row: PlacedBid, *, is_taken: bool) -> AnsweredBid:
    ask = Ping(
        ping_fields=row.told,
        state=row.state,
        purpose=row.purpose,
        phone_hash=row.phone_hash,
        email_hash=row.email_hash,
    )
    bid = Bid(cents=row.cents, no_bid_reason=row.why)
    return AnsweredBid(
        ping_id=row.ping_id,
        ping=ask,
        bid=bid,
        seconds=row.seconds,
        expires_at=row.expires_at,
        is_taken=is_taken,
    )
