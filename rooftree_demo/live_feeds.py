"""Borrowers of the live market who inquire through sources that have no history."""

import random
import time

from rooftree.leads.models import Delivery, Partner, Source
from rooftree_demo.arrivals import (
    FIRST_LIVE_NUMBER,
    BackgroundJobs,
    BorrowerPool,
    VendorContext,
    WeightedTurns,
)
from rooftree_demo.feeds import FEEDS
from rooftree_demo.simulator_client import SimulatorClient

INQUIRY_GAP = 30.0  # average seconds between two inquiries
FIRST_INQUIRY_GAP = 8.0  # the same until each feed had its first inquiry
NUMBER_OFFSET = 1_000_000  # keeps borrower numbers apart from those of the history's sources


class FeedInquirySender:
    """Borrowers who see an ad, call, chat, are referred, or are sold by a vendor."""

    def __init__(self, control: SimulatorClient, *, web: str, public: str) -> None:
        self.rng = random.Random(
            f"feeds:{Delivery.objects.count()}"
        )  # no id repeats after a restart
        partner = Partner.objects.order_by("added_at").first()
        self.context = VendorContext(
            control=control,
            web=web,
            public=public,
            rng=self.rng,
            partner=partner.slug if partner else "",
        )
        self.jobs = BackgroundJobs()
        self.next_at = time.monotonic() + 6
        self._turns = WeightedTurns({feed: feed.share for feed in FEEDS}, self.rng)
        self._borrowers = BorrowerPool(
            control, self.rng, name="feeds", first=FIRST_LIVE_NUMBER + NUMBER_OFFSET
        )
        self._registered: set[str] = set()

    def act(self) -> None:
        """Send the next inquiry if it is due."""
        self.jobs.collect_finished()
        if time.monotonic() < self.next_at:
            return
        gap = FIRST_INQUIRY_GAP if self._turns.is_first_round else INQUIRY_GAP
        self.next_at = time.monotonic() + min(self.rng.expovariate(1 / gap), 4 * gap)
        feed = self._turns.next_kind()
        source = Source.objects.get(name=feed.name)
        if feed.register and feed.name not in self._registered:
            feed.register(self.context, source)
            self._registered.add(feed.name)
        self.jobs.run(feed.send, self.context, source, self._borrowers.next_borrower())
