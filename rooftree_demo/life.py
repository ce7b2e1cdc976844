"""One lead's life at given moments, by the product's own verbs: what outsiders and officers do.

Everything a live system would do by itself in between (answers, offers that
lapse, sequence steps, messages held until morning) is done here at its own due
time, so that a lead handed over to the running system has nothing overdue.
"""

import heapq
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from uuid import UUID

from django.db import connection

from rooftree.capture.envelope import Incoming
from rooftree.capture.receive import endpoint_of
from rooftree.flow import clock, intake, messages, moment, offers, replies, silence
from rooftree.leads.models import Lead, Source, Touch
from rooftree.outreach import callbacks, compose, inbox
from rooftree.outreach.models import Message
from rooftree_demo import at_once, vendors, words
from rooftree_demo.borrowers import someone
from rooftree_demo.sources import origin
from rooftree_demo.stories import APPLIES, Fate, Story

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)
ROUNDS = 60  # of one lead; more would be a lead that is never done
REACHED = APPLIES | {Fate.WATCHES, Fate.TALKED, Fate.NOT_INTERESTED}
_DUE = """
select what, due_at from (
    select 'message' as what, due_at from message
     where lead_id = any(%(leads)s) and direction = 'out' and state in ('waiting', 'held')
    union all
    select 'offer', due_at from offer where lead_id = any(%(leads)s)
       and taken_at is null and passed_at is null and lapsed_at is null
    union all
    select 'step', due_at from enrolment where lead_id = any(%(leads)s) and ended_at is null
) due where due_at <= %(to)s order by due_at limit 1
"""


class AlreadyThere(Exception):
    """This delivery was loaded before."""


