"""Borrowers of the live market: they ask through a source, and some write back."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from rooftree.leads.models import Delivery, Source
from rooftree.outreach.models import Message
from rooftree_demo import vendors, words
from rooftree_demo.borrowers import PLACES, someone
from rooftree_demo.chance import between, drawn
from rooftree_demo.control import Control
from rooftree_demo.sources import MONTHS, origin, used_in
from rooftree_demo.stories import COUNT
from rooftree_simulators.posters.delivery import BadDay, deliver
from rooftree_simulators.posters.delivery import Delivery as Posted
from rooftree_simulators.posters.people import Borrower

GAP = 22.0  # seconds between two inquiries, on average
FIRST = COUNT + 10_000  # number of the first live borrower; those of history are below
SHARES = {one.slug: one.share for one in used_in(MONTHS)}
BAD_DAYS = {BadDay.DUPLICATE: 0.03, BadDay.MALFORMED: 0.012, BadDay.WRONG_TOKEN: 0.006}
WITNESSED = frozenset({"our-site", "search-ads"})  # their forms carry TrustedForm's script
SOMEBODY_ELSES = 0.03  # of the numbers: another than was typed in the session
RECENT = timedelta(minutes=12)
REPLIES, STOPS = 0.38, 0.06  # of the first texts


class Shoppers:
    """People who ask for a loan, mostly where it is day."""

    def __init__(self, control: Control, *, web: str) -> None:
        self.control = control
        self.web = web
        self.rng = random.Random()
        self.next = time.monotonic() + 3
        self._number = FIRST + Delivery.objects.count()
        self._posting = ThreadPoolExecutor(2, thread_name_prefix="vendor")

    def beat(self) -> None:
        """Send the next inquiry when it is time."""
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + min(self.rng.expovariate(1 / GAP), 4 * GAP)
        slug = self.rng.choices(list(SHARES), list(SHARES.values()))[0]
        number = self._whom()
        who = someone(random.Random(f"live:{number}"), number, language=origin(slug).language)
        self.control.behave(
            f"+1{who.phone}",
            voice="answer" if drawn("answers", number) < 0.5 else "no-answer",
            answer_after_s=between(2, 9, "picks up", number),
            talk_s=between(20, 90, "talks", number),
        )
        at = datetime.now(UTC)
        source = Source.objects.filter(slug=slug).first()
        if source is None:  # a home that an earlier release set up
            return
        certificate = self._witnessed(source, who)
        post = vendors.post(source, who, self.rng, at=at, certificate=certificate)
        made = Posted(vendor_id="", body=post.body, headers=post.headers)
        luck = next((day for day, rate in BAD_DAYS.items() if self.rng.random() < rate), None)
        if luck is BadDay.WRONG_TOKEN and not source.token:
            luck = None
        self._posting.submit(deliver, made, f"{self.web}{vendors.path_to(source)}", bad_day=luck)

    def _witnessed(self, source: Source, who: Borrower) -> str:
        """A certificate of the visit, where the form has TrustedForm's script."""
        if source.slug not in WITNESSED:
            return ""
        phone = who.phone if self.rng.random() > SOMEBODY_ELSES else "9995550100"
        made = self.control.say("trustedform/session", {"phone": phone, "email": who.email})
        return str(made["url"])

    def _whom(self) -> int:
        """Somebody new, and one in twenty who asked before, through whichever source."""
        if self._number > FIRST + 20 and self.rng.random() < 0.05:
            return self._number - self.rng.randint(1, 20)
        for _ in range(len(PLACES)):
            self._number += 1
            place = PLACES[self._number % len(PLACES)]
            hour = datetime.now(ZoneInfo(place.zone)).hour
            if 8 <= hour < 20 or self.rng.random() < 0.08:
                break
        return self._number


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
