"""One lead's life at past times, played through the product's own functions.

Everything a live system does by itself in between (answers, lapsed offers, sequence
steps, messages held until morning) runs here at its own due time, so a lead that is
handed over to the running system has nothing overdue.
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
from rooftree.db.prepared_queries import PreparedQuery
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
MAX_ROUNDS = 60  # due actions of one lead at a time; more would be an endless loop
REACHED_FATES = APPLYING_FATES | {Fate.WATCHES, Fate.TALKED, Fate.NOT_INTERESTED}
CURRENT_LEAD = PreparedQuery(
    lambda lead_id: Lead.objects.select_related("officer__user", "person").filter(pk=lead_id),
    lead_id=UUID,
)
SENT_TEXTS = PreparedQuery(
    lambda leads: Message.objects.filter(
        lead__in=leads, direction="out", medium="text", state="sent"
    ).order_by("sent_at"),
    leads=list[UUID],
)
_SELECT_NEXT_DUE = """
select what, due_at from (
    select 'message' as what, due_at from message
     where lead_id = any(%(leads)s) and direction = 'out' and state in ('waiting', 'held')
    union all
    select 'offer', due_at from offer where lead_id = any(%(leads)s)
       and accepted_at is null and declined_at is null and expired_at is null
    union all
    select 'step', due_at from enrollment where lead_id = any(%(leads)s) and ended_at is null
) due where due_at <= %(to)s order by due_at limit 1
"""


class AlreadyLoaded(Exception):
    """This delivery was loaded before."""


class LeadStory:
    """A lead whose story is being played; `at` is the current time in the story."""

    def __init__(self, story: Story, *, until: datetime) -> None:
        self.story = story
        self.until = until
        self.rng: random.Random = story.rng()
        self.borrower = invent_borrower(
            self.rng, story.number, language=origin_by_slug(story.slug).language
        )
        self.at = story.at
        self._agenda: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._order = count()
        self._seen_texts: set[UUID] = set()
        self._is_textable = False
        self.lead = self.inquire(story.slug, story.at)
        self._leads = [self.lead.pk]

    def schedule(self, when: datetime, act: Callable[[datetime], None]) -> None:
        """Schedule an action; one after the end of the story never runs."""
        heapq.heappush(self._agenda, (max(when, self.at), next(self._order), act))

    def random_delay(self, low: timedelta, high: timedelta) -> timedelta:
        """Return a random time span between `low` and `high`."""
        return low + (high - low) * self.rng.random()

    def play(self) -> None:
        """Play the story to its end."""
        while self._agenda and self._agenda[0][0] <= self.until:
            when, _, act = heapq.heappop(self._agenda)
            when = max(when, self.at)
            self.pass_time(when)
            act(when)
            self.run_queue(when)
        self.pass_time(self.until)
        self._close_stale_leads()

    def pass_time(self, to: datetime) -> None:
        """Run everything the product has due by `to`, each at its own time."""
        for _ in range(MAX_ROUNDS):
            with connection.cursor() as cursor:
                cursor.execute(_SELECT_NEXT_DUE, {"leads": self._leads, "to": to})
                kind, due = cursor.fetchone() or ("", None)
            if due is None:
                break
            self._run_due(kind, max(due, self.at))
        self.at = max(self.at, to)

    def run_queue(self, at: datetime) -> None:
        """Run the tasks queued at `at`, and handle texts that were sent."""
        with moment.freeze(at):
            inline_queue.run_pending()
        self.at = max(self.at, at)
        self._handle_sent_texts()

    def inquire_again(self, slug: str, at: datetime) -> bool:
        """Inquire through another source; return True if that created a new lead."""
        lead = self.inquire(slug, at)
        is_new = lead.pk != self.lead.pk
        if is_new:
            self.lead = lead
            self._leads.append(lead.pk)
        return is_new

    def current_lead(self) -> Lead:
        """Return the lead with its current values."""
        return CURRENT_LEAD.get(lead_id=self.lead.pk)

    def _close_stale_leads(self) -> None:
        """Close leads as the product does after months of silence."""
        for lead_id in self._leads:
            due = close_stale_leads.find_closing_time(lead_id)
            if due and due <= self.until:
                with moment.freeze(due):
                    close_stale_leads.close_if_stale(lead_id=lead_id, at=due)

    def inquire(self, slug: str, at: datetime) -> Lead:
        """Deliver the borrower's inquiry through a source; return its lead."""
        source = source_by_slug(slug)
        post = vendor_posts.build_post(
            source, self.borrower, self.rng, at=at, consents=self._choose_consent(slug)
        )
        incoming = IncomingDelivery(
            path=vendor_posts.intake_path(source),
            headers=post.headers,
            body=post.body,
            remote_addr=f"198.51.100.{self.story.number % 250 + 1}",  # documentation block
            received_at=at,
            endpoint=endpoint_of(source),
        )
        with moment.freeze(at):
            received = lead_arrival.accept_delivery(source=source, incoming=incoming, at=at)
            lead_arrival.process_deliveries.enqueue()  # its own wake-up waits for a worker
        if received.delivery is None:
            raise AlreadyLoaded(self.story.number)
        self.work_delivery(at + SECOND * self.rng.randint(1, 3))
        touch = Touch.objects.select_related("lead").get(delivery=received.delivery)
        return touch.lead

    def work_delivery(self, at: datetime) -> None:
        """Process the delivery, as a worker does shortly after it was answered."""
        with moment.freeze(at):
            inline_queue.run_pending()
            message_dispatch.send_due_messages(at=at)
        self.at = max(self.at, at)

    def _choose_consent(self, slug: str) -> bool | None:
        """Choose whether the borrower ticks the consent box; None for sources without one."""
        if not vendor_posts.has_consent_box(slug):
            return None
        ticks = self.story.fate in APPLYING_FATES | {Fate.STOPPED} or self.rng.random() < 0.75
        self._is_textable = self._is_textable or ticks
        return ticks

    def _run_due(self, kind: str, at: datetime) -> None:
        """Run the clock job of the given kind that is due now."""
        with moment.freeze(at):
            if kind == "offer":
                lead_offers.pass_on_lapsed_offers(at=at)
            elif kind == "step":
                tick_schedule.run_due_sequence_steps(at)
            else:
                message_dispatch.send_due_messages(at=at)
            inline_queue.run_pending()
        self.at = max(self.at, at)
        self._handle_sent_texts()

    def _handle_sent_texts(self) -> None:
        """Schedule the carrier's confirmation of sent texts, and a reply to the first."""
        if not self._is_textable:
            return
        for text in SENT_TEXTS.all(leads=self._leads):
            if text.pk in self._seen_texts:
                continue
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
            body = sample_messages.borrower_reply(self.rng, self.borrower.language)
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
    """Return a source of the company, read once per process."""
    return Source.objects.get(slug=slug)
