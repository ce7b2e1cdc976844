"""Everybody who reaches Lindenfield today by another way than those of its history."""

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

INQUIRY_GAP, FIRST_INQUIRY_GAP = (
    30.0,
    8.0,
)  # seconds between two inquiries, on average; while all begin
NUMBER_OFFSET = 1_000_000  # from the borrowers who come by the ways of the history


class FeedInquirySender:
    """People who see an ad, call, chat, are introduced, or are sold to us."""

    def __init__(self, control: SimulatorClient, *, web: str, public: str) -> None:
        self.rng = random.Random(f"feeds:{Delivery.objects.count()}")  # no id of theirs twice
        partner = Partner.objects.order_by("added_at").first()
        self.street = VendorContext(
            control=control,
            web=web,
            public=public,
            rng=self.rng,
            partner=partner.slug if partner else "",
        )
        self.errands = BackgroundJobs()
        self.next = time.monotonic() + 6
        self._turns = WeightedTurns({feed: feed.share for feed in FEEDS}, self.rng)
        self._crowd = BorrowerPool(
            control, self.rng, name="feeds", first=FIRST_LIVE_NUMBER + NUMBER_OFFSET
        )
        self._greeted: set[str] = set()

    def act(self) -> None:
        """Somebody comes when it is time."""
        self.errands.collect_finished()
        if time.monotonic() < self.next:
            return
        gap = FIRST_INQUIRY_GAP if self._turns.is_first_round else INQUIRY_GAP
        self.next = time.monotonic() + min(self.rng.expovariate(1 / gap), 4 * gap)
        feed = self._turns.next_kind()
        source = Source.objects.get(name=feed.name)
        if feed.register and feed.name not in self._greeted:
            feed.register(self.street, source)
            self._greeted.add(feed.name)
        self.errands.run(feed.send, self.street, source, self._crowd.next_borrower())
