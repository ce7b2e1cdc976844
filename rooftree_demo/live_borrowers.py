"""Borrowers of the live market: they inquire through the history's sources and reply to texts."""

import random
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

from rooftree.flow import clock
from rooftree.leads.models import Delivery, Source
from rooftree.outreach.models import Message
from rooftree_demo import sample_messages, vendor_posts
from rooftree_demo.arrivals import (
    FIRST_LIVE_NUMBER,
    BackgroundJobs,
    BorrowerPool,
    VendorContext,
    WeightedTurns,
)
from rooftree_demo.lead_origins import HISTORY_MONTHS, origin_by_slug, origins_in_month
from rooftree_demo.seeded_random import seeded_between, seeded_fraction
from rooftree_demo.simulator_client import SimulatorClient
from rooftree_simulators.posters.lead_delivery import BadDay, post_delivery
from rooftree_simulators.posters.lead_delivery import Delivery as Posted

INQUIRY_GAP = 22.0  # average seconds between two inquiries
SHARES = {origin.slug: origin.share for origin in origins_in_month(HISTORY_MONTHS)}
BAD_DAYS = {BadDay.DUPLICATE: 0.03, BadDay.MALFORMED: 0.012, BadDay.WRONG_TOKEN: 0.006}
CERTIFIED_SOURCES = frozenset({"our-site", "search-ads"})  # their forms run TrustedForm's script
REPLY_WINDOW = timedelta(minutes=12)
REPLY_SHARE, STOP_SHARE = 0.38, 0.06  # shares of the first texts


class InquirySender:
    """Borrowers who inquire through the history's sources."""

    def __init__(self, control: SimulatorClient, *, web: str, public: str) -> None:
        self.rng = random.Random(f"live:{Delivery.objects.count()}")
        self.context = VendorContext(control=control, web=web, public=public, rng=self.rng)
        self.jobs = BackgroundJobs()
        self.next_at = time.monotonic() + 3
        self._turns = WeightedTurns(SHARES, self.rng)
        self._borrowers = BorrowerPool(control, self.rng, name="live", first=FIRST_LIVE_NUMBER)

    def act(self) -> None:
        """Send the next inquiry if it is due."""
        self.jobs.collect_finished()
        if time.monotonic() < self.next_at:
            return
        gap = min(self.rng.expovariate(1 / INQUIRY_GAP), 4 * INQUIRY_GAP)
        self.next_at = time.monotonic() + gap
        slug = self._turns.next_kind()
        source = Source.objects.filter(slug=slug).first()
        if source is None:  # set up by an earlier release without this source
            return
        borrower = self._borrowers.next_borrower(language=origin_by_slug(slug).language)
        certificate = self.context.certificate(borrower) if slug in CERTIFIED_SOURCES else ""
        post = vendor_posts.build_post(
            source, borrower, self.rng, at=clock.now(), certificate=certificate
        )
        delivery = Posted(vendor_id="", body=post.body, headers=post.headers)
        bad_day = next((day for day, rate in BAD_DAYS.items() if self.rng.random() < rate), None)
        if bad_day is BadDay.WRONG_TOKEN and not source.token:
            bad_day = None
        self.jobs.run(post_delivery, delivery, self.context.address(source), bad_day=bad_day)


class TextReplier:
    """Borrowers who reply to texts, a few of them with STOP."""

    def __init__(self, control: SimulatorClient) -> None:
        self.control = control
        self._handled: set[UUID] = set()

    def act(self) -> None:
        """Reply to the texts whose borrower has had time to write."""
        now = datetime.now(UTC)
        for text in Message.objects.filter(
            direction="out", medium="text", state="delivered", delivered_at__gt=now - REPLY_WINDOW
        ).exclude(pk__in=self._handled):
            wait = seeded_between(8, 75, "writes after", text.pk)
            if text.delivered_at and (now - text.delivered_at).total_seconds() < wait:
                continue
            self._handled.add(text.pk)
            self._reply_to_text(text)

    def _reply_to_text(self, text: Message) -> None:
        chance = seeded_fraction("writes", text.pk)
        earlier = Message.objects.filter(person_id=text.person_id, direction="in")
        if chance > REPLY_SHARE + STOP_SHARE or earlier.count() > 1:
            return
        rng = random.Random(str(text.pk))
        body = (
            sample_messages.stop_message(rng)
            if chance < STOP_SHARE
            else sample_messages.borrower_reply(rng, text.language)
        )
        if text.idempotency_key.startswith("stop:"):
            return
        self.control.send_text(text.to_address, text.from_address, body)