class Life:
    """A lead while its story is told. `at` is the moment it has come to."""

    def __init__(self, story: Story, *, until: datetime) -> None:
        self.story = story
        self.until = until
        self.rng: random.Random = story.rng()
        self.who = someone(self.rng, story.number, language=origin(story.slug).language)
        self.at = story.at
        self._agenda: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._order = count()
        self._seen_texts: set[UUID] = set()
        self._may_be_texted = False
        self.lead = self.ask(story.slug, story.at)
        self._leads = [self.lead.pk]

    def later(self, when: datetime, act: Callable[[datetime], None]) -> None:
        """Do something at a moment to come; what lies beyond the story's end never happens."""
        heapq.heappush(self._agenda, (max(when, self.at), next(self._order), act))

    def within(self, low: timedelta, high: timedelta) -> timedelta:
        """A while between two."""
        return low + (high - low) * self.rng.random()

    def run(self) -> None:
        """Tell it to the end."""
        while self._agenda and self._agenda[0][0] <= self.until:
            when, _, act = heapq.heappop(self._agenda)
            when = max(when, self.at)
            self.pass_time(when)
            act(when)
            self.settle(when)
        self.pass_time(self.until)
        self._fall_silent()

    def pass_time(self, to: datetime) -> None:
        """Let the product do what is due by `to`, each thing at its own time."""
        for _ in range(ROUNDS):
            what, due = self._next_due(to)
            if due is None:
                break
            self._tick(what, max(due, self.at))
        self.at = max(self.at, to)

    def settle(self, at: datetime) -> None:
        """Run what was queued at `at`, and notice the texts that left."""
        with moment.at(at):
            at_once.drain()
        self.at = max(self.at, at)
        self._notice_texts()

    def asks_again(self, slug: str, at: datetime) -> bool:
        """The borrower asks through another source; whether that began a lead of its own."""
        lead = self.ask(slug, at)
        is_new = lead.pk != self.lead.pk
        if is_new:
            self.lead = lead
            self._leads.append(lead.pk)
        return is_new

    def fresh(self) -> Lead:
        """The lead as it stands now."""
        return Lead.objects.select_related("officer__user", "person").get(pk=self.lead.pk)

    def _fall_silent(self) -> None:
        """After months without a word the product closes the lead."""
        for lead_id in self._leads:
            due = silence.ends_at(lead_id)
            if due and due <= self.until:
                with moment.at(due):
                    silence.close(lead_id=lead_id, at=due)

    def ask(self, slug: str, at: datetime) -> Lead:
        """Their inquiry comes in through a source; the lead that it belongs to."""
        source = source_of(slug)
        post = vendors.post(source, self.who, self.rng, at=at, consents=self._ticks(slug))
        incoming = Incoming(
            path=vendors.path_to(source),
            headers=post.headers,
            body=post.body,
            remote_addr=f"198.51.100.{self.story.number % 250 + 1}",  # of a block for documents
            received_at=at,
            endpoint=endpoint_of(source),
        )
        with moment.at(at):
            received = intake.accept(source=source, incoming=incoming, at=at)
            intake.work_deliveries.enqueue()  # its own nudge waits for a worker
        if received.delivery is None:
            raise AlreadyThere(self.story.number)
        self.settle_arrival(at + SECOND * self.rng.randint(1, 3))
        touch = Touch.objects.select_related("lead").get(delivery=received.delivery)
        return touch.lead

    def settle_arrival(self, at: datetime) -> None:
        """The worker picks the delivery up a moment after it was answered."""
        with moment.at(at):
            at_once.drain()
            messages.send_due(at=at)
        self.at = max(self.at, at)

    def _ticks(self, slug: str) -> bool | None:
        """Whether they tick the box of our own forms; nobody else proves consent to texts."""
        if not vendors.has_box(slug):
            return None
        ticks = self.story.fate in APPLIES | {Fate.STOPPED} or self.rng.random() < 0.75
        self._may_be_texted = self._may_be_texted or ticks
        return ticks

    def _next_due(self, to: datetime) -> tuple[str, datetime | None]:
        with connection.cursor() as cursor:
            cursor.execute(_DUE, {"leads": self._leads, "to": to})
            return cursor.fetchone() or ("", None)

    def _tick(self, what: str, at: datetime) -> None:
        """The part of the product's clock that is due now."""
        with moment.at(at):
            if what == "offer":
                offers.pass_on_lapsed(at=at)
            elif what == "step":
                clock.step_sequences(at)
            else:
                messages.send_due(at=at)
            at_once.drain()
        self.at = max(self.at, at)
        self._notice_texts()

    def _notice_texts(self) -> None:
        """Texts that left: the carrier confirms them, and some are answered."""
        if not self._may_be_texted:
            return
        left = Message.objects.filter(
            lead__in=self._leads, direction="out", medium="text", state="sent"
        ).exclude(pk__in=self._seen_texts)
        for text in left.order_by("sent_at"):
            is_first = not self._seen_texts
            self._seen_texts.add(text.pk)
            sent_at = text.sent_at or self.at
            self.later(sent_at + 2 * SECOND, self._delivered(text.carrier_id))
            if is_first:
                self._maybe_answered(text, sent_at)

    def _delivered(self, carrier_id: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            callbacks.record_status(carrier_id=carrier_id, status="delivered", at=at)

        return act

    def _maybe_answered(self, text: Message, sent_at: datetime) -> None:
        if self.story.fate is Fate.STOPPED:
            body, wait = words.stop(self.rng), self.within(MINUTE, 5 * HOUR)
        elif self.rng.random() < (0.5 if self.story.fate in REACHED else 0.08):
            body = words.reply(self.rng, self.who.language)
            wait = self.within(MINUTE, 45 * MINUTE)
        else:
            return

        def act(at: datetime) -> None:
            replies.receive_text(
                sender=text.to_address,
                body=body,
                carrier_id=f"console-in-{self.story.number}-{len(self._seen_texts)}",
                carrier="console",
                at=at,
            )
            self.later(at + self.within(2 * MINUTE, 25 * MINUTE), self._read)

        self.later(sent_at + wait, act)

    def _read(self, at: datetime) -> None:
        lead = self.fresh()
        if lead.officer is None:
            return
        inbox.mark_read(lead_id=lead.pk, by=lead.officer.user_id, at=at)
        if self.story.fate is Fate.STOPPED or self.rng.random() < 0.3:
            return
        body = words.answer(self.rng, lead.person.language)
        try:
            compose.compose(lead_id=lead.pk, medium="text", body=body, by=lead.officer.user, at=at)
        except compose.CannotSend:
            return


@cache
def source_of(slug: str) -> Source:
    """A source of the company, read once."""
    return Source.objects.get(slug=slug)
