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

from rooftree.capture.acceptance import Standing
from rooftree.capture.bidding import Ask, Bid, Placed, Rules, post_key
from rooftree.capture.keep import key_at
from rooftree.capture.models import PlacedBid
from rooftree.capture.standing import standing
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import DeliveryKey, Source
from rooftree.org.insert import insert_once

KEPT_FOR = timedelta(days=30)
_KNOWN = """
select exists (
  select from phone join touch using (person_id)
  where phone_hash(e164) = decode(%s, 'hex') and touch.at > %s
) or exists (
  select from email join touch using (person_id)
  where email_hash(address) = decode(%s, 'hex') and touch.at > %s
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What a bid rests on, as it is at one moment. Must be asked in a transaction."""

    source: Source
    at: datetime

    def placed(self, ping_id: str, /) -> Placed | None:
        """The bid that was placed on a ping of this source."""
        row = PlacedBid.objects.filter(source=self.source, ping_id=ping_id).first()
        if row is None:
            return None
        post = DeliveryKey.objects.filter(key=key_at(self.source, post_key(ping_id)))
        return _placed(row, is_taken=post.exists())

    def standing(self, ask: Ask, rules: Rules, /) -> Standing:
        """Two pings at once never both take the last place under a cap: one waits."""
        is_known = self._is_known(ask, rules)
        return standing(self.source, rules.limits, state=ask.state, is_known=is_known, at=self.at)

    def _is_known(self, ask: Ask, rules: Rules) -> bool:
        if not rules.limits.duplicate_days or not (ask.phone_hash or ask.email_hash):
            return False
        since = self.at - timedelta(days=rules.limits.duplicate_days)
        with connection.cursor() as cursor:
            cursor.execute(_KNOWN, [ask.phone_hash, since, ask.email_hash, since])
            return bool(cursor.fetchone()[0])


def is_bid_to(source: Source) -> bool:
    """Whether it pings, and a bid of ours is its answer."""
    return source.adapter == "ping_post"


def market_of(source: Source, *, at: datetime) -> Market | None:
    """Its market, where a source is bid to."""
    return Market(source=source, at=at) if is_bid_to(source) else None


def keep(source: Source, offer: Placed, *, at: datetime) -> None:
    """Keep a bid that is about to be answered. One that still holds stays as it was."""
    facts: dict[str, Any] = {**_row(offer), "asked_at": at}
    if insert_once(PlacedBid(id=uuid7_at(at), source=source, ping_id=offer.ping_id, **facts)):
        return
    known = PlacedBid.objects.filter(source=source, ping_id=offer.ping_id, expires_at__lt=at)
    known.update(**facts)


def forget(*, at: datetime) -> int:
    """Let pings go that are older than KEPT_FOR; how many."""
    return PlacedBid.objects.filter(asked_at__lt=at - KEPT_FOR).delete()[0]


def _row(offer: Placed) -> Mapping[str, Any]:
    return {
        "told": dict(offer.ask.told),
        "state": offer.ask.state,
        "purpose": offer.ask.purpose,
        "phone_hash": offer.ask.phone_hash,
        "email_hash": offer.ask.email_hash,
        "cents": offer.bid.cents,
        "why": offer.bid.why,
        "seconds": offer.seconds,
        "expires_at": offer.expires_at,
    }


def _placed(row: PlacedBid, *, is_taken: bool) -> Placed:
    ask = Ask(
        told=row.told,
        state=row.state,
        purpose=row.purpose,
        phone_hash=row.phone_hash,
        email_hash=row.email_hash,
    )
    bid = Bid(cents=row.cents, why=row.why)
    return Placed(
        ping_id=row.ping_id,
        ask=ask,
        bid=bid,
        seconds=row.seconds,
        expires_at=row.expires_at,
        is_taken=is_taken,
    )
