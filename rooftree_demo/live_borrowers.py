"""Borrowers of the live market: they ask through a source, and some write back."""

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

INQUIRY_GAP = 22.0  # seconds between two inquiries, on average
SHARES = {one.slug: one.share for one in origins_in_month(HISTORY_MONTHS)}
BAD_DAYS = {BadDay.DUPLICATE: 0.03, BadDay.MALFORMED: 0.012, BadDay.WRONG_TOKEN: 0.006}
CERTIFIED_SOURCES = frozenset({"our-site", "search-ads"})  # their forms carry TrustedForm's script
REPLY_WINDOW = timedelta(minutes=12)
REPLY_SHARE, STOP_SHARE = 0.38, 0.06  # of the first texts


class InquirySender:
    """People who ask for a loan by the ways of the history."""

    def __init__(self, control: SimulatorClient, *, web: str, public: str) -> None:
        self.rng = random.Random(f"live:{Delivery.objects.count()}")
        self.street = VendorContext(control=control, web=web, public=public, rng=self.rng)
        self.errands = BackgroundJobs()
        self.next = time.monotonic() + 3
        self._turns = WeightedTurns(SHARES, self.rng)
        self._crowd = BorrowerPool(control, self.rng, name="live", first=FIRST_LIVE_NUMBER)

    def act(self) -> None:
        """Send the next inquiry when it is time."""
        self.errands.collect_finished()
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + min(self.rng.expovariate(1 / INQUIRY_GAP), 4 * INQUIRY_GAP)
        slug = self._turns.next_kind()
        source = Source.objects.filter(slug=slug).first()
        if source is None:  # a home that an earlier release set up
            return
        who = self._crowd.next_borrower(language=origin_by_slug(slug).language)
        certificate = self.street.certificate(who) if slug in CERTIFIED_SOURCES else ""
        post = vendor_posts.build_post(
            source, who, self.rng, at=clock.now(), certificate=certificate
        )
        made = Posted(vendor_id="", body=post.body, headers=post.headers)
        luck = next((day for day, rate in BAD_DAYS.items() if self.rng.random() < rate), None)
        if luck is BadDay.WRONG_TOKEN and not source.token:
            luck = None
        self.errands.run(post_delivery, made, self.street.address(source), bad_day=luck)


class TextReplier:
    """People who answer a text; a few of them with STOP."""

    def __init__(self, control: SimulatorClient) -> None:
        self.control = control
        self._request: set[UUID] = set()

    def act(self) -> None:
        """Answer the texts that arrived a while ago."""
        now = datetime.now(UTC)
        for text in Message.objects.filter(
            direction="out", medium="text", state="delivered", delivered_at__gt=now - REPLY_WINDOW
        ).exclude(pk__in=self._request):
            wait = seeded_between(8, 75, "writes after", text.pk)
            if text.delivered_at and (now - text.delivered_at).total_seconds() < wait:
                continue
            self._request.add(text.pk)
            self._reply_to_text(text)

    def _reply_to_text(self, text: Message) -> None:
        luck = seeded_fraction("writes", text.pk)
        before = Message.objects.filter(person_id=text.person_id, direction="in")
        if luck > REPLY_SHARE + STOP_SHARE or before.count() > 1:
            return
        rng = random.Random(str(text.pk))
        body = (
            sample_messages.stop_message(rng)
            if luck < STOP_SHARE
            else sample_messages.borrower_reply(rng, text.language)
        )
        if text.cause.startswith("stop:"):
            return
        self.control.send_text(text.to_address, text.from_address, body)
