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

from rooftree.capture.intake.receive_delivery import endpoint_of
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.flow import (
    borrower_replies,
    close_stale_leads,
    lead_arrival,
    lead_offers,
    message_dispatch,
    tick_schedule,
)
from rooftree.flow import clock as moment
from rooftree.leads.models import Lead, Source, Touch
from rooftree.outreach.inbound import carrier_callbacks, conversation_inbox
from rooftree.outreach.models import Message
from rooftree.outreach.wording import typed_messages
from rooftree_demo import inline_queue, sample_messages, vendor_posts
from rooftree_demo.invented_borrowers import invent_borrower
from rooftree_demo.lead_origins import origin_by_slug
from rooftree_demo.stories import APPLYING_FATES, Fate, Story

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)
MAX_ROUNDS = 60  # of one lead; more would be a lead that is never done
REACHED_FATES = APPLYING_FATES | {Fate.WATCHES, Fate.TALKED, Fate.NOT_INTERESTED}
_SELECT_NEXT_DUE = """
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


class AlreadyLoaded(Exception):
    """This delivery was loaded before."""


class LeadStory:
    """A lead while its story is told. `at` is the moment it has come to."""

    def __init__(self, story: Story, *, until: datetime) -> None:
        self.story = story
        self.until = until
        self.rng: random.Random = story.rng()
        self.who = invent_borrower(
            self.rng, story.number, language=origin_by_slug(story.slug).language
        )
        self.at = story.at
        self._agenda: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._order = count()
        self._seen_texts: set[UUID] = set()
        self._may_be_texted = False
        self.lead = self.inquire(story.slug, story.at)
        self._leads = [self.lead.pk]

    def schedule(self, when: datetime, act: Callable[[datetime], None]) -> None:
        """Do something at a moment to come; what lies beyond the story's end never happens."""
        heapq.heappush(self._agenda, (max(when, self.at), next(self._order), act))

    def random_delay(self, low: timedelta, high: timedelta) -> timedelta:
        """A while between two."""
        return low + (high - low) * self.rng.random()

    def play(self) -> None:
        """Tell it to the end."""
        while self._agenda and self._agenda[0][0] <= self.until:
            when, _, act = heapq.heappop(self._agenda)
            when = max(when, self.at)
            self.pass_time(when)
            act(when)
            self.run_queue(when)
        self.pass_time(self.until)
        self._close_stale_leads()

    def pass_time(self, to: datetime) -> None:
        """Let the product do what is due by `to`, each thing at its own time."""
        for _ in range(MAX_ROUNDS):
            what, due = self._next_due(to)
            if due is None:
                break
            self._run_due(what, max(due, self.at))
        self.at = max(self.at, to)

    def run_queue(self, at: datetime) -> None:
        """Run what was queued at `at`, and notice the texts that left."""
        with moment.freeze(at):
            inline_queue.run_pending()
        self.at = max(self.at, at)
        self._handle_sent_texts()

    def inquire_again(self, slug: str, at: datetime) -> bool:
        """The borrower asks through another source; whether that began a lead of its own."""
        lead = self.inquire(slug, at)
        is_new = lead.pk != self.lead.pk
        if is_new:
            self.lead = lead
            self._leads.append(lead.pk)
        return is_new

    def current_lead(self) -> Lead:
        """The lead as it stands now."""
        return Lead.objects.select_related("officer__user", "person").get(pk=self.lead.pk)

    def _close_stale_leads(self) -> None:
        """After months without a word the product closes the lead."""
        for lead_id in self._leads:
            due = close_stale_leads.closing_time(lead_id)
            if due and due <= self.until:
                with moment.freeze(due):
                    close_stale_leads.close_if_stale(lead_id=lead_id, at=due)

    def inquire(self, slug: str, at: datetime) -> Lead:
        """Their inquiry comes in through a source; the lead that it belongs to."""
        source = source_by_slug(slug)
        post = vendor_posts.build_post(
            source, self.who, self.rng, at=at, consents=self._ticks_consent(slug)
        )
        incoming = IncomingDelivery(
            path=vendor_posts.intake_path(source),
            headers=post.headers,
            body=post.body,
            remote_addr=f"198.51.100.{self.story.number % 250 + 1}",  # of a block for documents
            received_at=at,
            endpoint=endpoint_of(source),
        )
        with moment.freeze(at):
            received = lead_arrival.accept_delivery(source=source, incoming=incoming, at=at)
            lead_arrival.process_deliveries.enqueue()  # its own nudge waits for a worker
        if received.delivery is None:
            raise AlreadyLoaded(self.story.number)
        self.work_delivery(at + SECOND * self.rng.randint(1, 3))
        touch = Touch.objects.select_related("lead").get(delivery=received.delivery)
        return touch.lead

    def work_delivery(self, at: datetime) -> None:
        """The worker picks the delivery up a moment after it was answered."""
        with moment.freeze(at):
            inline_queue.run_pending()
            message_dispatch.send_due_messages(at=at)
        self.at = max(self.at, at)

    def _ticks_consent(self, slug: str) -> bool | None:
        """Whether they tick the box of our own forms; nobody else proves consent to texts."""
        if not vendor_posts.has_consent_box(slug):
            return None
        ticks = self.story.fate in APPLYING_FATES | {Fate.STOPPED} or self.rng.random() < 0.75
        self._may_be_texted = self._may_be_texted or ticks
        return ticks

    def _next_due(self, to: datetime) -> tuple[str, datetime | None]:
        with connection.cursor() as cursor:
            cursor.execute(_SELECT_NEXT_DUE, {"leads": self._leads, "to": to})
            return cursor.fetchone() or ("", None)

    def _run_due(self, what: str, at: datetime) -> None:
        """The part of the product's clock that is due now."""
        with moment.freeze(at):
            if what == "offer":
                lead_offers.pass_on_lapsed_offers(at=at)
            elif what == "step":
                tick_schedule.run_due_sequence_steps(at)
            else:
                message_dispatch.send_due_messages(at=at)
            inline_queue.run_pending()
        self.at = max(self.at, at)
        self._handle_sent_texts()

    def _handle_sent_texts(self) -> None:
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
            self.schedule(sent_at + 2 * SECOND, self._confirm_delivery(text.carrier_id))
            if is_first:
                self._maybe_reply(text, sent_at)

    def _confirm_delivery(self, carrier_id: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            carrier_callbacks.record_message_status(
                carrier_id=carrier_id, status="delivered", at=at
            )

        return act

    def _maybe_reply(self, text: Message, sent_at: datetime) -> None:
        if self.story.fate is Fate.STOPPED:
            body, wait = sample_messages.stop_message(self.rng), self.random_delay(MINUTE, 5 * HOUR)
        elif self.rng.random() < (0.5 if self.story.fate in REACHED_FATES else 0.08):
            body = sample_messages.borrower_reply(self.rng, self.who.language)
            wait = self.random_delay(MINUTE, 45 * MINUTE)
        else:
            return

        def act(at: datetime) -> None:
            borrower_replies.receive_text(
                sender=text.to_address,
                body=body,
                carrier_id=f"console-in-{self.story.number}-{len(self._seen_texts)}",
                carrier="console",
                at=at,
            )
            self.schedule(at + self.random_delay(2 * MINUTE, 25 * MINUTE), self._read_reply)

        self.schedule(sent_at + wait, act)

    def _read_reply(self, at: datetime) -> None:
        lead = self.current_lead()
        if lead.officer is None:
            return
        conversation_inbox.mark_read(lead_id=lead.pk, by=lead.officer.user_id, at=at)
        if self.story.fate is Fate.STOPPED or self.rng.random() < 0.3:
            return
        body = sample_messages.officer_answer(self.rng, lead.person.language)
        try:
            typed_messages.send_typed_message(
                lead_id=lead.pk, medium="text", body=body, by=lead.officer.user, at=at
            )
        except typed_messages.CannotSend:
            return


@cache
def source_by_slug(slug: str) -> Source:
    """A source of the company, read once."""
    return Source.objects.get(slug=slug)
