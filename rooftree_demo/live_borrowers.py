"""Borrowers of the live market: they ask through a source, and some write back."""

import random
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

from rooftree.flow import moment
from rooftree.leads.models import Delivery, Source
from rooftree.outreach.models import Message
from rooftree_demo import vendors, words
from rooftree_demo.chance import between, drawn
from rooftree_demo.control import Control
from rooftree_demo.sources import MONTHS, origin, used_in
from rooftree_demo.street import FIRST, Crowd, Errands, Street, Turns
from rooftree_simulators.posters.delivery import BadDay, deliver
from rooftree_simulators.posters.delivery import Delivery as Posted

GAP = 22.0  # seconds between two inquiries, on average
SHARES = {one.slug: one.share for one in used_in(MONTHS)}
BAD_DAYS = {BadDay.DUPLICATE: 0.03, BadDay.MALFORMED: 0.012, BadDay.WRONG_TOKEN: 0.006}
WITNESSED = frozenset({"our-site", "search-ads"})  # their forms carry TrustedForm's script
RECENT = timedelta(minutes=12)
REPLIES, STOPS = 0.38, 0.06  # of the first texts


class Shoppers:
    """People who ask for a loan by the ways of the history."""

    def __init__(self, control: Control, *, web: str, public: str) -> None:
        self.rng = random.Random(f"live:{Delivery.objects.count()}")
        self.street = Street(control=control, web=web, public=public, rng=self.rng)
        self.errands = Errands()
        self.next = time.monotonic() + 3
        self._turns = Turns(SHARES, self.rng)
        self._crowd = Crowd(control, self.rng, name="live", first=FIRST)

    def beat(self) -> None:
        """Send the next inquiry when it is time."""
        self.errands.look()
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + min(self.rng.expovariate(1 / GAP), 4 * GAP)
        slug = self._turns.take()
        source = Source.objects.filter(slug=slug).first()
        if source is None:  # a home that an earlier release set up
            return
        who = self._crowd.somebody(language=origin(slug).language)
        certificate = self.street.certificate(who) if slug in WITNESSED else ""
        post = vendors.post(source, who, self.rng, at=moment.now(), certificate=certificate)
        made = Posted(vendor_id="", body=post.body, headers=post.headers)
        luck = next((day for day, rate in BAD_DAYS.items() if self.rng.random() < rate), None)
        if luck is BadDay.WRONG_TOKEN and not source.token:
            luck = None
        self.errands.run(deliver, made, self.street.address(source), bad_day=luck)


class Writers:
    """People who answer a text; a few of them with STOP."""

    def __init__(self, control: Control) -> None:
        self.control = control
        self._done: set[UUID] = set()

    def beat(self) -> None:
        """Answer the texts that arrived a while ago."""
        now = datetime.now(UTC)
        for text in Message.objects.filter(
            direction="out", medium="text", state="delivered", delivered_at__gt=now - RECENT
        ).exclude(pk__in=self._done):
            wait = between(8, 75, "writes after", text.pk)
            if text.delivered_at and (now - text.delivered_at).total_seconds() < wait:
                continue
            self._done.add(text.pk)
            self._answer(text)

    def _answer(self, text: Message) -> None:
        luck = drawn("writes", text.pk)
        before = Message.objects.filter(person_id=text.person_id, direction="in")
        if luck > REPLIES + STOPS or before.count() > 1:
            return
        rng = random.Random(str(text.pk))
        body = words.stop(rng) if luck < STOPS else words.reply(rng, text.language)
        if text.cause.startswith("stop:"):
            return
        self.control.text(text.to_address, text.from_address, body)
